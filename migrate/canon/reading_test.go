package canon

import (
	"crypto/sha256"
	"strings"
	"testing"
)

// A pair of messages is one message to its readers, or is not.
type pair struct{ a, b string }

func checkPairs(t *testing.T, pairs []pair, same bool) {
	t.Helper()
	for _, p := range pairs {
		a, b := sum(t, p.a), sum(t, p.b)
		ds := Compare(a, b)
		if (len(ds) == 0) != same || (a.Content() == b.Content()) != same {
			t.Errorf("%q and %q: %v, content equal: %v", p.a, p.b, ds, a.Content() == b.Content())
		}
	}
}

func fields(name string, values ...string) (pairs []pair) {
	for i := 0; i < len(values); i += 2 {
		pairs = append(pairs, pair{name + ": " + values[i] + "\r\n\r\n", name + ": " + values[i+1] + "\r\n\r\n"})
	}
	return pairs
}

func TestAddressesAreReadAsPeopleDo(t *testing.T) {
	checkPairs(t, fields("To",
		"ann@b.example", "<ann@B.Example>",
		"Ann <ann@b.example>", `"Ann" <ann@b.example>`,
		"Ann <ann@b.example>", "=?utf-8?B?QW5u?= <ann@b.example>",
		"Ann <ann@b.example>", "ann@b.example (Ann)",
		"Jörg <j@b.example>", "=?iso-8859-1?q?J=F6rg?= <j@b.example>",
		"J\xf6rg <j@b.example>", "=?utf-8?q?J=C3=B6rg?= <j@b.example>",
		`"Berg, Ann" <ann@b.example>`, `Berg\, Ann <ann@b.example>`,
		`"Ann \"A\" Berg" <ann@b.example>`, "=?utf-8?q?Ann_=22A=22_Berg?= <ann@b.example>",
		"a@b.example,,c@d.example", "a@b.example,\r\n\tc@d.example,",
		"a@b.example; c@d.example", "a@b.example, c@d.example",
		"Team: a@b.example, c@d.example;", "a@b.example, c@d.example",
		"undisclosed-recipients:;", "",
		"ann@b.example <ann@b.example>", "ann@b.example",
		"<@x.example,@y.example:ann@b.example>", "ann@b.example",
		"ann @ b . example", "ann@b.example",
		"ann@[IPv6:2001:db8::1]", "<ann@[IPv6:2001:db8::1]>",
		"Ann (at home (now)) <ann@b.example>", "Ann <ann@b.example>",
		"Ann <ann@b.example", "Ann <ann@b.example>",
		"=?utf-8?q?A?= =?utf-8?q?nn?= <ann@b.example>", "Ann <ann@b.example>",
		"=?utf-8?q?J=C3?= =?utf-8?q?=B6rg?= <j@b.example>", "Jörg <j@b.example>",
		"=?utf-8*en?Q?Ann?= <ann@b.example>", "Ann <ann@b.example>",
	), true)
	checkPairs(t, fields("To",
		"ann@b.example", "Ann@b.example",
		"ann@b.example", "ann@b.example.org",
		"Ann <ann@b.example>", "Anne <ann@b.example>",
		"Ann <ann@b.example>", "<ann@b.example>",
		"a@b.example, c@d.example", "c@d.example, a@b.example",
		"MAILER-DAEMON", "postmaster",
		"Ann (at home <ann@b.example>", "Ann (at work <ann@b.example>",
		"Ann \"at home <ann@b.example>", "Ann \"at work <ann@b.example>",
		"a <b@c.example> <d@e.example>", "a <x@c.example> <d@e.example>",
	), false)
	checkPairs(t, []pair{
		{"To: a@b.example\r\nTo: c@d.example\r\n\r\n", "To: a@b.example, c@d.example\r\n\r\n"},
		{"From: a@b.example\r\nSender: A <a@b.example>\r\n\r\n", "From: a@b.example\r\n\r\n"},
		{"Sender: A <a@b.example>\r\n\r\n", "From: A <a@b.example>\r\n\r\n"},
	}, true)
	checkPairs(t, []pair{
		{"To: a@b.example\r\n\r\n", "Cc: a@b.example\r\n\r\n"},
		{"Cc: a@b.example\r\n\r\n", "Bcc: a@b.example\r\n\r\n"},
		{"From: a@b.example\r\nSender: c@b.example\r\n\r\n", "From: a@b.example\r\n\r\n"},
		{"From: a@b.example\r\nFrom: c@b.example\r\n\r\n", "From: a@b.example\r\n\r\n"},
	}, false)
}

