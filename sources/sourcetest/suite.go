package sourcetest

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

// Test runs the conformance suite. Each test gets a mailbox of its own from
// mailbox, with nothing in it but an empty INBOX and folders without messages.
func Test(t *testing.T, mailbox func(testing.TB) Mailbox) {
	tests := []struct {
		name string
		run  func(*testing.T, *Mailbox)
	}{
		{"folders come with their state, the inbox first and parents before children", testFolders},
		{"bodies are read between batches, octet for octet", testBatches},
		{"a list starts where it is told and ends at the UIDNEXT of its folder", testBounds},
		{"reading changes nothing", testUnchanged},
		{"a message expunged after it was listed gets no call", testExpunged},
		{"a folder that is deleted or made anew is gone", testGone},
		{"the count of changes grows with them, and only with them", testCount},
		{"the state of a folder that is open is the one of now", testNow},
		{"flags that changed are told, and all of them on demand", testFlags},
		{"UIDs that exist are told as runs", testUIDs},
		{"changes of a folder that is deleted or made anew are not told", testChangesGone},
		{"a large message arrives octet for octet", testLarge},
		{"a source connects again after its server was killed", testRestart},
		{"a cancelled context ends a call, and the next call works", testCancel},
		{"an error of the callback stops reading and is returned", testCallback},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := mailbox(t)
			test.run(t, &b)
		})
	}
}

func (b *Mailbox) open(t *testing.T) migrate.Source {
	t.Helper()
	s := b.Open(t)
	t.Cleanup(func() { s.Close() })
	return s
}

// folder returns the folder as the source lists it now.
func folder(t *testing.T, s migrate.Source, path ...string) migrate.Folder {
	t.Helper()
	fs, err := s.Folders(t.Context())
	check(t, err)
	i := slices.IndexFunc(fs, func(f migrate.Folder) bool { return slices.Equal(f.Path, path) })
	if i < 0 {
		t.Fatalf("%q is not listed in %v", path, fs)
	}
	return fs[i]
}

// list returns all messages of f from from.
func list(t *testing.T, s migrate.Source, f migrate.Folder, from migrate.UID) (ms []*migrate.Message) {
	t.Helper()
	for batch, err := range s.List(t.Context(), f, from) {
		check(t, err)
		for i := range batch {
			ms = append(ms, &batch[i])
		}
	}
	return ms
}

// read returns the contents of ms by UID.
func read(ctx context.Context, s migrate.Source, f migrate.Folder, ms []*migrate.Message) (map[migrate.UID]string, error) {
	contents := map[migrate.UID]string{}
	err := s.Read(ctx, f, ms, func(m *migrate.Message, r io.Reader) error {
		content, err := io.ReadAll(r)
		if _, again := contents[m.UID]; again {
			return errors.New("a message was delivered twice")
		}
		contents[m.UID] = string(content)
		return err
	})
	return contents, err
}

func testFolders(t *testing.T, b *Mailbox) {
	want := [][]string{{"INBOX"}}
	for _, path := range [][]string{
		{"Clients"}, {"Clients", "2019"}, {"Clients", "2019", "Q1"}, {"a.b"}, {"2019/20"}, {`quo"te`}, {`back\slash`},
		{"trailing "}, {"100 % &-sure*"}, {"Ümläut"}, {"日本 😀"}, {"Inbox-old"},
	} {
		if slices.ContainsFunc(path, func(part string) bool { return strings.Contains(part, b.Separator) }) {
			continue
		}
		b.create(t, path...)
		want = append(want, path)
	}
	b.put(t, []string{"Ümläut"}, letters(3)...)
	fs, err := b.open(t).Folders(t.Context())
	check(t, err)

	seen := map[string]bool{"": true}
	var got [][]string
	for i, f := range fs {
		if (f.Role == migrate.RoleInbox) != (i == 0) {
			t.Errorf("folder %d of the list is %v, %s", i, f, f.Role)
		}
		if parent := migrate.Folder.String(migrate.Folder{Path: f.Path[:len(f.Path)-1]}); !seen[parent] {
			t.Errorf("%v comes before its parent", f)
		}
		seen[f.String()] = true
		if !f.NoSelect && (f.UIDValidity == 0 || f.UIDNext == 0) {
			t.Errorf("%v has no state: %+v", f, f)
		}
		if slices.ContainsFunc(want, func(path []string) bool { return slices.Equal(path, f.Path) }) {
			got = append(got, f.Path)
		}
		if f.String() == "Ümläut" && (f.Messages != 3 || f.UIDNext != 4) {
			t.Errorf("a folder with 3 messages says %d, next UID %d", f.Messages, f.UIDNext)
		}
	}
	slices.SortFunc(want[1:], slices.Compare[[]string])
	if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("listed %q, want %q", got, want)
	}
}

