package graph

import (
	"bytes"
	"strings"
	"testing"
)

func TestDamagedMIMEIsTheSameOnlyLineByLine(t *testing.T) {
	print := func(s string) fingerprint {
		p, err := printOf(bytes.NewReader([]byte(crlf(s))))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	const (
		header = "Subject: s\nMessage-ID: <a@example.com>\n"
		none   = header + "Content-Type: multipart/mixed; boundary=a\n\n--a--\n"
		lost   = header + "Content-Type: multipart/mixed; boundary=a\n\nin no part\n--a--\n"
		short  = header + "Content-Type: multipart/mixed; boundary=a\n\n--a\n\ntext\n"
		whole  = header + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b--\n"
		folded = header + "Content-Type: multipart/mixed;\n boundary=a\n\n--a\n\ntext\n"
	)
	for _, test := range []struct {
		a, b string
		want likeness
	}{
		{none, none, same},
		{none, lost, similar},
		{short, folded, same},
		{short, strings.NewReplacer("=a", "=c", "--a", "--c").Replace(short), same},
		{short, header + "Content-Type: multipart/mixed; boundary=a\n\npreamble\n--a\n\ntext\n", similar},
		{whole, strings.NewReplacer("=b", "=c", "--b", "--c").Replace(whole), same},
		{whole, strings.Replace(whole, "text", "other", 1), different},
	} {
		if got := print(test.a).compare(print(test.b)); got != test.want {
			t.Errorf("%q and %q: %v, want %v", test.a, test.b, got, test.want)
		}
	}
}
