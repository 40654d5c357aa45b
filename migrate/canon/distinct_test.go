package canon

import (
	"bytes"
	"mime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate/migratetest"
)

// A damage is a change that a user would notice.
type damage struct {
	name    string
	aspects []Aspect // that Compare names, in order
	change  func(n *node) bool
}

// damages returns those that can be done to a message like n.
func damages(n *node) []damage {
	setField := func(name string, change func(string) string) func(*node) bool {
		return func(n *node) bool {
			value := n.get(name)
			if value == "" || strings.HasPrefix(value, "undisclosed-recipients") || name == "From" && n.get("Sender") != "" {
				return false
			}
			n.set(name, change(value))
			return true
		}
	}
	ds := []damage{
		{"a second later", []Aspect{Date}, setField("Date", func(s string) string {
			t, ok := ParseDate(s)
			if !ok {
				return "never"
			}
			return t.Add(time.Second).Format(time.RFC1123Z)
		})},
		{"one more recipient", []Aspect{To}, setField("To", func(s string) string { return s + ", eve@example.net" })},
		{"no recipient", []Aspect{To}, setField("To", func(string) string { return "" })},
		{"another copy", []Aspect{Cc}, setField("Cc", func(s string) string { return "Eve <eve@example.net>, " + s })},
		{"another author", []Aspect{From}, setField("From", func(s string) string { return strings.Replace(s, "@", "@x", 1) })},
		{"one letter of the subject", []Aspect{Subject}, setField("Subject", func(s string) string { return s + "s" })},
		{"another Message-ID", []Aspect{MessageID}, setField("Message-ID", func(s string) string { return strings.Replace(s, "@", ".1@", 1) })},
		{"an answer to something else", []Aspect{InReplyTo}, setField("In-Reply-To", func(s string) string { return strings.Replace(s, "@", ".1@", 1) })},
		{"one reference less", []Aspect{References}, setField("References", func(s string) string { return strings.Join(strings.Fields(s)[1:], " ") })},
		{"no Message-ID", []Aspect{MessageID}, func(n *node) bool {
			was := n.get("Message-ID")
			n.drop("Message-ID")
			return was != ""
		}},
	}
	for i, l := range n.leaves() {
		at := func(change func(root, l *node) bool) func(*node) bool {
			return func(n *node) bool { return change(n, n.leaves()[i]) }
		}
		aspect := Attachment
		if l.isText() {
			aspect = Text
		}
		if l.enclosed == nil {
			ds = append(ds, damage{"one octet of leaf", []Aspect{aspect}, at(func(_, l *node) bool {
				j := len(l.content) / 2
				for j < len(l.content) && (l.content[j] < '0' || l.content[j] > 'y') {
					j++
				}
				if j >= len(l.content) {
					return false
				}
				l.content = slices.Clone(l.content)
				l.content[j]++
				return true
			})})
		} else {
			for _, d := range damages(l.enclosed) {
				ds = append(ds, damage{"enclosed: " + d.name, []Aspect{Attachment}, at(func(_, l *node) bool { return d.change(l.enclosed) })})
			}
		}
		missing := aspect
		if siblings := alternatives(n, l); l.isText() && siblings > 1 {
			missing = Alternative
		}
		if len(n.parts) > 1 && len(bytes.TrimSpace(l.content)) > 0 {
			ds = append(ds, damage{"a leaf is dropped", []Aspect{missing}, at(func(root, l *node) bool { return root.remove(l) })},
				damage{"a leaf is doubled", []Aspect{aspect}, at(func(root, l *node) bool { return root.insert(l) })})
		}
		if l.named() && l.enclosed == nil {
			ds = append(ds, damage{"a leaf is renamed", []Aspect{Name}, at(func(_, l *node) bool {
				l.set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": l.fileName() + "1"}))
				return true
			})})
		}
		if len(l.content) > 100 && l.enclosed == nil {
			ds = append(ds, damage{"a leaf is cut short", []Aspect{aspect}, at(func(_, l *node) bool {
				l.content = l.content[:len(l.content)*3/4]
				return true
			})})
		}
	}
	return ds
}

// alternatives counts the texts of the multipart/alternative that l is in.
func alternatives(n, l *node) (texts int) {
	for _, a := range n.all() {
		if a.mediaType == "multipart/alternative" && slices.Contains(a.leaves(), l) {
			texts = 0
			for _, t := range a.leaves() {
				if t.isText() {
					texts++
				}
			}
		}
	}
	return texts
}