func testBatches(t *testing.T, b *Mailbox) {
	want := letters(1200)
	b.create(t, "Many")
	b.put(t, []string{"Many"}, want...)
	s := b.open(t)
	f := folder(t, s, "Many")
	n := 0
	for batch, err := range s.List(t.Context(), f, 1) {
		check(t, err)
		if len(batch) == 0 || len(batch) > 1000 {
			t.Fatalf("a batch of %d", len(batch))
		}
		var ms []*migrate.Message
		for i := range batch {
			ms = append(ms, &batch[i])
		}
		contents, err := read(t.Context(), s, f, ms)
		check(t, err)
		for _, m := range ms {
			if n >= len(want) || int(m.UID) != n+1 {
				t.Fatalf("message %d has UID %d", n, m.UID)
			}
			w := want[n]
			n++
			if contents[m.UID] != w.Content {
				t.Fatalf("UID %d is %q, want %q", m.UID, contents[m.UID], w.Content)
			}
			if m.Size != int64(len(w.Content)) || m.MessageID != w.ID || !m.InternalDate.Equal(w.Date) {
				t.Errorf("UID %d has size %d, Message-ID %q, date %v, want %d, %q, %v", m.UID, m.Size, m.MessageID, m.InternalDate, len(w.Content), w.ID, w.Date)
			}
			if len(m.Flags) != len(w.Flags) || slices.ContainsFunc(w.Flags, func(f migrate.Flag) bool { return !m.HasFlag(f) }) {
				t.Errorf("UID %d has flags %q, want %q", m.UID, m.Flags, w.Flags)
			}
		}
	}
	if n != len(want) {
		t.Errorf("%d messages, want %d", n, len(want))
	}
}