func TestOtherFieldsAreReadAsPeopleDo(t *testing.T) {
	checkPairs(t, fields("Date",
		"Mon, 2 Apr 2012 09:00:00 +0200", "02 Apr 12 07:00 GMT",
		"Mon, 2 Apr 2012 09:00:00 +0200 (CEST)", "Mon , 2 (the 2nd) Apr 2012 03:00:00 EDT",
		"Sun, 2 April 2012 09:00:00 +0200", "Mon, 2 Apr 112 07:00:00 UT",
		"Thursday the 31st", "Thursday  the\r\n 31st",
		"31 Feb 2012 10:00:00 +0000", "31 Feb  2012 10:00:00 +0000",
	), true)
	checkPairs(t, fields("Date",
		"Mon, 2 Apr 2012 09:00:00 +0200", "Mon, 2 Apr 2012 09:00:01 +0200",
		"Mon, 2 Apr 2012 09:00:00 +0200", "Mon, 2 Apr 2012 09:00:00 +0230",
		"Thursday the 31st", "Thursday the 30th",
		"31 Feb 2012 10:00:00 +0000", "2 Mar 2012 10:00:00 +0000",
	), false)
	checkPairs(t, fields("Subject",
		"Größe", "=?utf-8?B?R3LDtsOfZQ?=",
		"Gr\xf6\xdfe", "=?ISO-8859-1?Q?Gr=F6=DFe?=",
		"a  b\r\n\tc ", "a b c",
		"a\x00b\x07", "ab",
		"a =?utf-8?q?b?= c", "a b c",
		"a =?utf-8?q?b?=\r\n =?utf-8?q?_c?=", "a b c",
		"=?utf-8?q?100_=80?=", "100 \uFFFD",
		"=?x-none?q?caf=C3=A9?=", "café",
		"=?iso-2022-jp?B?GyRCJDMbKEI=?=", "こ",
	), true)
	checkPairs(t, fields("Subject",
		"Größe", "Größer",
		"a b", "ab",
		"=?utf-8?x?b?=", "b",
		"=?utf-8?q?b", "b",
		"=?x-none?q?=E4?=", "=?x-none?q?=F6?=",
	), false)
	checkPairs(t, fields("References",
		"<1@x> <2@x>", "<1@x>\r\n\t<2@x>",
		"<1@x><2@x>", "<1@x> <2@x>",
	), true)
	checkPairs(t, fields("References", "<1@x> <2@x>", "<2@x> <1@x>", "<1@x>", "<1@X>"), false)
	checkPairs(t, []pair{{"subject : a\r\n\r\n", "Subject: a\r\nSubject: b\r\n\r\n"}}, true)
}

