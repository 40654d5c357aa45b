package graphsim

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkImport writes messages of 16 kB through the handler, without the
// cost of a client.
func BenchmarkImport(b *testing.B) {
	sim, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer sim.Close()
	body := base64.StdEncoding.EncodeToString([]byte(sample + strings.Repeat("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abc\r\n", 250)))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("POST", "/beta/users/a@b.c/mailFolders/inbox/importMime", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer test")
		r.Header.Set("Content-Type", "text/plain")
		w := httptest.NewRecorder()
		sim.ServeHTTP(w, r)
		if w.Code != 201 {
			b.Fatal(w.Code, w.Body)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

// BenchmarkImportOverHTTP is the same over a socket, with the client's cost.
func BenchmarkImportOverHTTP(b *testing.B) {
	sim, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer sim.Close()
	srv := httptest.NewServer(sim)
	defer srv.Close()
	body := base64.StdEncoding.EncodeToString([]byte(sample + strings.Repeat("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abc\r\n", 250)))
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		r, _ := http.NewRequest("POST", srv.URL+"/beta/users/a@b.c/mailFolders/inbox/importMime", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer test")
		r.Header.Set("Content-Type", "text/plain")
		resp, err := srv.Client().Do(r)
		if err != nil || resp.StatusCode != 201 {
			b.Fatal(resp, err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
