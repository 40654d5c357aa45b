package canon

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// mixed is a message with these parts.
func mixed(parts ...string) string {
	return "From: a@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + strings.Join(parts, "\r\n--b\r\n") + "\r\n--b--\r\n"
}

func pdf(name, content string) string {
	return "Content-Type: application/pdf; name=\"" + name + "\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(content))
}

func pdfs(n int) (parts []string) {
	for i := range n {
		parts = append(parts, pdf(fmt.Sprintf("%d.pdf", i), fmt.Sprint("content ", i)))
	}
	return parts
}

const (
	note  = "Content-Type: text/plain\r\n\r\nSee the attachment."
	inner = "From: b@example.com\r\nSubject: Inner\r\nX-Trace: 1\r\n\r\nHello\r\n"
)

func TestCompareNamesWhatIsDifferent(t *testing.T) {
	alternative := func(halves ...string) string {
		return "Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\n" + strings.Join(halves, "\r\n--a\r\n") + "\r\n--a--\r\n"
	}
	html := "Content-Type: text/html\r\n\r\n<p>See"
	image := "Content-Type: image/png\r\nContent-ID: <1@x>\r\n\r\nPNG"
	related := "Content-Type: multipart/related; boundary=r\r\n\r\n--r\r\n" + html + "\r\n--r\r\n" + image + "\r\n--r--\r\n"
	message := "Content-Type: message/rfc822\r\n\r\n" + inner
	file := "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=part-2.eml\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(strings.Replace(inner, "X-Trace", "X-Other", 1)))
	many := pdfs(300)
	reversed := slices.Clone(many)
	slices.Reverse(reversed)
	for _, c := range []struct {
		name          string
		original, now string
		want          string
	}{
		{"nothing", mixed(note, pdf("a.pdf", "A")), mixed(note, pdf("a.pdf", "A")), ""},
		{"size of an attachment", mixed(note, pdf("report.pdf", strings.Repeat("x", 20_000))), mixed(note, pdf("report.pdf", strings.Repeat("x", 12_345))),
			"attachment: part 2 (report.pdf): 12,345 octets instead of 20,000"},
		{"content of an attachment", mixed(note, pdf("report.pdf", "A")), mixed(note, pdf("report.pdf", "B")), "attachment: part 2 (report.pdf): 1 octet, but others"},
		{"one of 300 attachments is missing", mixed(many...), mixed(slices.Delete(slices.Clone(many), 7, 8)...), "attachment: part 8 (7.pdf) is missing"},
		{"one of 300 equal attachments is missing", mixed(slices.Repeat(many[:1], 300)...), mixed(slices.Repeat(many[:1], 299)...), "attachment: part 300 (0.pdf) is missing"},
		{"an attachment is added first", mixed(many[1:]...), mixed(many...), "attachment: part 1 (0.pdf) of the copy is not in the original"},
		{"attachments in another order", mixed(many...), mixed(reversed...), "structure: the parts are put together in another way"},
		{"names that changed places", mixed(pdf("a.pdf", "A"), pdf("b.pdf", "B")), mixed(pdf("a.pdf", "B"), pdf("b.pdf", "A")),
			`name: part 1 (a.pdf) has the name "b.pdf"; name: part 2 (b.pdf) has the name "a.pdf"`},
		{"a name that is lost", mixed(note, pdf("a.pdf", "A")), mixed(note, pdf("", "A")), `name: part 2 (a.pdf) has the name ""`},
		{"a name that is given to what had none", mixed(note, pdf("", "A")), mixed(note, pdf("part-2.pdf", "A")), ""},
		{"one half of an alternative", alternative(note, html), html, "alternative: part 1 is missing, beside another that is there"},
		{"one half of an alternative with an image", mixed(alternative(note, related)), mixed(related), "alternative: part 1.1 is missing, beside another that is there"},
		{"all of an alternative", mixed(alternative(note, html), image), mixed(image), "text: part 1.1 is missing; text: part 1.2 is missing"},
		{"half of an alternative of which the rest is changed", alternative(note, html), html + "?", "text: part 1 is missing; text: part 2: 7 octets instead of 6"},
		{"text that became a page", note, strings.Replace(note, "plain", "html", 1), "text: part 1 is missing; text: part 1 of the copy is not in the original"},
		{"a message that became a file", mixed(note, message), mixed(note, file), "structure: the parts are put together in another way"},
		{"a second text that became a file", mixed(note, note+"\r\n"), mixed(note, strings.Replace(note, "plain", "plain; name=part-2.txt", 1)+"\r\n"), "structure: the parts are put together in another way"},
		{"an empty text that became a file", mixed(note, "Content-Type: text/plain\r\n\r\n\r\n"), mixed(note, "Content-Type: text/plain; name=part-2.txt\r\n\r\n\r\n"), "structure: the parts are put together in another way"},
		{"a file that became a second text", mixed(note, strings.Replace(note, "plain", "plain; name=a.txt", 1)+"\r\n"), mixed(note, note+"\r\n"), `name: part 2 (a.txt) has the name ""`},
		{"an empty text more", mixed(note), mixed(note, "Content-Type: text/plain\r\n\r\n"), "structure: the parts are put together in another way"},
		{"an empty text less", mixed(note, "Content-Type: text/plain\r\n\r\n"), mixed(note), "structure: the parts are put together in another way"},
		{"a message in it put together in another way", mixed(message), mixed(strings.Replace(message, "X-Trace: 1\r\n\r\nHello", "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nHello", 1)),
			"structure: the parts are put together in another way"},
		{"a Message-ID that is added", "\r\nx", "Message-ID: <1@x>\r\n\r\nx", ""},
		{"a Message-ID that is lost", "Message-ID: <1@x>\r\n\r\nx", "\r\nx", "message-id: Message-ID is missing"},
		{"a date", "Date: 1 Jan 2020 10:00:00 +0000\r\n\r\n", "Date: 1 Jan 2020 11:00:01 +0100\r\n\r\n", "date: Date is 1 second later"},
		{"an early date", "Date: 1 Jan 1900 10:00:00 +0000\r\n\r\n", "Date: 1 Jan 2020 10:00:00 +0000\r\n\r\n", "date: Date is 3,786,825,600 seconds later"},
		{"a recipient", "To: a@b.example, c@d.example, e@f.example\r\n\r\n", "To: a@b.example, c@d.example\r\n\r\n", "to: To has 2 addresses instead of 3"},
		{"damage", mixed(note, strings.Replace(pdf("a", "Hello"), "8=", "8*", 1)), mixed(note, pdf("a", "Hello")), "attachment: part 2 (a): the same 5 octets, to be read in another way"},
	} {
		a, b := sum(t, c.original), sum(t, c.now)
		var got []string
		for _, d := range Compare(a, b) {
			got = append(got, string(d.Aspect)+": "+d.Detail)
		}
		if s := strings.Join(got, "; "); s != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, s, c.want)
		}
		if a.Content() == b.Content() && c.want != "" && !strings.HasPrefix(c.want, "structure") {
			t.Errorf("%s: the same content", c.name)
		}
	}
}