func TestTextIsReadAsPeopleDo(t *testing.T) {
	plain := func(charset, encoding, text string) string {
		return "Content-Type: text/plain; charset=" + charset + "\r\nContent-Transfer-Encoding: " + encoding + "\r\n\r\n" + text
	}
	checkPairs(t, []pair{
		{"\r\nHello\r\nyou\r\n", "\nHello\nyou"},
		{"\r\nHello\r\n", "\r\nHello \t\r\n \r\n\r\n"},
		{"\r\nHello\r\n", "\r\nHello\r"},
		{"\r\nHe\x00l\x1blo\x7f\r\n", "\r\nHello\r\n"},
		{plain("utf-8", "8bit", "Größe"), plain("iso-8859-1", "8bit", "Gr\xf6\xdfe")},
		{plain("utf-8", "8bit", "Größe"), plain("ISO-8859-1", "Quoted-Printable", "Gr=F6=df=\r\ne  \r\n")},
		{plain("utf-8", "8bit", "Größe"), plain("utf-8", "base64", "R3L\r\nDtsOf\r\nZQ==\r\n")},
		{plain("utf-8", "8bit", "Größe"), plain("us-ascii", "8bit", "Größe")},
		{plain("utf-8", "8bit", "Größe"), plain("us-ascii", "8bit", "Gr\xf6\xdfe")},
		{plain("utf-8", "8bit", "Größe"), plain("x-none", "8bit", "Gr\xf6\xdfe")},
		{plain("utf-8", "8bit", "Größe"), plain("hz-gb-2312", "8bit", "Gr\xf6\xdfe")},
		{plain("utf-8", "8bit", "Größe"), plain(`"utf-8" `, "8BIT", "\uFEFFGröße")},
		{plain("utf-8", "8bit", "“"), plain("iso-8859-1", "8bit", "\x93")},
		{plain("utf-8", "8bit", "“"), plain("utf-8", "8bit", "\u0093")},
		{plain("utf-8", "8bit", "a\uFFFDb"), plain("utf-8", "8bit", "a\xff\xfeb")},
		{plain("utf-8", "8bit", "こ"), plain("iso-2022-jp", "7bit", "\x1b$B$3\x1b(B")},
		{plain("utf-8", "8bit", "ab"), plain("utf-16", "base64", "//5hAGIA")},
		{plain("utf-8", "8bit", "ab"), plain("utf-16", "base64", "AGEAYg==")},
		{plain("utf-8", "8bit", "a b"), plain("utf-8", "quoted-printable", "a=20=\t\r\nb=")},
		{plain("utf-8", "8bit", "=4 =XY"), plain("utf-8", "quoted-printable", "=4 =XY")},
		{plain("utf-8", "base64", "QQ==QUI="), plain("utf-8", "8bit", "AAB")},
		{"Content-Type: text/plain\r\n\r\na", "Content-Type: nonsense\r\n\r\na"},
	}, true)
	checkPairs(t, []pair{
		{"\r\nHello you", "\r\nHello  you"},
		{"\r\nHello you", "\r\nHello\r\nyou"},
		{"\r\nHello", "\r\n Hello"},
		{"\r\na\r\n\r\nb", "\r\na\r\nb"},
		{"Hello", "Hallo"},
		{"Hello\r\n\r\n", "Hallo\r\n\r\n"},
		{" Hello\r\n\r\n", " Hallo\r\n\r\n"},
		{"X-A: 1\rSubject: a\r\rHello", "X-A: 1\rSubject: a\r\rHallo"},
		{plain("utf-8", "8bit", "Größe"), plain("utf-8", "8bit", "Grösse")},
		{plain("us-ascii", "8bit", "Gr\xf6\xdfe"), plain("us-ascii", "8bit", "Gr\xe4\xdfe")},
		{plain("utf-8", "base64", "QUJD"), plain("utf-8", "base64", "QUJE")},
		{plain("utf-8", "base64", "QUJD"), plain("utf-8", "base64", "QUJD*")},
		{plain("utf-8", "base64", "QUJDQ"), plain("utf-8", "base64", "QUJDR")},
		{plain("utf-8", "quoted-printable", "=4"), plain("utf-8", "quoted-printable", "=5")},
		{"Content-Type: text/plain\r\n\r\n<p>", "Content-Type: text/html\r\n\r\n<p>"},
	}, false)
}

func TestOnlyWhatIsBlankAtTheEndIsLeftOut(t *testing.T) {
	for _, blanks := range []string{"\n", "\n\n", strings.Repeat("\n", 2*maxTail), strings.Repeat(" ", 2*maxTail), strings.Repeat("\n\n\n.", maxTail)} {
		text := "x" + blanks + "\nb"
		want := text
		if blanks[0] == ' ' { // some of them are at the end of a line
			want = "x" + strings.Repeat(" ", 2*maxTail) + "\nb"
		}
		if got := proseOf(text, "text/plain"); got != sha256.Sum256([]byte("plain\n"+want)) {
			t.Errorf("%d blanks from %q on: another digest", len(blanks), blanks[:1])
		}
	}
}

