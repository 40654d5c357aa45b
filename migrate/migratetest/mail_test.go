package migratetest_test

import (
	"bytes"
	"io"
	"mime"
	"net/mail"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // so that go-message knows all charsets
	"github.com/mailhaul/mailhaul/migrate/migratetest"
	"golang.org/x/text/encoding/htmlindex"
)

func TestASeedAlwaysGivesTheSameOctets(t *testing.T) {
	for _, k := range migratetest.Kinds() {
		for seed := range uint64(3) {
			a, b := migratetest.MakeKind(k, seed), migratetest.MakeKind(k, seed)
			if !bytes.Equal(a.Octets, b.Octets) || !a.Date.Equal(b.Date) {
				t.Errorf("%s, seed %d: two calls differ", k, seed)
			}
			if bytes.Equal(a.Octets, migratetest.MakeKind(k, seed+1).Octets) {
				t.Errorf("%s: seeds %d and %d give the same octets", k, seed, seed+1)
			}
		}
	}
}

func TestUnbrokenMessagesKeepTheRules(t *testing.T) {
	for _, k := range migratetest.Kinds() {
		for seed := range uint64(6) {
			m := migratetest.MakeKind(k, seed)
			if !m.Broken {
				checkValid(t, m)
			}
		}
	}
}

func checkValid(t *testing.T, m migratetest.Mail) {
	t.Helper()
	p, err := mail.ReadMessage(bytes.NewReader(m.Octets))
	if err != nil {
		t.Fatalf("%s: %v", m.Kind, err)
	}
	words := &mime.WordDecoder{CharsetReader: func(charset string, r io.Reader) (io.Reader, error) {
		enc, err := htmlindex.Get(charset)
		if err != nil {
			return nil, err
		}
		return enc.NewDecoder().Reader(r), nil
	}}
	addresses := mail.AddressParser{WordDecoder: words}
	if from, err := addresses.ParseList(strings.Join(p.Header["From"], "\x00")); err != nil || len(from) != 1 {
		t.Errorf("%s: From %q: %v", m.Kind, p.Header["From"], err)
	}
	if _, err := words.DecodeHeader(p.Header.Get("Subject")); err != nil {
		t.Errorf("%s: Subject: %v", m.Kind, err)
	}
	if d, err := p.Header.Date(); err != nil || !d.Equal(m.Date) || len(p.Header["Date"]) != 1 {
		t.Errorf("%s: Date %q, want %v: %v", m.Kind, p.Header["Date"], m.Date, err)
	}
	if ids := p.Header["Message-Id"]; len(ids) != 1 || ids[0] != m.MessageID || m.MessageID == "" {
		t.Errorf("%s: Message-ID %q, want %q", m.Kind, ids, m.MessageID)
	}
	for line := range bytes.SplitSeq(bytes.TrimSuffix(m.Octets, []byte("\r\n")), []byte("\r\n")) {
		if len(line) > 998 || bytes.ContainsAny(line, "\r\n\x00") {
			t.Errorf("%s: line of %d octets, or with a bare CR, LF or NUL", m.Kind, len(line))
		}
	}
	if n := leaves(t, m); n == 0 {
		t.Errorf("%s: no leaf part", m.Kind)
	}
}

// leaves walks the MIME tree, decodes every leaf and counts them.
func leaves(t *testing.T, m migratetest.Mail) int {
	t.Helper()
	e, err := message.Read(bytes.NewReader(m.Octets))
	if err != nil {
		t.Fatalf("%s: %v", m.Kind, err)
	}
	n := 0
	err = e.Walk(func(path []int, e *message.Entity, err error) error {
		if err != nil || e.MultipartReader() != nil {
			return err
		}
		n++
		body, err := io.ReadAll(e.Body)
		if media, _, _ := e.Header.ContentType(); strings.HasPrefix(media, "text/") && bytes.ContainsRune(body, utf8.RuneError) {
			t.Errorf("%s: part %v is not in its charset", m.Kind, path)
		}
		return err
	})
	if err != nil {
		t.Errorf("%s: %v", m.Kind, err)
	}
	return n
}

func TestBrokenMessagesAreBrokenAsTheirKindSays(t *testing.T) {
	for k, broken := range map[migratetest.Kind]func(h mail.Header, octets []byte) bool{
		migratetest.NoMessageID: func(h mail.Header, _ []byte) bool { return len(h["Message-Id"]) == 0 },
		migratetest.SameMessageID: func(h mail.Header, o []byte) bool {
			before := migratetest.MakeKind(migratetest.Plain, 6)
			return h.Get("Message-Id") == before.MessageID && !bytes.Equal(o, before.Octets)
		},
		migratetest.NoDate:  func(h mail.Header, _ []byte) bool { return len(h["Date"]) == 0 },
		migratetest.BadDate: func(h mail.Header, _ []byte) bool { _, err := h.Date(); return err != nil && h.Get("Date") != "" },
		migratetest.NoFrom:  func(h mail.Header, _ []byte) bool { return len(h["From"]) == 0 },
		migratetest.TwoFrom: func(h mail.Header, _ []byte) bool { return len(h["From"]) == 2 },
		migratetest.BareEightBit: func(h mail.Header, _ []byte) bool {
			return strings.Contains(h.Get("From"), "J\xf6rg")
		},
		migratetest.UnclosedPart: func(h mail.Header, o []byte) bool {
			_, params, _ := mime.ParseMediaType(h.Get("Content-Type"))
			return !bytes.Contains(o, []byte("--"+params["boundary"]+"--"))
		},
		migratetest.NUL:             func(_ mail.Header, o []byte) bool { return bytes.IndexByte(o, 0) >= 0 },
		migratetest.UnknownCharset:  func(h mail.Header, _ []byte) bool { return strings.Contains(h.Get("Content-Type"), "x-example-77") },
		migratetest.TruncatedBase64: func(_ mail.Header, o []byte) bool { return bytes.Contains(o, []byte("*\r\n")) },
	} {
		m := migratetest.MakeKind(k, 7)
		p, err := mail.ReadMessage(bytes.NewReader(m.Octets))
		if err != nil {
			t.Fatalf("%s: %v", k, err)
		}
		if !m.Broken || !broken(p.Header, m.Octets) {
			t.Errorf("%s: Broken = %v, or not broken as said:\n%.600s", k, m.Broken, m.Octets)
		}
	}
}
