package migratetest_test

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate/migratetest"
	"golang.org/x/text/encoding/htmlindex"
)

func TestASeedAlwaysGivesTheSameOctets(t *testing.T) {
	for _, k := range migratetest.Kinds() {
		for seed := range uint64(5) {
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

func TestEveryKindOccurs(t *testing.T) {
	seen := map[migratetest.Kind]int{}
	for seed := range uint64(20_000) {
		seen[migratetest.Make(seed).Kind]++
	}
	for _, k := range migratetest.Kinds() {
		if seen[k] == 0 {
			t.Errorf("%s does not occur in 20,000 messages", k)
		}
	}
}

func TestUnbrokenMessagesKeepTheRules(t *testing.T) {
	for _, k := range migratetest.Kinds() {
		for seed := range uint64(20) {
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
	if n := leaves(t, m.Kind, p.Header.Get("Content-Type"), p.Body); n == 0 {
		t.Errorf("%s: no leaf part", m.Kind)
	}
}

// leaves walks the multiparts and counts their leaves.
func leaves(t *testing.T, k migratetest.Kind, contentType string, body io.Reader) int {
	t.Helper()
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatalf("%s: Content-Type %q: %v", k, contentType, err)
	}
	if !strings.HasPrefix(media, "multipart/") {
		if _, err := io.Copy(io.Discard, body); err != nil {
			t.Errorf("%s: %v", k, err)
		}
		return 1
	}
	n := 0
	for r := multipart.NewReader(body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return n
		}
		if err != nil {
			t.Fatalf("%s: part %d: %v", k, n, err)
		}
		n += leaves(t, k, p.Header.Get("Content-Type"), p)
	}
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
