package transform

import (
	"io"
	"strings"
	"testing"
)

// repeated is n times s as a stream.
type repeated struct {
	s    string
	n    int
	rest string
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.rest == "" {
		if r.n == 0 {
			return 0, io.EOF
		}
		r.n--
		r.rest = r.s
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// What is quadratic in these makes the test run for minutes.
func TestMessagesThatAreMadeToCostMuchDoNot(t *testing.T) {
	const kb = 200
	nested := ""
	for i := range maxDepth {
		nested += "Content-Type: multipart/mixed; boundary=" + strings.Repeat("b", i+1) + "\r\n\r\n--" + strings.Repeat("b", i+1) + "\r\n"
	}
	for name, m := range map[string]struct {
		start string
		rest  repeated
	}{
		"a header of 4 MB":                {"", repeated{s: "X: y\r\n", n: 3_500 * kb}},
		"a field of 4 MB":                 {"X: ", repeated{s: "0123456789abcdef \xfc", n: 1_200 * kb}},
		"many odd fields":                 {dkim, repeated{s: "a:\x00\n", n: 200 * kb}},
		"many fields that DKIM covers":    {"DKIM-Signature: h=" + strings.Repeat("a:", 200*kb) + "\r\n" + strings.Repeat("b:\x00\n", 100*kb), repeated{}},
		"many From fields":                {"", repeated{s: "From: a\r\n", n: 9 * kb}},
		"many words to encode":            {"Subject: ", repeated{s: "ü ", n: 300 * kb}},
		"many names to encode":            {"To: ", repeated{s: "ü\"\",<", n: 150 * kb}},
		"many parameters to encode":       {"Content-Type: a/b", repeated{s: ";a=ü", n: 150 * kb}},
		"many authors":                    {"From: ", repeated{s: "a@b.c,", n: 150 * kb}},
		"many Content-Types":              {"", repeated{s: "Content-Type: x; boundary=y; charset=z\r\n", n: 25 * kb}},
		"20,000 parts":                    {"Content-Type: multipart/mixed; boundary=b\r\n\r\n", repeated{s: "--b\r\nContent-Type: text/plain; charset=x\r\n\r\ny\n\r\n", n: 100 * kb}},
		"lines like delimiters":           {nested, repeated{s: "--b-\r\n", n: 1_000 * kb}},
		"messages in messages":            {"", repeated{s: "Content-Type: message/rfc822\r\n\r\n", n: 100 * kb}},
		"a line of 4 MB":                  {sound + "\n", repeated{s: "0123456789abcdef", n: 1_250 * kb}},
		"a line of 4 MB of base64":        {sound + "Content-Transfer-Encoding: base64\n\n", repeated{s: "0123456789abcdef", n: 1_250 * kb}},
		"carriage returns":                {sound + "\n", repeated{s: "\r", n: 10_000 * kb}},
		"a binary file with octets 0":     {sound + "Content-Type: a/b\nContent-Transfer-Encoding: binary\n\n", repeated{s: "\x00\x00\x00\x00\x00\x00\x00\x00", n: 1_000 * kb}},
		"white space in front of a field": {"X:", repeated{s: " ", n: 900 * kb}},
	} {
		open := func() io.Reader { r := m.rest; return io.MultiReader(strings.NewReader(m.start), &r) }
		if _, err := Scan(received, open()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, tr := range All() {
			if _, err := io.Copy(io.Discard, tr.apply(received, open())); err != nil {
				t.Errorf("%s, %s: %v", name, tr.Key, err)
			}
		}
	}
}

func BenchmarkScan(b *testing.B) {
	m := crlf(sound + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Type: application/x\nContent-Transfer-Encoding: base64\n\n" +
		strings.Repeat(strings.Repeat("YWJj", 19)+"\n", 100_000) + "--b--\n")
	b.SetBytes(int64(len(m)))
	for b.Loop() {
		if _, err := Scan(received, strings.NewReader(m)); err != nil {
			b.Fatal(err)
		}
	}
}
