package targettest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

// one places a folder called name and returns the placement.
func one(t *testing.T, target migrate.Target, name string) migrate.Placement {
	t.Helper()
	p := place(t, target, []migrate.Folder{{Path: []string{name}}})[0]
	if p.Err != nil {
		t.Fatal("place:", p.Err)
	}
	return p
}

func mustAppend(t *testing.T, target migrate.Target, folder migrate.FolderID, m *migrate.Message) migrate.MessageID {
	t.Helper()
	stored, err := target.Append(t.Context(), folder, m)
	if err != nil {
		t.Fatal("append:", err)
	}
	if stored.ID == "" {
		t.Fatal("append gave no ID")
	}
	return stored.ID
}

func messageArrives(t *testing.T, m Mailbox) {
	target := m.Open(t)
	folder := one(t, target, "Clients")
	for i, flags := range [][]migrate.Flag{
		nil, {migrate.Seen}, {migrate.Flagged}, {`\SEEN`, `\flagged`},
		{migrate.Seen, migrate.Answered, "$Forwarded", "$NotJunk", "ümlaut", "a b"},
	} {
		message := Letter(fmt.Sprintf("flags-%d", i), flags...)
		id := mustAppend(t, target, folder.ID, message)
		held := m.Held(t)
		at := slices.IndexFunc(held, func(h Held) bool { return h.ID == id })
		if at < 0 {
			t.Fatalf("the mailbox does not hold %s", id)
		}
		h := held[at]
		if !slices.Equal(h.Folders, []string{folder.Name}) {
			t.Errorf("flags %q: it is in %q, want %q", flags, h.Folders, folder.Name)
		}
		if h.Seen != message.HasFlag(migrate.Seen) || h.Flagged != message.HasFlag(migrate.Flagged) {
			t.Errorf("flags %q: seen %v, flagged %v", flags, h.Seen, h.Flagged)
		}
		if !h.Date.Equal(Date) {
			t.Errorf("it is dated %v, want %v", h.Date, Date)
		}
		if len(with(held[at:at+1], message.Body.(Octets))) == 0 {
			t.Errorf("its octets are %q, want %q", h.Octets, message.Body)
		}
	}
}

// odd has messages that break rules, as real mail does.
func odd() map[string]*migrate.Message {
	plain := func(field, body string) *migrate.Message { return Message(letter("odd", field, body), "") }
	whole := func(s string) *migrate.Message { return Message([]byte(s), "") }
	return map[string]*migrate.Message{
		"no Message-ID":           plain("", "body\r\n"),
		"Message-ID unbracketed":  plain("Message-ID: some thing\r\n", "body\r\n"),
		"two Message-IDs":         plain("Message-ID: <one@example.org>\r\nMessage-ID: <two@example.org>\r\n", "body\r\n"),
		"8-bit header":            plain("X-Odd: \xe4\xf6\xfc\r\n", "body\r\n"),
		"8-bit body":              plain("", "\xe4\xf6\xfc\x80\xff\r\n"),
		"bare line feeds":         whole(strings.ReplaceAll(string(letter("odd", "", "one\ntwo\n")), "\r\n", "\n")),
		"bare carriage returns":   plain("", "three\rfour\r"),
		"no final line end":       plain("", "end"),
		"ends in a boundary-like": plain("", "--\r\n--x--\r\n\r\n"),
		"NUL":                     plain("", "a\x00b\r\n"),
		"a line of 100,000":       plain("", strings.Repeat("x", 100_000)+"\r\n"),
		"no body":                 whole(strings.TrimSuffix(string(letter("odd", "", "")), "\r\n")),
		"no Date":                 whole("From: ann@example.org\r\nSubject: odd\r\n\r\nbody\r\n"),
		"no From":                 whole("Subject: odd\r\nDate: Fri, 03 Jul 2009 14:15:16 +0000\r\n\r\nbody\r\n"),
		"broken MIME":             plain("Content-Type: multipart/mixed; boundary=\"x\r\n", "--x\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n"),
		"only a line":             whole("hello"),
		"nothing":                 whole(""),
	}
}

