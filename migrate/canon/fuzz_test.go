package canon

import (
	"bytes"
	"mime"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/mailhaul/mailhaul/migrate/migratetest"
)

// FuzzSum checks that there is a form of everything, that it does not depend on
// how a message is read, and that it is equal to itself.
func FuzzSum(f *testing.F) {
	for _, k := range migratetest.Kinds()[1:] { // a huge one is of no use
		if octets := migratetest.MakeKind(k, 1).Octets; len(octets) < 20_000 {
			f.Add(octets)
		}
	}
	for _, octets := range corpus(f) {
		f.Add(octets)
	}
	for _, s := range []string{
		"", "\n", "\r", "\r\n", ":", " a", "a:\n b", "From a\n\n", "Content-Type: multipart/a; boundary=a\n\n--a", "Content-Type: multipart/a; boundary=a\n\n--a\n\r\n--a--",
		"Content-Type: multipart/a; boundary=a\n\n\n--", "Content-Type: multipart/a; boundary=a\n\n--a\n\nx\r\n-", "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDog\nYQ0KDQpi",
		"Content-Transfer-Encoding: quoted-printable\n\n=\n=4\n=4=41 \t\r\n= \r\n \r", "Content-Transfer-Encoding: base64\n\nQQ==QUI=QUJD*Q", "Content-Type: text/plain; charset=utf-16\n\n\xff\xfea\x00\x00\xd8",
		"Content-Type: text/csv; name=a\n\na\rb\r\r\nc\r",
		"Content-Type: text/plain; charset=iso-2022-jp\n\n\x1b$B$3\x1b(B\x1b", "Content-Type: text/plain; charset=utf-8\n\n\xf0\x9f\x98\xef\xbf\xbd\xff \xf0",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, octets []byte) {
		form, err := Sum(bytes.NewReader(octets))
		if err != nil {
			t.Fatal(err)
		}
		if ds := Compare(form, form); ds != nil {
			t.Errorf("different from itself: %v", ds)
		}
		slowly, err := Sum(iotest.DataErrReader(iotest.OneByteReader(bytes.NewReader(octets))))
		if err != nil {
			t.Fatal(err)
		}
		if ds := Compare(form, slowly); ds != nil || form.Content() != slowly.Content() {
			t.Errorf("read octet by octet it is different: %v", ds)
		}
		if ds := Compare(form, sum(t, "\r\n")); ds == nil && slices.ContainsFunc(form.parts, func(p part) bool { return p.some }) {
			t.Errorf("no different from an empty message")
		}
	})
}

// FuzzDate checks that what net/mail reads is read alike.
func FuzzDate(f *testing.F) {
	for _, s := range []string{
		"Mon, 2 Apr 2012 09:00:00 +0200", "2 Apr 2012 09:00 -0000", "Fri, 21 Nov 97 09:55:06 EST", "Thu, 20 Nov 1997 09:55:06 MDT (MDT)",
		"Mon, 02 Apr 2012 09:00:60 GMT", "Tue, 1 Jul 2003 10:52:37 UT", "1 Jan 69 00:00 Z", "31 Feb 2012 00:00 +0000", "1 Jan 2012 24:00 +0000",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, err := mail.ParseDate(s)
		// Of other years and zones they have ways of their own.
		if err != nil || !regexp.MustCompile(`\s(19|20)\d\d\s[\d:]+\s[+-]\d{4}$`).MatchString(s) {
			return
		}
		if got, ok := ParseDate(s); !ok || !got.Equal(want) {
			t.Errorf("%q: %v (%v), want %v", s, got, ok, want)
		}
	})
}

// FuzzAddresses checks that lists that net/mail reads are read alike.
func FuzzAddresses(f *testing.F) {
	for _, s := range []string{
		"a@b.example", "Ann <a@b.example>, \"B, C\" <b@b.example>", "G: a@b.example, c@d.example;, e@f.example", "a@b.example (Ann)", "(x) Ann (y) <a@b.example> (z)",
		"=?utf-8?q?J=C3=B6rg?= <j@b.example>", "\"a b\"@c.example", "a @ b . example", "<@x.example,@y.example:a@b.example>", "a@[192.0.2.1]", "J. R. <j@B.Example>", "undisclosed-recipients:;",
		"\"a\\\"b\\\\c\" <a@b.example>", "=?iso-8859-1?q?a_?= =?iso-8859-1?q?b?= <a@b>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list, err := mail.ParseAddressList(s)
		if err != nil || strings.Contains(strings.ReplaceAll(s, "=?utf-8?q?", ""), "=?") { // it knows few charsets
			return
		}
		var want strings.Builder
		for _, a := range list {
			name, addr := phrase(a.Name), clean(strings.Join(strings.Fields(a.Address), ""))
			at := strings.LastIndexByte(addr, '@')
			addr = addr[:at] + strings.ToLower(addr[at:])
			if strings.EqualFold(name, addr) {
				name = ""
			}
			want.WriteString(name + "\x00" + addr + "\n")
		}
		if got, n := addresses(readable(s)); got != want.String() || n != int64(len(list)) {
			t.Errorf("%q: %d addresses %q, want %d %q", s, n, got, len(list), want.String())
		}
	})
}

// FuzzParams checks that parameters that package mime reads are read alike.
func FuzzParams(f *testing.F) {
	for _, s := range []string{
		"text/plain", "a/b; name=c", `a/b; name="c;d\"e\\f"`, "a/b; name*=utf-8'en'%c3%a4%20b", "a/b; name*0=a; name*1=b", "a/b; name*0*=utf-8''a%20; name*1=b; name*2*=%20", " A/B ;NAME = c ; x=y",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		value, want, err := mime.ParseMediaType(s)
		if err != nil || value == "" {
			return
		}
		got, ps := parseParams(s)
		if got != value {
			t.Errorf("%q: %q, want %q", s, got, value)
		}
		for name, text := range want {
			if name == "" || text == "" || !utf8.ValidString(text) || !sound(ps.extended[name]) { // it drops what it cannot decode
				continue
			}
			if got := ps.text(name); got != phrase(text) {
				t.Errorf("%q: %s is %q, want %q", s, name, got, text)
			}
		}
	})
}

// sound says whether segments are as RFC 2231 says.
func sound(segments []segment) bool {
	for i, s := range segments {
		if s.number != i || !regexp.MustCompile(`^([^%]|%[0-9A-Fa-f]{2})*$`).MatchString(s.text) || i == 0 && s.coded && !strings.HasPrefix(s.text, "utf-8'") {
			return false
		}
	}
	return true
}
