package transform

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

var received = time.Date(2009, 7, 3, 14, 15, 16, 0, time.UTC)

// crlf writes LF in a test as CRLF.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func changed(t *testing.T, message string, names ...string) string {
	t.Helper()
	b, err := io.ReadAll(Reader(names, received, strings.NewReader(message)))
	if err != nil {
		t.Fatal(err)
	}
	again, err := io.ReadAll(Reader(names, received, iotest.OneByteReader(strings.NewReader(message))))
	if err != nil || !bytes.Equal(b, again) {
		t.Errorf("read octet by octet it becomes %q, error %v, else %q", again, err, b)
	}
	return string(b)
}

// needs returns the keys of what a message needs.
func needs(t *testing.T, message string) string {
	t.Helper()
	d, err := Scan(received, strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, n := range d.needs {
		keys = append(keys, n.Key)
	}
	return strings.Join(keys, " ")
}

const sound = "From: Ann <ann@example.org>\nDate: Fri, 03 Jul 2009 14:15:16 +0000\nMessage-ID: <1@example.org>\n"

// large is text of which the end is beyond what is looked at.
var large = strings.Repeat("0123456789abcde\n", maxStart/15)

// mended are messages, what they need, and what they become by it. In a want, ~
// stands for X-Mailhaul-Original-.
var mended = []struct{ name, message, needs, want string }{
	{"sound", crlf(sound + "\nbody\n"), "", crlf(sound + "\nbody\n")},
	{"nothing", "", "from missing_message_id date", crlf("Date: Fri, 03 Jul 2009 14:15:16 +0000\nMessage-ID: <1b9eda1d49a453ef190fc51ff48828e6@mailhaul.invalid>\nFrom: unknown sender <unknown@mailhaul.invalid>\n")},

	{"a Date that is none", crlf("From: ann@example.org\nMessage-ID: <1@example.org>\nDATE : when\n we met\n\nDate: body\n"), "date",
		crlf("Date: Fri, 03 Jul 2009 14:15:16 +0000\nFrom: ann@example.org\nMessage-ID: <1@example.org>\n~DATE : when\n we met\n\nDate: body\n")},
	{"two Dates, one is none", crlf(sound + "Date: x\n\nbody\n"), "date",
		crlf("Date: Fri, 03 Jul 2009 14:15:16 +0000\nFrom: Ann <ann@example.org>\n~Date: Fri, 03 Jul 2009 14:15:16 +0000\nMessage-ID: <1@example.org>\n~Date: x\n\nbody\n")},
	{"no Date in a header that is none", crlf("From: ann@example.org\nMessage-ID: <1@example.org>\nnothing\n\nbody\n"), "",
		crlf("From: ann@example.org\nMessage-ID: <1@example.org>\nnothing\n\nbody\n")},

	{"no From", crlf("Date: Fri, 03 Jul 2009 14:15:16 +0000\nMessage-ID: <1@example.org>\n\nbody"), "from",
		crlf("From: unknown sender <unknown@mailhaul.invalid>\nDate: Fri, 03 Jul 2009 14:15:16 +0000\nMessage-ID: <1@example.org>\n\nbody")},
	{"no From, but a Sender", crlf("Return-Path: <>\nSender: Bob <bob@example.org>\n" + sound[28:] + "\nbody"), "from",
		crlf("From: \"Bob\" <bob@example.org>\nReturn-Path: <>\nSender: Bob <bob@example.org>\n" + sound[28:] + "\nbody")},
	{"two Froms", crlf("From: nobody\nFrom: =?utf-8?q?J=C3=B6rg?= <bob@example.org>\n" + sound[28:] + "\nbody"), "from",
		crlf("From: =?utf-8?q?J=C3=B6rg?= <bob@example.org>\n~From: nobody\n~From: =?utf-8?q?J=C3=B6rg?= <bob@example.org>\n" + sound[28:] + "\nbody")},
	{"two addresses in From", crlf("From: ann@example.org,\n bob@example.org\n" + sound[28:] + "\nbody"), "from",
		crlf("From: <ann@example.org>\n~From: ann@example.org,\n bob@example.org\n" + sound[28:] + "\nbody")},
	{"no address in From", crlf("From: (unknown sender)\n" + sound[28:] + "\nbody"), "from",
		crlf("From: unknown sender <unknown@mailhaul.invalid>\n~From: (unknown sender)\n" + sound[28:] + "\nbody")},
	{"an address that breaks out of From", crlf("From: \"a\n b\" bob@example.org>, x\n" + sound[28:] + "\nbody"), "from",
		crlf("From: <bob@example.org>\n~From: \"a\n b\" bob@example.org>, x\n" + sound[28:] + "\nbody")},

	{"a Message-ID without brackets", crlf("MESSAGE-ID: 1@example.org\n" + sound[:66] + "\nbody"), "message_id",
		crlf("Message-ID: <1@example.org>\n~MESSAGE-ID: 1@example.org\n" + sound[:66] + "\nbody")},
	{"an empty Message-ID", crlf("Message-ID: \n" + sound[:66] + "\nbody"), "missing_message_id",
		crlf("Message-ID: <75a0e085ad15c6df1f7e40ac3b80679f@mailhaul.invalid>\n~Message-ID: \n" + sound[:66] + "\nbody")},

	{"LF alone", sound + "\nbody\n\nend\n", "line_ends", crlf(sound + "\nbody\n\nend\n")},
	{"CR alone", crlf(sound+"\n") + "body\r\rend\r", "line_ends", crlf(sound + "\nbody\n\nend\n")},
	{"CR twice", crlf(sound+"\n") + "body\r\r\nend\r\r\n", "line_ends", crlf(sound + "\nbody\nend\n")},
	{"one LF in a field", crlf(sound) + "X: y\n\r\nbody", "line_ends", crlf(sound + "X: y\n\nbody")},

	{"an octet 0", crlf(sound + "Subject: a\x00b\n\nbo\x00dy\x00\n"), "nul", crlf(sound + "Subject: ab\n\nbody\n")},
	{"a binary file with octets of all kinds", crlf(sound+"Content-Type: application/x\nContent-Transfer-Encoding: binary\n\n") + "a\x00\n\rb", "nul line_ends",
		crlf("Content-Transfer-Encoding: base64\n" + sound + "Content-Type: application/x\n~Content-Transfer-Encoding: binary\n\nYQAKDWI=")},

	{"long text", crlf(sound + "\nshort\n" + strings.Repeat("é", 30) + strings.Repeat("x", 1000) + "\n"), "long_lines",
		crlf("Content-Transfer-Encoding: quoted-printable\n" + sound + "\nshort\n" + quoted(strings.Repeat("é", 30)+strings.Repeat("x", 1000)+"\n"))},
	{"a long line of base64", crlf(sound + "Content-Transfer-Encoding: base64\n\n" + strings.Repeat("YWJj", 250) + "\n"), "long_lines",
		crlf(sound + "Content-Transfer-Encoding: base64\n\n" + strings.Repeat("YWJj", 19) + "\n" + strings.Repeat("YWJj", 231) + "\n")},
	{"a long line of quoted-printable", crlf(sound + "Content-Transfer-Encoding: quoted-printable\n\n" + strings.Repeat("=3D", 350) + "\n"), "long_lines",
		crlf(sound + "Content-Transfer-Encoding: quoted-printable\n\n" + strings.Repeat("=3D", 25) + "=\n" + strings.Repeat("=3D", 325) + "\n")},
	{"a long file in a multipart", crlf(sound + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Type: application/x\n\n" + strings.Repeat("x", 1000) + "\n--b--\nend\n"), "long_lines",
		crlf(sound + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Transfer-Encoding: base64\nContent-Type: application/x\n\n" + wrapped(strings.Repeat("x", 1000)) + "\n--b--\nend\n")},
	{"a long field", crlf(sound + "To: " + strings.Repeat("bob@example.org, ", 70) + "eve@example.org\n\nbody"), "long_lines",
		crlf(sound + "To:" + strings.Repeat(strings.Repeat(" bob@example.org,", 4)+"\n", 17) + strings.Repeat(" bob@example.org,", 2) + " eve@example.org\n\nbody")},
	{"a long word in a field", crlf(sound + "X: " + strings.Repeat("x", 1000) + "\n\nbody"), "long_lines",
		crlf(sound + "X:\n " + strings.Repeat("x", 899) + "\n " + strings.Repeat("x", 101) + "\n\nbody")},

	{"8-bit text in a field", crlf(sound + "Subject: Grüße aus Köln am Rhein\n\nbody"), "header_8bit",
		crlf(sound + "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= aus =?utf-8?q?K=C3=B6ln?= am Rhein\n\nbody")},
	{"8-bit words in a row", crlf(sound + "Subject: Grüße Köln\n\nbody"), "header_8bit", crlf(sound + "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe_K=C3=B6ln?=\n\nbody")},
	{"an unknown charset in a field", crlf(sound + "Subject: Gr\xfc\xdfe =?utf-8?q?x?= \xfc\n\nbody"), "header_8bit",
		crlf(sound + "Subject: =?windows-1252?q?Gr=FC=DFe?= =?utf-8?q?x?= =?windows-1252?q?_=FC?=\n\nbody")},
	{"8-bit names", crlf(sound + "To: \"Müller, Jörg\" <m@example.org>, Zoë Ö. <z@example.org> (für uns),\n ö@example.org\n\nbody"), "header_8bit",
		crlf(sound + "To: =?utf-8?q?M=C3=BCller=2C_J=C3=B6rg?= <m@example.org>,\n =?utf-8?q?Zo=C3=AB_=C3=96=2E?= <z@example.org> (=?utf-8?q?f=C3=BCr?= uns),\n ö@example.org\n\nbody")},
	{"an 8-bit file name", crlf(sound + "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: attachment; filename=\"Grüße 1.pdf\"; size=3\n\nx\n--b--\n"), "header_8bit",
		crlf(sound + "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe%201.pdf;\n size=3\n\nx\n--b--\n")},
	{"an 8-bit Message-ID", crlf("Message-ID: <ü@example.org>\n" + sound[:66] + "\nbody"), "", crlf("Message-ID: <ü@example.org>\n" + sound[:66] + "\nbody")},

	{"a Content-Type that is none", crlf(sound + "Content-Type: text; what\n\nbody"), "content_type",
		crlf("Content-Type: text/plain\n" + sound + "~Content-Type: text; what\n\nbody")},
	{"a multipart in a Content-Type that does not parse", crlf(sound + "Content-Type: multipart/mixed; boundary=a b; boundary=a b\n\n--a\nContent-Type: application; name=x.pdf\n\nx\n--a--\n"), "content_type",
		crlf("Content-Type: multipart/mixed; boundary=a\n" + sound + "~Content-Type: multipart/mixed; boundary=a b; boundary=a b\n\n--a\nContent-Type: application/octet-stream; name=x.pdf\n~Content-Type: application; name=x.pdf\n\nx\n--a--\n")},
	{"two Content-Types", crlf(sound + "Content-Type: text\nContent-Type: text/html; charset=utf-8\n\nbody"), "content_type",
		crlf("Content-Type: text/html; charset=utf-8\n" + sound + "~Content-Type: text\n~Content-Type: text/html; charset=utf-8\n\nbody")},

	{"an unknown charset", crlf(sound + "Content-Type: text/html; charset=x-nobody; format=flowed\n\nbödy"), "charset",
		crlf("Content-Type: text/html; charset=utf-8; format=flowed\n" + sound + "~Content-Type: text/html; charset=x-nobody; format=flowed\n\nbödy")},
	{"an unknown charset of encoded text", crlf(sound + "Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset=\"x nobody\"\n\nb=F6dy"), "charset",
		crlf("Content-Type: text/plain; charset=windows-1252\n" + sound + "Content-Transfer-Encoding: quoted-printable\n~Content-Type: text/plain; charset=\"x nobody\"\n\nb=F6dy")},
	{"an unknown charset of ASCII", crlf(sound + "Content-Transfer-Encoding: base64\nContent-Type: text/plain; charset=x-nobody\n\nYm9k"), "charset",
		crlf("Content-Type: text/plain; charset=us-ascii\n" + sound + "Content-Transfer-Encoding: base64\n~Content-Type: text/plain; charset=x-nobody\n\nYm9k")},

	{"an encoded message within", crlf(sound + "Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\nContent-Type: text/plain; charset=x-nobody\n\nbody"), "",
		crlf(sound + "Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\nContent-Type: text/plain; charset=x-nobody\n\nbody")},
	{"8 bits in angle brackets", crlf(sound + "To: <ö b@example.org>\n\nbody"), "", crlf(sound + "To: <ö b@example.org>\n\nbody")},

	{"a large text with a long line at its end", crlf(sound + "\n" + large + strings.Repeat("x", 1000) + "\n"), "long_lines",
		crlf("Content-Transfer-Encoding: quoted-printable\n" + sound + "\n" + large + quoted(strings.Repeat("x", 1000)+"\n"))},
	{"a large file with an octet 0 at its end", crlf(sound+"Content-Type: a/b\nContent-Transfer-Encoding: binary\n\n"+large) + "\x00", "nul",
		crlf("Content-Transfer-Encoding: base64\n" + sound + "Content-Type: a/b\n~Content-Transfer-Encoding: binary\n\n" + wrapped(crlf(large)+"\x00"))},

	{"requests for receipts", crlf(sound + "disposition-notification-TO: ann@example.org\nReturn-Receipt-To: x\nX-Confirm-Reading-To: x\n\nbody"), "receipt",
		crlf(sound + "~disposition-notification-TO: ann@example.org\n~Return-Receipt-To: x\n~X-Confirm-Reading-To: x\n\nbody")},
}

func TestEachDefectIsFoundAndMended(t *testing.T) {
	for _, test := range mended {
		if got := needs(t, test.message); got != test.needs {
			t.Errorf("%s: it needs %q, want %q", test.name, got, test.needs)
		}
		var names []string
		for _, tr := range All() {
			if strings.Contains(" "+test.needs+" ", " "+tr.Key+" ") {
				names = append(names, tr.Note)
			}
		}
		if got, want := changed(t, test.message, names...), strings.ReplaceAll(test.want, "~", original); got != want {
			t.Errorf("%s: it becomes\n%q, want\n%q", test.name, got, want)
		}
	}
}

func quoted(s string) string {
	var b strings.Builder
	w := quotedprintable.NewWriter(&b)
	io.WriteString(w, s)
	w.Close()
	return strings.ReplaceAll(b.String(), "\r\n", "\n")
}

func wrapped(s string) (out string) {
	s = base64.StdEncoding.EncodeToString([]byte(s))
	for ; len(s) > 76; s = s[76:] {
		out += s[:76] + "\n"
	}
	return out + s
}

func TestReaderLeavesAloneWhatIsInOrder(t *testing.T) {
	names := []string{}
	for _, tr := range All() {
		if tr.Key != receipt.Key {
			names = append(names, tr.Note)
		}
	}
	for _, m := range []string{
		crlf(sound + "\nbody\n"),
		crlf(sound + "Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n\n--b\nContent-Type: message/rfc822\n\n" + sound + "\nbody\n--b\n--b--\nepilogue\n--b\nmore\n"),
		crlf(sound + "Content-Type: multipart/digest; boundary=b\n\n--b\n\n" + sound + "Content-Type: multipart/mixed; boundary=c\n\n--c\nX: y\n\nx\n--b\n\n" + sound + "\n--b--"),
		crlf(sound + "Content-Type: multipart/mixed; boundary=b\n\n--b\nX: y\n--b--"),
		crlf(sound + "Content-Type: multipart/mixed; boundary=b\n\nno parts"),
		crlf(sound + "Content-Type: multipart/mixed; boundary=\"\"\n\n--\nx\n----\n"),
		crlf(sound + "Content-Type: message/rfc822\n"),
		crlf(sound),
	} {
		if got := changed(t, m, names...); got != m {
			t.Errorf("%q becomes\n%q", m, got)
		}
	}
}

func TestReaderPassesOverTheNotesOfTargets(t *testing.T) {
	const m = "Subject: x\r\n\r\nbody"
	if got := changed(t, m, "flags-dropped", NoteSigned, "inserted"); got != m {
		t.Errorf("it becomes %q", got)
	}
}

func TestErrorsOfReadingAreKept(t *testing.T) {
	for _, tr := range All() {
		for _, m := range []string{"Subject: x", "Subject: x\r\n\r\nbody"} {
			r := io.MultiReader(strings.NewReader(m), iotest.ErrReader(io.ErrNoProgress))
			if _, err := io.ReadAll(Reader([]string{tr.Note}, received, r)); err != io.ErrNoProgress {
				t.Errorf("%s: error %v", tr.Key, err)
			}
		}
	}
	if _, err := Scan(received, iotest.ErrReader(io.ErrNoProgress)); err != io.ErrNoProgress {
		t.Errorf("Scan: error %v", err)
	}
}

func TestOctetsAreWatchedInAnyPieces(t *testing.T) {
	for text, want := range map[string]octets{
		"a\r\nb":                              {},
		"a\rb":                                {bare: true},
		"a\r":                                 {bare: true},
		"a\nb":                                {bare: true},
		"\x00":                                {nul: true},
		strings.Repeat("x", maxLine) + "\r\n": {},
		strings.Repeat("x", maxLine+1):        {long: true},
	} {
		for _, size := range []int{1, 2, 5000} {
			var o octets
			for rest := text; rest != ""; {
				n := min(size, len(rest))
				o.Write([]byte(rest[:n]))
				rest = rest[n:]
			}
			if o.end(); o.nul != want.nul || o.bare != want.bare || o.long != want.long {
				t.Errorf("%.20q in pieces of %d: %+v", text, size, o)
			}
		}
	}
}

func TestACharsetIsGuessedFromWholeCharacters(t *testing.T) {
	for _, start := range []string{"", "x"} { // one of them has a character in two where the guess is made
		m := crlf(sound + "Content-Type: text/plain; charset=x-nobody\n\n" + start + strings.Repeat("é", maxStart) + "\n")
		if got := changed(t, m, charsetLabel.Note); !strings.HasPrefix(got, "Content-Type: text/plain; charset=utf-8\r\n") {
			t.Errorf("%q: it becomes %.60q", start, got)
		}
	}
}