func TestAttachmentsCountOctetByOctet(t *testing.T) {
	csv := func(encoding, text string) string {
		return "Content-Type: text/csv; charset=utf-8; name=a.csv\r\nContent-Transfer-Encoding: " + encoding + "\r\n\r\n" + text
	}
	named := func(params string) string {
		return "Content-Type: image/png\r\nContent-Disposition: attachment; " + params + "\r\n\r\nPNG"
	}
	checkPairs(t, []pair{
		{csv("7bit", "a;b\r\n1;2\r\n"), csv("base64", "YTtiCjE7Mg==")},
		{csv("7bit", "a;b\n1;2"), csv("quoted-printable", "a;b\r\n1;=32")},
		{strings.Replace(csv("8bit", "a;ä"), "utf-8", "iso-8859-1", 1), csv("8bit", "a;ä")}, // its octets count
		{named("filename=a.png"), named(`FileName = "a.png"`)},
		{named("filename=a.png"), "Content-Type: image/png; name=a.png\r\nContent-Disposition: attachment\r\n\r\nPNG"},
		{named("filename=Größe.png"), named("filename*=utf-8'de'Gr%C3%B6%C3%9Fe.png")},
		{named("filename=Größe.png"), named("filename*0*=iso-8859-1''Gr%F6;filename*1*=%DFe;filename*2=.png;filename=old.png")},
		{named("filename=Größe.png"), named(`filename="=?utf-8?q?Gr=C3=B6=C3=9Fe.png?="`)},
		{named("filename=Gr\xf6\xdfe.png"), named("filename=Größe.png")},
		{named(`filename="a b;c.png"`), named("filename*=us-ascii''a%20b%3Bc.png")},
		{named("filename=a b.png"), named(`filename="a b.png"; size=3`)},
		{named(`filename="a\"b.png"`), named("filename*=us-ascii''a%22b.png")},
	}, true)
	checkPairs(t, []pair{
		{csv("7bit", "a;b \r\n1;2"), csv("7bit", "a;b\r\n1;2")},
		{csv("7bit", "a;b\r\n\r\n1;2"), csv("7bit", "a;b\r\n1;2")},
		{csv("base64", "YTtiDQ=="), csv("base64", "YTti")},
		{named("filename=a.png"), named("filename=b.png")},
		{named("filename=a.png"), named("filename=A.png")},
	}, false)
}

func TestPartsAreFoundAsTheyAreInTheWild(t *testing.T) {
	parts := func(delimiter, middle, end string) string {
		return "Content-Type: multipart/mixed; boundary=\"b b\"\r\n\r\n" + delimiter + "\r\n\r\none" + middle + "\r\n\r\ntwo" + end
	}
	checkPairs(t, []pair{
		{parts("--b b", "\r\n--b b", "\r\n--b b--\r\n"), parts("preamble\r\n--b b \t", "\n--b b", "\r\n--b b-- \r\nepilogue")},
		{parts("--b b", "\r\n--b b", "\r\n--b b--\r\n"), parts("--b b", "\r\n--b b", "\r\n")}, // not closed
		{parts("--b b", "\r\n--b b", "\r\n--b b--\r\n"), parts("--b b", "\r\n--b b", "\r\n--b b--\r\n--b b\r\n\r\nthree")},
		{"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: x\r\n\r\ny\r\n--b--", "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nX: x\r\nSubject: x\r\n\r\ny\r\n--b--"},
		{"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n--b\r\n\r\nx\r\n--b--", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n\r\n--b\r\n\r\nx\r\n--b--"},
	}, true)
	checkPairs(t, []pair{
		{parts("--b b", "\r\n--b b", "\r\n--b b--\r\n"), parts("--b b", "\r\n--b bc", "\r\n--b b--\r\n")},
		{parts("--b b", "\r\n--b b", "\r\n--b b--\r\n"), parts("--b b", "\r\n --b b", "\r\n--b b--\r\n")},
		{parts("--x", "\r\n--x", "\r\n--x--\r\n"), parts("--y", "\r\n--x", "\r\n--x--\r\n")}, // no delimiter at all
		{"Content-Type: multipart/mixed\r\n\r\none", "Content-Type: multipart/mixed\r\n\r\ntwo"},
	}, false)
}