func oddMessages(t *testing.T, m Mailbox) {
	target := m.Open(t)
	folder := one(t, target, "Odd")
	for name, message := range odd() {
		_, err := target.Append(t.Context(), folder.ID, message)
		there := with(m.Held(t), message.Body.(Octets))
		if err == nil && len(there) == 0 {
			t.Errorf("%s: it was appended, and the mailbox does not hold it with these octets", name)
		}
		if err == nil {
			continue
		}
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Permanent || !e.Refused {
			t.Errorf("%s: the error is %#v, want one that is Permanent and Refused", name, err)
		}
	}
}

func largeMessage(t *testing.T, m Mailbox) {
	target := m.Open(t)
	folder := one(t, target, "Large")
	line := strings.Repeat("0123456789", 7) + "\r\n"
	// Across every vendor's border between small and large uploads.
	message := Message(letter("large", "", strings.Repeat(line, 7<<20/len(line))), "")
	mustAppend(t, target, folder.ID, message)
	held := m.Held(t)
	if len(held) != 1 || len(with(held, message.Body.(Octets))) != 1 {
		t.Fatalf("the mailbox holds %d messages, of them %d with the octets", len(held), len(with(held, message.Body.(Octets))))
	}
}

// unreadable is a Body that must not be opened.
type unreadable struct{ opened atomic.Bool }

func (u *unreadable) Open() (io.ReadSeekCloser, error) {
	u.opened.Store(true)
	return nil, errors.New("opened")
}

func overTheLimit(t *testing.T, m Mailbox) {
	target := m.Open(t)
	limit := target.Capabilities().MaxMessageSize
	if limit == 0 {
		t.Skip("the target knows no limit")
	}
	body := &unreadable{}
	message := Letter("large")
	message.Size, message.Body = limit+1, body
	_, err := target.Append(t.Context(), one(t, target, "Large").ID, message)
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Permanent || !e.Refused || e.Hint == "" {
		t.Errorf("the error is %#v, want one that is Permanent and Refused and has a hint", err)
	}
	if body.opened.Load() {
		t.Error("it was read")
	}
}

func appendsAtOnce(t *testing.T, m Mailbox) {
	target := m.Open(t)
	folder := one(t, target, "Many")
	workers := target.Capabilities().Parallel
	if workers < 1 {
		t.Fatalf("Parallel is %d", workers)
	}
	const each = 10
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := range each {
				if _, err := target.Append(t.Context(), folder.ID, Letter(fmt.Sprintf("many-%d-%d", w, i))); err != nil {
					t.Error("append:", err)
				}
			}
		})
	}
	group.Wait()
	held := m.Held(t)
	ids := map[migrate.MessageID]bool{}
	for _, h := range held {
		ids[h.ID] = true
	}
	if len(held) != workers*each || len(ids) != workers*each {
		t.Errorf("the mailbox holds %d messages with %d IDs, want %d", len(held), len(ids), workers*each)
	}
	for w := range workers {
		for i := range each {
			if len(with(held, Letter(fmt.Sprintf("many-%d-%d", w, i)).Body.(Octets))) == 0 {
				t.Errorf("message %d of worker %d did not arrive", i, w)
			}
		}
	}
}

func cancelled(t *testing.T, m Mailbox) {
	target := m.Open(t)
	folder := one(t, target, "Clients")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := target.Append(ctx, folder.ID, Letter("cancelled"))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v, want the context's", err)
	}
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient || !e.Refused {
		t.Errorf("the error is %#v, want one that is Transient and Refused: nothing was sent", err)
	}
	if held := m.Held(t); len(held) != 0 {
		t.Errorf("the mailbox holds %d messages", len(held))
	}
}