func testBounds(t *testing.T, b *Mailbox) {
	inbox := []string{"INBOX"}
	b.put(t, inbox, letters(10)...)
	s := b.open(t)
	f := folder(t, s, inbox...)
	b.put(t, inbox, letters(3)...)
	for _, from := range []migrate.UID{0, 1, 7, 10, 11, 12} {
		var want, got []migrate.UID
		for u := max(from, 1); u <= 10; u++ {
			want = append(want, u)
		}
		for _, m := range list(t, s, f, from) {
			got = append(got, m.UID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("from %d: %v, want %v", from, got, want)
		}
	}
}

func testUnchanged(t *testing.T, b *Mailbox) {
	inbox := []string{"INBOX"}
	b.put(t, inbox, letters(20)...)
	before := b.look(t, inbox)
	s := b.open(t)
	f := folder(t, s, inbox...)
	contents, err := read(t.Context(), s, f, list(t, s, f, 1))
	check(t, err)
	if len(contents) != 20 {
		t.Fatalf("read %d of 20", len(contents))
	}
	if after := b.look(t, inbox); !slices.Equal(before, after) {
		t.Errorf("before: %q\nafter: %q", before, after)
	}
}

func testExpunged(t *testing.T, b *Mailbox) {
	inbox := []string{"INBOX"}
	b.put(t, inbox, letters(10)...)
	s := b.open(t)
	f := folder(t, s, inbox...)
	ms := list(t, s, f, 1)
	b.expunge(t, inbox, 1, 5, 10)
	contents, err := read(t.Context(), s, f, ms)
	if err != nil { // a server may break the connection over it, once
		contents, err = read(t.Context(), s, f, ms)
	}
	check(t, err)
	for _, m := range ms {
		if _, got := contents[m.UID]; got == (m.UID == 1 || m.UID == 5 || m.UID == 10) {
			t.Errorf("UID %d delivered: %v", m.UID, got)
		}
	}
	if contents, err := read(t.Context(), s, f, ms[:1]); err != nil || len(contents) > 0 {
		t.Errorf("read of one that is expunged: %d contents, %v", len(contents), err)
	}
}

func testGone(t *testing.T, b *Mailbox) {
	b.create(t, "Gone")
	b.create(t, "Anew")
	b.put(t, []string{"Gone"}, letters(2)...)
	b.put(t, []string{"Anew"}, letters(2)...)
	s := b.open(t)
	for _, path := range []string{"Gone", "Anew"} {
		f := folder(t, s, path)
		ms := list(t, s, f, 1)
		b.delete(t, path)
		if path == "Anew" {
			b.create(t, path)
			b.put(t, []string{path}, letters(4)...)
		}
		for name, s := range map[string]migrate.Source{"that had it open": s, "opened later": b.open(t)} {
			contents, err := read(t.Context(), s, f, ms)
			if err != nil && !errors.Is(err, migrate.ErrFolderGone) { // a server may break the connection over it, once
				contents, err = read(t.Context(), s, f, ms)
			}
			// A server may go on showing what was open.
			kept := name == "that had it open" && err == nil && contents[2] == letters(2)[1].Content
			if !kept && !errors.Is(err, migrate.ErrFolderGone) {
				t.Errorf("%s: Read of a source %s: %v", path, name, err)
			}
			for _, err = range s.List(t.Context(), f, 1) {
			}
			if !errors.Is(err, migrate.ErrFolderGone) {
				t.Errorf("%s: List of a source %s: %v", path, name, err)
			}
		}
	}
}

func testLarge(t *testing.T, b *Mailbox) {
	inbox := []string{"INBOX"}
	line := strings.Repeat("0123456789abcdef", 4) + "\r\n"
	var want []Letter
	for _, size := range []int{4 << 20, 4<<20 + 1, 9_000_000} {
		content := "Subject: large\r\n\r\n" + strings.Repeat(line, size/len(line)+1)
		want = append(want, Letter{Content: content[:size-1] + "x"})
	}
	b.put(t, inbox, want...)
	s := b.open(t)
	f := folder(t, s, inbox...)
	ms := list(t, s, f, 1)
	contents, err := read(t.Context(), s, f, ms)
	check(t, err)
	for i, m := range ms {
		if contents[m.UID] != want[i].Content {
			t.Errorf("message of %d octets arrived as %d others", len(want[i].Content), len(contents[m.UID]))
		}
	}
	for range 2 { // a part is enough for some callers
		err = s.Read(t.Context(), f, ms, func(_ *migrate.Message, r io.Reader) error {
			_, err := io.CopyN(io.Discard, r, 100)
			return err
		})
		check(t, err)
	}
}

func testRestart(t *testing.T, b *Mailbox) {
	inbox := []string{"INBOX"}
	b.put(t, inbox, letters(100)...)
	s := b.open(t)
	f := folder(t, s, inbox...)
	ms := list(t, s, f, 1)

	b.Restart(t)
	contents, err := read(t.Context(), s, f, ms)
	if err != nil { // it may have noticed nothing until now
		transient(t, err)
		contents, err = read(t.Context(), s, f, ms)
	}
	check(t, err)
	if len(contents) != 100 {
		t.Fatalf("read %d of 100 after a restart", len(contents))
	}

	var got []migrate.UID
	broken := 0
	for len(got) < 100 && broken < 3 {
		from := migrate.UID(1)
		if len(got) > 0 {
			from = got[len(got)-1] + 1
		}
		for batch, err := range s.List(t.Context(), f, from) {
			if err != nil {
				transient(t, err)
				broken++
				break
			}
			if len(got) == 0 {
				b.Restart(t)
			}
			for _, m := range batch {
				got = append(got, m.UID)
			}
		}
	}
	if len(got) != 100 {
		t.Errorf("listed %d of 100 after a restart", len(got))
	}
}

func transient(t *testing.T, err error) {
	t.Helper()
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient {
		t.Fatalf("not a transient error: %v", err)
	}
}

func testCancel(t *testing.T, b *Mailbox) {
	inbox := []string{"INBOX"}
	b.put(t, inbox, letters(100)...)
	s := b.open(t)
	f := folder(t, s, inbox...)
	ms := list(t, s, f, 1)

	why := errors.New("the operator pressed a key")
	ctx, cancel := context.WithCancelCause(t.Context())
	err := s.Read(ctx, f, ms, func(_ *migrate.Message, r io.Reader) error {
		cancel(why)
		_, err := io.Copy(io.Discard, r)
		return err
	})
	if !errors.Is(err, why) {
		t.Errorf("Read: %v", err)
	}
	if _, err := s.Folders(ctx); !errors.Is(err, why) {
		t.Errorf("Folders: %v", err)
	}
	for _, err := range s.List(ctx, f, 1) {
		if !errors.Is(err, why) {
			t.Errorf("List: %v", err)
		}
	}
	contents, err := read(t.Context(), s, f, ms)
	check(t, err)
	if len(contents) != 100 {
		t.Errorf("read %d of 100 afterwards", len(contents))
	}
}

func testCallback(t *testing.T, b *Mailbox) {
	inbox := []string{"INBOX"}
	b.put(t, inbox, letters(100)...)
	s := b.open(t)
	f := folder(t, s, inbox...)
	ms := list(t, s, f, 1)
	full, calls := errors.New("disk full"), 0
	err := s.Read(t.Context(), f, ms, func(*migrate.Message, io.Reader) error {
		if calls++; calls == 50 {
			return full
		}
		return nil
	})
	if !errors.Is(err, full) || calls != 50 {
		t.Errorf("%d calls, %v", calls, err)
	}
	contents, err := read(t.Context(), s, f, ms)
	check(t, err)
	if len(contents) != 100 {
		t.Errorf("read %d of 100 afterwards", len(contents))
	}
}
