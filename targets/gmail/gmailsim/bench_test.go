package gmailsim

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// multipartBody is an import request of a message of 16 kB as Google's client
// makes it.
func multipartBody(id int) []byte {
	const boundary = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab"
	text := mailFrom("bob@example.org", fmt.Sprintf("%d@example.org", id), fmt.Sprint("subject ", id),
		strings.Repeat("A line of text of about seventy characters, as people used to write.\r\n", 230))
	return []byte("--" + boundary + "\r\nContent-Type: application/json\r\n\r\n{\"labelIds\":[\"INBOX\"]}\n\r\n--" +
		boundary + "\r\nContent-Type: message/rfc822\r\n\r\n" + text + "\r\n--" + boundary + "--\r\n")
}

func importRequest(url string, body []byte) *http.Request {
	r, _ := http.NewRequest("POST", url+"/upload/gmail/v1/users/ann%40example.com/messages/import?alt=json&fields=id&internalDateSource=dateHeader&neverMarkSpam=true&prettyPrint=false&uploadType=multipart",
		struct{ io.Reader }{bytes.NewReader(body)}) // chunked, as the client sends it
	r.Header.Set("Content-Type", "multipart/related; boundary=0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab")
	r.Header.Set("Authorization", "Bearer test")
	return r
}

// BenchmarkImportHandler measures the simulator without the line.
func BenchmarkImportHandler(b *testing.B) {
	s, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	b.SetBytes(int64(len(multipartBody(0))))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		b.StopTimer()
		r, w := importRequest("http://sim", multipartBody(n)), httptest.NewRecorder()
		n++
		b.StartTimer()
		if s.ServeHTTP(w, r); w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}

// BenchmarkImport measures client and simulator together over loopback.
func BenchmarkImport(b *testing.B) {
	s, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	web := httptest.NewServer(s)
	defer web.Close()
	b.SetBytes(int64(len(multipartBody(0))))
	n := 0
	for b.Loop() {
		answer, err := http.DefaultClient.Do(importRequest(web.URL, multipartBody(n)))
		if err != nil {
			b.Fatal(err)
		}
		n++
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if answer.StatusCode != 200 {
			b.Fatal(answer.Status)
		}
	}
}