func (n *node) remove(l *node) bool {
	for _, p := range n.all() {
		if i := slices.Index(p.parts, l); i >= 0 && len(p.parts) > 1 {
			p.parts = slices.Delete(slices.Clone(p.parts), i, i+1)
			return true
		}
	}
	return false
}

// insert puts l once more at the end.
func (n *node) insert(l *node) bool {
	if len(n.parts) == 0 {
		return false
	}
	n.parts = append(slices.Clip(n.parts), l)
	return true
}

func TestWhatAUserWouldNoticeIsOneDifferenceOfItsAspect(t *testing.T) {
	found := map[Aspect]int{}
	each(t, func(t *testing.T, octets []byte) {
		n, err := parse(octets)
		if err != nil {
			return
		}
		was := sum(t, string(octets))
		for i, d := range damages(n) {
			n, err := parse(octets)
			if err != nil {
				t.Fatal(err)
			}
			if d = damages(n)[i]; !d.change(n) {
				continue
			}
			is := sum(t, string((&writing{boundary: "x"}).bytes(n)))
			var aspects []Aspect
			for _, difference := range Compare(was, is) {
				if difference.Aspect != Signature { // a writing breaks them
					aspects = append(aspects, difference.Aspect)
				}
			}
			if !slices.Equal(aspects, d.aspects) {
				t.Errorf("%s: %v, want %v: %v", d.name, aspects, d.aspects, Compare(was, is))
			}
			if was.Content() == is.Content() {
				t.Errorf("%s: the same content", d.name)
			}
			for _, a := range aspects {
				found[a]++
			}
		}
	})
	for _, a := range []Aspect{Date, From, To, Cc, Subject, MessageID, InReplyTo, References, Text, Alternative, Attachment, Name} {
		if found[a] == 0 {
			t.Errorf("nothing was different in %s", a)
		}
	}
}

func TestDifferentMessagesHaveDifferentContent(t *testing.T) {
	seen := map[Digest]string{}
	for seed := range uint64(1000) {
		m := migratetest.Make(seed)
		content := sum(t, string(m.Octets)).Content()
		if seen[content] != "" {
			t.Errorf("seed %d (%s): the same as %s", seed, m.Kind, seen[content])
		}
		seen[content] = string(m.Kind)
	}
	clear(seen)
	for name, octets := range corpus(t) {
		content, group := sum(t, string(octets)).Content(), equals()[name]
		if other, ok := seen[content]; ok && (group == "" || equals()[other] != group) {
			t.Errorf("%s: the same as %s", name, other)
		}
		seen[content] = name
	}
}

// equals names messages of the corpus that are no different, and why.
func equals() map[string]string {
	of := map[string]string{}
	for why, names := range map[string][]string{
		"equal octets 1":               {"mikel-mail/attachment_emails/attachment_content_location", "mikel-mail/mime_emails/raw_email12"},
		"equal octets 2":               {"mikel-mail/attachment_emails/attachment_with_encoded_name", "mikel-mail/plain_emails/raw_email8"},
		"equal octets 3":               {"stalwart-mail-parser/malformed/009", "stalwart-mail-parser/malformed/011"},
		"other line ends 1":            {"mikel-mail/attachment_emails/attachment_pdf", "mikel-mail/attachment_emails/attachment_pdf_lf"},
		"other line ends 2":            {"mikel-mail/attachment_emails/attachment_pdf_non_ascii", "mikel-mail/attachment_emails/attachment_pdf_non_ascii_lf"},
		"other line ends 3":            {"mikel-mail/plain_emails/basic_email", "mikel-mail/plain_emails/basic_email_lf"},
		"a boundary with quotes":       {"mikel-mail/mime_emails/raw_email_with_illegal_boundary", "mikel-mail/mime_emails/raw_email_with_quoted_illegal_boundary"},
		"a charset that is unknown":    {"mikel-mail/plain_emails/raw_email5", "mikel-mail/plain_emails/raw_email6", "mikel-mail/plain_emails/raw_email10"},
		"Resent, Received, folding":    {"mikel-mail/rfc2822/example01", "mikel-mail/rfc2822/example05", "mikel-mail/rfc2822/example08", "mikel-mail/rfc2822/example09"},
		"multiparts around one text":   {"stalwart-mail-parser/malformed/002", "stalwart-mail-parser/malformed/003", "stalwart-mail-parser/malformed/006"},
		"nothing before the first end": {"stalwart-mail-parser/malformed/000", "stalwart-mail-parser/malformed/005"},
	} {
		for _, name := range names {
			of[name+".eml"] = why
		}
	}
	return of
}