func TestWhatIsSignedCountsOctetByOctet(t *testing.T) {
	signed := func(part string) string {
		return "Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n" + part + "\r\n--s\r\n" + pdf("smime.p7s", "S") + "\r\n--s--\r\n"
	}
	text := "Content-Type: text/plain\r\n\r\nHello \r\n"
	several := mixed(text, pdf("a.pdf", "A"))
	was := signed(text)
	twice := signed(strings.NewReplacer("--s", "--t", "=s", "=t").Replace(was))
	for name, c := range map[string]struct {
		was, is string
		want    []Aspect
	}{
		"nothing":                     {was, was, nil},
		"line ends":                   {was, strings.ReplaceAll(was, "\r\n", "\n"), nil},
		"the boundary":                {was, strings.NewReplacer("--s", "--t", "=s", "=t").Replace(was), nil},
		"a blank":                     {was, strings.Replace(was, "Hello ", "Hello", 1), []Aspect{Signature}},
		"folding":                     {was, strings.Replace(was, "Type: text", "Type:\r\n text", 1), []Aspect{Signature}},
		"encoding":                    {was, strings.Replace(was, "\r\n\r\nHello ", "\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nHello=20", 1), []Aspect{Signature}},
		"a boundary in it":            {signed(several), signed(strings.NewReplacer("--b", "--c", "=b", "=c").Replace(several)), []Aspect{Signature}},
		"an encoding of a part":       {signed(several), signed(strings.Replace(several, "QQ==", "QQ= =", 1)), []Aspect{Signature}},
		"the signature":               {was, strings.Replace(was, "Uw==", "VA==", 1), []Aspect{Attachment}},
		"that it is signed":           {was, strings.Replace(was, "/signed", "/mixed", 1), []Aspect{Signature, Structure}},
		"one of two":                  {mixed(was, note), mixed(strings.Replace(was, "Hello ", "Hello", 1), note), []Aspect{Signature}},
		"something beside it":         {mixed(was, note), mixed(was, note+"!"), []Aspect{Text}},
		"in a message in it":          {mixed("Content-Type: message/rfc822\r\n\r\n" + was), mixed("Content-Type: message/rfc822\r\n\r\n" + strings.Replace(was, "Hello ", "Hello", 1)), []Aspect{Attachment}},
		"a signature that is signed":  {twice, strings.Replace(twice, "Uw==", "VA==", 1), []Aspect{Signature, Attachment}},
		"a part that is signed twice": {twice, strings.Replace(twice, "Hello ", "Hello", 1), []Aspect{Signature}},
	} {
		var got []Aspect
		for _, d := range Compare(sum(t, c.was), sum(t, c.is)) {
			got = append(got, d.Aspect)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestAnOriginalThatIsAttachedIsHeld(t *testing.T) {
	digest := Digest(sha256.Sum256([]byte(inner)))
	for how, part := range map[string]string{
		"as a message":         "Content-Type: message/rfc822\r\n\r\n" + inner,
		"as an encoded one":    "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(inner)),
		"as a file":            pdf("original.eml", inner),
		"as another file":      pdf("original.bin", inner),
		"as a file of text":    strings.Replace(pdf("original.txt", inner), "application/pdf", "text/plain", 1),
		"after 1,000 parts":    strings.Join(append(pdfs(1000), pdf("original.eml", inner)), "\r\n--b\r\n"),
		"in a part of its own": "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n" + pdf("original.eml", inner) + "\r\n--c--\r\n",
	} {
		if !sum(t, mixed(note, part)).Holds(digest) {
			t.Errorf("%s: it is not held", how)
		}
	}
	if sum(t, mixed(note, pdf("original.eml", inner+"\r\n"))).Holds(digest) {
		t.Error("other octets are held")
	}
	if sum(t, inner).Holds(sha256.Sum256([]byte("Hello\r\n"))) {
		t.Error("the text is held as an attachment")
	}
}

// What is beyond a limit is digested as it is.
func TestADifferenceBeyondALimitIsFound(t *testing.T) {
	nested := func(depth int, text string) string {
		var b strings.Builder
		for i := range depth {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
		}
		return b.String() + "\r\n" + text
	}
	messages := func(depth int, text string) string {
		return strings.Repeat("Content-Type: message/rfc822\r\n\r\n", depth) + "\r\n" + text
	}
	long := strings.Repeat("x", 300<<10)
	for name, make := range map[string]func(mark string) string{
		"parts":          func(mark string) string { return mixed(append(pdfs(2000), pdf("last.pdf", mark))...) },
		"names of parts": func(mark string) string { return mixed(append(pdfs(2000), pdf(mark, "last"))...) },
		"multiparts":     func(mark string) string { return nested(100, mark) },
		"messages":       func(mark string) string { return messages(100, mark) },
		"a boundary":     func(mark string) string { return "Content-Type: multipart/mixed; boundary=" + long + "\r\n\r\n" + mark },
		"a field":        func(mark string) string { return "Subject: " + long + mark + "\r\n\r\n" },
		"a list":         func(mark string) string { return "To: " + strings.Repeat("a@b.example, ", 30_000) + mark + "\r\n\r\n" },
		"fields": func(mark string) string {
			return strings.Repeat("To: a@b.example\r\n", 30_000) + "To: " + mark + "\r\n\r\n"
		},
		"a name":          func(mark string) string { return mixed(note, pdf(strings.Repeat("name", 100)+mark, "A")) },
		"a very long one": func(mark string) string { return mixed(note, pdf(long+mark, "A")) },
		"blanks":          func(mark string) string { return "\r\n" + mark + strings.Repeat(" ", 20<<10+len(mark)) + "x" },
		"a delimiter": func(mark string) string {
			return "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n--b" + strings.Repeat(" ", 8<<10) + mark
		},
	} {
		a, b := sum(t, make("one")), sum(t, make("two"))
		if ds := Compare(a, b); len(ds) != 1 || a.Content() == b.Content() {
			t.Errorf("%s: %v", name, ds)
		}
	}
}

func TestTheErrorIsTheReaders(t *testing.T) {
	broken := errors.New("broken")
	for _, octets := range []string{"", "Subject: x", mixed(note, "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n")} {
		if f, err := Sum(io.MultiReader(strings.NewReader(octets), iotest.ErrReader(broken))); err != broken || f != nil {
			t.Errorf("%q: %v, %v", octets, f, err)
		}
	}
}
