package transform

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func seeds(f *testing.F) {
	for _, m := range mended {
		f.Add([]byte(m.message))
	}
	f.Add([]byte(dkim + crlf(sound) + signed("\x00")))
	f.Add([]byte("Content-Type: multipart/digest; boundary=b\n\n--b\n\nContent-Type: message/rfc822\n\n--b \n\n\n\r\n--b--\r"))
	f.Add([]byte("Content-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat("x", maxLine) + "\r\n"))
	f.Add([]byte("Content-Type: a/b\r\nContent-Transfer-Encoding: binary\r\n\r\nclean\r\n"))
	f.Add([]byte("To: <\x80" + strings.Repeat("x", 2000)))
	f.Add([]byte("a\r\n b:\r\n\r\r\n:\n"))
}

// nothing is an edit that changes nothing.
func nothing(*part, *bytes.Buffer) io.WriteCloser { return nil }

func FuzzAMessageIsTakenApartAndPutTogetherAgain(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, message []byte) {
		got, err := io.ReadAll(rewrite(bytes.NewReader(message), nothing))
		if err != nil || !bytes.Equal(got, message) {
			t.Errorf("%q becomes %q, error %v", message, got, err)
		}
	})
}

func FuzzATransformThatWasAppliedChangesNothingMore(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, message []byte) {
		for _, tr := range All() {
			once, err := io.ReadAll(tr.apply(received, bytes.NewReader(message)))
			if err != nil {
				t.Fatal(err)
			}
			twice, err := io.ReadAll(tr.apply(received, bytes.NewReader(once)))
			if err != nil || !bytes.Equal(once, twice) {
				t.Errorf("%s: %q becomes %q and then %q, error %v", tr.Key, message, once, twice, err)
			}
		}
	})
}

func FuzzWhatNeedsNothingIsNotChanged(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, message []byte) {
		d, err := Scan(received, bytes.NewReader(message))
		if err != nil {
			t.Fatal(err)
		}
		needed := map[string]bool{}
		for _, tr := range d.needs {
			needed[tr.Key] = true
		}
		if len(message) > maxStart {
			return // parts that are too large to be looked through may be encoded in any case
		}
		for _, tr := range All() {
			got, err := io.ReadAll(tr.apply(received, bytes.NewReader(message)))
			if err != nil || !needed[tr.Key] && !bytes.Equal(got, message) {
				t.Errorf("%s: %q becomes %q, error %v", tr.Key, message, got, err)
			}
		}
	})
}
