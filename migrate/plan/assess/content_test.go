package assess

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"errors"
)

const head = "From: Ann <ann@example.org>\r\nDate: Fri, 03 Jul 2009 14:15:16 +0000\r\nMessage-ID: <1@example.org>\r\n"

// mixed is a message with a text and one more part with this header.
func mixed(fields, body string) string {
	return head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n" + fields + "\r\n\r\n" + body + "\r\n--b--\r\n"
}

func TestAMessageIsLookedInto(t *testing.T) {
	file := func(name string) string { return mixed("Content-Disposition: attachment; filename="+name, "MZ") }
	for _, c := range []struct {
		what, text string
		want       []string
	}{
		{"a plain one", plain, nil},
		{"no date", strings.Replace(plain, "Date", "Dated", 1), []string{"date"}},
		{"no author", strings.Replace(plain, "From", "Form", 1), []string{"from"}},
		{"NUL", plain + "a\x00b\r\n", []string{FoundMalformed, "nul"}},
		{"a long line", plain + strings.Repeat("x", 1200) + "\r\n", []string{"long_lines", FoundMalformed}},
		{"no Message-ID", strings.Replace(plain, "Message-ID", "X", 1), []string{"missing_message_id"}},
		{"a program", file("Setup.EXE"), []string{FoundBlocked, "blocked.exe"}},
		{"two programs", strings.Replace(file("a.exe"), "--b\r\n\r\ntext", "--b\r\nContent-Type: text/plain; name=\"b.js\"\r\n\r\ntext", 1), []string{FoundBlocked, "blocked.exe", "blocked.js"}},
		{"an end that Windows drops", file(`"setup.exe. "`), []string{FoundBlocked, "blocked.exe"}},
		{"an encoded name", file(`"=?iso-8859-15?Q?f=FCr.js?="`), []string{FoundBlocked, "blocked.js"}},
		{"an extended name", mixed("Content-Disposition: attachment;\r\n filename*=utf-8''f%C3%BCr.js", "x"), []string{FoundBlocked, "blocked.js"}},
		{"a program after an unknown charset", strings.Replace(file("a.exe"), "--b\r\n\r\ntext", "--b\r\nContent-Type: text/plain; charset=klingon\r\n\r\ntext", 1), []string{FoundBlocked, "blocked.exe", "charset", FoundMalformed}},
		{"a program after an unknown encoding", strings.Replace(file("a.exe"), "--b\r\n\r\ntext", "--b\r\nContent-Transfer-Encoding: rot13\r\n\r\ntext", 1), []string{FoundBlocked, "blocked.exe"}},
		{"a harmless file", file("exe.pdf"), nil},
		{"a program in a message", mixed("Content-Type: message/rfc822", file("x.exe")), []string{FoundBlocked, "blocked.exe"}},
		{"signed", mixed("Content-Type: multipart/signed; boundary=c", "--c\r\n\r\nx\r\n--c--"), []string{FoundSealed, FoundSigned}},
		{"S/MIME signed", mixed("Content-Type: application/pkcs7-mime; smime-type=signed-data", "x"), []string{FoundSealed, FoundSigned}},
		{"S/MIME encrypted", mixed("Content-Type: application/x-pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", "x"), []string{FoundEncrypted, FoundSealed}},
		{"PGP/MIME", mixed("Content-Type: multipart/encrypted; boundary=c", "--c\r\n\r\nx\r\n--c--"), []string{FoundEncrypted, FoundSealed}},
		{"signed as a whole", head + "Content-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n", []string{FoundSealed, FoundSigned, FoundWhole}},
		{"encrypted as a whole", head + "Content-Type: application/pkcs7-mime\r\n\r\nx\r\n", []string{FoundEncrypted, FoundSealed, FoundWhole}},
		{"PGP in the text", plain + "-----BEGIN PGP MESSAGE-----\r\n", []string{FoundEncrypted, FoundSealed}},
		{"a text about PGP", plain + "> -----BEGIN PGP MESSAGE-----\r\n", nil},
		{"nothing", "", []string{"date", "from", "missing_message_id"}},
	} {
		found, err := look(day, strings.NewReader(c.text), []string{"exe", "js"})
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		if want := slices.Sorted(slices.Values(c.want)); !slices.Equal(found, want) {
			t.Errorf("%s: found %q, want %q", c.what, found, want)
		}
	}
	if _, err := look(day, iotest.ErrReader(errBroken), nil); !errors.Is(err, errBroken) {
		t.Errorf("a reader that fails gives %v", err)
	}
}

func TestOnlyTheStartOfALargeMessageIsLookedAt(t *testing.T) {
	line := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 57))) + "\r\n"
	body := strings.Repeat(line, 3*lookMost/len(line))
	for n := range len(line) { // wherever the cut is
		text := head + "X: " + strings.Repeat("x", n) + "\r\n\r\n" + body + "\x00"
		if found, err := look(day, strings.NewReader(text), nil); err != nil || len(found) > 0 {
			t.Fatalf("%d: found %q, %v", n, found, err)
		}
	}
}

func TestPartsInPartsAreBounded(t *testing.T) {
	var deep strings.Builder
	deep.WriteString(head)
	for i := range 5000 {
		fmt.Fprintf(&deep, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%[1]d\r\n", i)
	}
	wide := head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\n\r\n", 100_000)
	for _, text := range []string{deep.String(), wide} {
		if _, err := look(day, strings.NewReader(text), []string{"exe"}); err != nil {
			t.Error(err)
		}
	}
	l := &looker{found: map[string]bool{}}
	e, _ := read(wide)
	l.entity(e, 0)
	if l.parts > maxParts+1 {
		t.Errorf("%d parts were looked at", l.parts)
	}
	l = &looker{found: map[string]bool{}}
	e, _ = read(deep.String())
	l.entity(e, 0)
	if l.parts > maxDepth+2 {
		t.Errorf("parts were looked at %d deep", l.parts)
	}
}

func FuzzLook(f *testing.F) {
	f.Add(plain)
	f.Add(mixed("Content-Disposition: attachment; filename=a.exe", "x"))
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := look(day, strings.NewReader(text), []string{"exe"}); err != nil {
			t.Error(err)
		}
	})
}
