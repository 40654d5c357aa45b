package gmail

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"testing"
)

func TestTheMessageIsReadOutOfTheAnswer(t *testing.T) {
	for answer, want := range map[string]string{
		`{"raw":"aGVsbG8="}`:                              "hello",
		`{"raw":"aGVsbG8"}`:                               "hello",
		`{"raw":"aGVsbG8\u003d"}`:                         "hello",
		"{ \"raw\" :\n \"_-8=\" }":                        "\xff\xef",
		`{"id":"raw","x":["raw","\"raw\""],"raw":"YQ=="}`: "a",
		`{"raw":""}`:                                      "",
		`{"raw":"aGVsbG8="`:                               "error",
		`{"raw":"aGVsbG8`:                                 "error",
		`{"raw":"a!"}`:                                    "error",
		`{"raw":"\n"}`:                                    "error",
		`{"raw":"\u0100"}`:                                "error",
		`{"raw":7}`:                                       "error",
		`{"raw":x"YQ=="}`:                                 "error",
		`{"raw`:                                           "error",
		`{}`:                                              "error",
		`{"raw":"YQ==","sizeEstimate":"many"}`:            "error",
		`{"raw":"YQ==","x":"` + strings.Repeat("x", maxBeside) + `"}`: "error",
		`{"x":"` + strings.Repeat("x", maxBeside) + `","raw":"YQ=="}`: "error",
		`{"raw":"` + strings.Repeat("YWFh", 20_000) + `"}`:            strings.Repeat("aaa", 20_000),
	} {
		var b bytes.Buffer
		_, n, err := readRaw(&b, strings.NewReader(answer))
		got := b.String()
		if err != nil {
			got = "error"
		} else if n != int64(len(got)) {
			t.Errorf("%.60s: the length is %d, want %d", answer, n, len(got))
		}
		if got != want {
			t.Errorf("%.60s: %.60q, error %v, want %.60q", answer, got, err, want)
		}
	}
}

// JSON puts the members of an object into no order.
func TestWhatStandsBesideTheMessageIsReadToo(t *testing.T) {
	for _, answer := range []string{
		`{"labelIds":["INBOX","UNREAD"],"sizeEstimate":70,"internalDate":"1000","raw":"YQ=="}`,
		`{"raw":"YQ==","internalDate":"1000","labelIds":["INBOX","UNREAD"],"sizeEstimate":70}`,
		` { "internalDate" : "1000" , "raw" : "YQ==" , "sizeEstimate" : 70 , "labelIds" : [ "INBOX" , "UNREAD" ] } `,
	} {
		var b bytes.Buffer
		m, _, err := readRaw(&b, strings.NewReader(answer))
		if err != nil || b.String() != "a" || len(m.LabelIds) != 2 || m.InternalDate != 1000 || m.SizeEstimate != 70 {
			t.Errorf("%s: %+v, %q, error %v", answer, m, &b, err)
		}
	}
}

func FuzzTheMessageIsReadOutOfTheAnswer(f *testing.F) {
	f.Add([]byte("hello"), "")
	f.Fuzz(func(t *testing.T, content []byte, junk string) {
		readRaw(io.Discard, strings.NewReader(junk))
		var b bytes.Buffer
		_, _, err := readRaw(&b, strings.NewReader(`{"raw":"`+base64.URLEncoding.EncodeToString(content)+`"}`))
		if err != nil || !bytes.Equal(b.Bytes(), content) {
			t.Errorf("%q, error %v, want %q", &b, err, content)
		}
	})
}
