package canon

import (
	"bytes"
	"cmp"
	"io"
	"mime"
	"net/mail"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/htmlindex"
)

// same fails if a copy is not the same as the original in all respects, but for
// what is signed.
func same(t *testing.T, how string, original, replica []byte) {
	t.Helper()
	a, b := sum(t, string(original)), sum(t, string(replica))
	signed := false
	for _, d := range Compare(a, b) {
		if signed = d.Aspect == Signature; !signed {
			t.Errorf("%s: %s: %s", how, d.Aspect, d.Detail)
		}
	}
	if a.Content() != b.Content() && !signed {
		t.Errorf("%s: another content", how)
	}
	if t.Failed() && len(original) < 8000 {
		t.Fatalf("%s\n------\n%s", original, replica)
	}
}

// An octetRewrite changes any message, well-formed or not.
type octetRewrite struct {
	name    string
	rewrite func([]byte) []byte
}

func octetRewrites() []octetRewrite {
	return []octetRewrite{
		{"lines on top", func(b []byte) []byte {
			return append([]byte("Delivered-To: bob@example.org\r\nReceived: by 10.0.0.1 with SMTP id x;\r\n        Mon, 1 Jan 2024 00:00:00 -0800 (PST)\r\nX-Received: by 10.0.0.2\r\nX-Mailhaul-Key: 0123\r\n"), b...)
		}},
		{"the line of an mbox", func(b []byte) []byte {
			return append([]byte("From bob@example.org Mon Jan  1 00:00:00 2024\r\n"), b...)
		}},
		{"LF for CRLF", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")) }},
		{"CRLF for LF", func(b []byte) []byte {
			return bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
		}},
		{"blanks after the delimiters", func(b []byte) []byte {
			var out []byte
			for line := range bytes.Lines(b) {
				if text := bytes.TrimRight(line, "\r\n"); bytes.HasPrefix(line, []byte("--")) && !bytes.Contains(line, []byte("---")) && !bytes.ContainsAny(text, " \t") {
					line = append(append(slices.Clip(text), " \t "...), line[len(text):]...)
				}
				out = append(out, line...)
			}
			return out
		}},
		{"fields on one line", func(b []byte) []byte {
			var out []byte
			header := true
			for line := range bytes.Lines(b) {
				if header = header && len(bytes.TrimRight(line, "\r\n")) > 0; header && (line[0] == ' ' || line[0] == '\t') {
					out = bytes.TrimRight(out, "\r\n")
				}
				out = append(out, line...)
			}
			return out
		}},
		{"names in capitals", func(b []byte) []byte {
			var out []byte
			header := true
			for line := range bytes.Lines(b) {
				name, rest, ok := bytes.Cut(line, []byte(":"))
				if header = header && len(bytes.TrimRight(line, "\r\n")) > 0; header && ok && !bytes.ContainsAny(name, " \t") {
					out = append(append(append(out, bytes.ToUpper(name)...), " :"...), rest...)
					continue
				}
				out = append(out, line...)
			}
			return out
		}},
	}
}

// A treeRewrite writes a well-formed message anew.
type treeRewrite struct {
	name   string
	way    writing
	change func(n *node) // of a message and of each one in it
}

func treeRewrites() []treeRewrite {
	return []treeRewrite{
		{"nothing", writing{boundary: "new"}, nil},
		{"fields in another order", writing{boundary: "b", order: func(fs []mailField) []mailField {
			fs = slices.Clone(fs)
			slices.SortStableFunc(fs, func(a, b mailField) int {
				return cmp.Compare(canonicalFieldName(b.name), canonicalFieldName(a.name))
			})
			return fs
		}}, nil},
		{"folded at each space", writing{boundary: "c", fold: func(name, value string) string {
			return name + ":\r\n\t" + strings.Join(strings.Fields(value), " \r\n ")
		}}, nil},
		{"base64 everywhere", writing{boundary: "d", transfer: "base64"}, nil},
		{"quoted-printable everywhere", writing{boundary: "e", transfer: "quoted-printable"}, nil},
		{"a preamble and an epilogue", writing{boundary: "f", around: "If you can read this.\r\n"}, nil},
		{"Unicode for other charsets", writing{boundary: "g", transfer: "base64"}, func(n *node) {
			for _, l := range n.leaves() {
				if charset := l.params["charset"]; charset != "" && !strings.EqualFold(charset, "us-ascii") && l.isText() {
					e, err := htmlindex.Get(charset)
					if err != nil {
						continue
					}
					l.content, _ = e.NewDecoder().Bytes(l.content)
					l.params["charset"] = "UTF-8"
					l.set("Content-Type", mime.FormatMediaType(l.mediaType, l.params))
				}
			}
		}},
		{"blanks at the ends of lines and of text", writing{boundary: "h", transfer: "base64"}, func(n *node) {
			for _, l := range n.leaves() {
				if l.isText() && !strings.EqualFold(l.params["charset"], "utf-16") {
					l.content = append(bytes.ReplaceAll(l.content, []byte("\r\n"), []byte(" \t\r\n")), " \r\n\r\n"...)
				}
			}
		}},
		{"words of a header in another encoding", writing{boundary: "i"}, func(n *node) {
			words := mime.WordDecoder{CharsetReader: charsetReader}
			if s, err := words.DecodeHeader(n.get("Subject")); err == nil && n.get("Subject") != "" {
				n.set("Subject", mime.QEncoding.Encode("utf-8", s))
			}
			for _, name := range []string{"From", "Sender", "To", "Cc", "Bcc", "Reply-To"} {
				list, err := (&mail.AddressParser{WordDecoder: &words}).ParseList(n.get(name))
				if err != nil || len(list) == 0 {
					continue
				}
				var anew []string
				for _, a := range list {
					anew = append(anew, a.String())
				}
				n.set(name, strings.Join(anew, ",\t"))
			}
		}},
		{"names of attachments in another encoding", writing{boundary: "j"}, func(n *node) {
			for _, l := range n.leaves() {
				if name := l.fileName(); l.named() {
					delete(l.params, "name")
					l.set("Content-Type", mime.FormatMediaType(l.mediaType, l.params))
					l.set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
				}
			}
		}},
	}
}

func charsetReader(charset string, r io.Reader) (io.Reader, error) {
	e, err := htmlindex.Get(charset)
	if err != nil {
		return nil, err
	}
	return e.NewDecoder().Reader(r), nil
}

func (n *node) changed(change func(*node)) {
	for _, l := range n.leaves() {
		if l.enclosed != nil {
			l.enclosed.changed(change)
		}
	}
	if change != nil {
		change(n)
	}
}

func TestARewrittenMessageHasTheSameForm(t *testing.T) {
	wellFormed := 0
	each(t, func(t *testing.T, octets []byte) {
		for _, r := range octetRewrites() {
			same(t, r.name, octets, r.rewrite(octets))
		}
		if _, err := parse(octets); err != nil {
			return
		}
		wellFormed++
		for _, r := range treeRewrites() {
			n, err := parse(octets)
			if err != nil {
				t.Fatal(err)
			}
			n.changed(r.change)
			same(t, r.name, octets, r.way.bytes(n))
		}
	})
	if wellFormed < 25 {
		t.Errorf("only %d well-formed messages", wellFormed)
	}
}
