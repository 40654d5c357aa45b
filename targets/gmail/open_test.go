package gmail

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

func TestAnAnswerThatBreaksOffGivesNoContent(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{})
	id := appended(t, open(t, config(server)), inbox, targettest.Letter("cut"))
	var fewer atomic.Int64
	_, cutting := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("format") == "raw" {
			w = &shortened{ResponseWriter: w, less: int(fewer.Load())}
		}
		sim.ServeHTTP(w, r)
	})
	target := open(t, config(cutting))
	for fewer.Add(1) < 200 {
		_, content, err := target.Open(t.Context(), id)
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient || content != nil {
			t.Fatalf("%d octets short: the error is %#v, want one that is Transient", fewer.Load(), err)
		}
	}
	fewer.Store(0)
	if _, content, err := target.Open(t.Context(), id); err != nil {
		t.Error(err)
	} else if err := content.Close(); err != nil {
		t.Error(err)
	}
}

// shortened ends an answer before its end, as a proxy may that is restarted.
type shortened struct {
	http.ResponseWriter
	less int
}

func (s *shortened) Write(b []byte) (int, error) {
	_, err := s.ResponseWriter.Write(b[:max(0, len(b)-s.less)])
	return len(b), err
}

func TestAnOpenedMessageLeavesNoFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a file goes when it is closed")
	}
	t.Setenv("TMPDIR", t.TempDir())
	_, server := serve(t, gmailsim.Options{})
	target := open(t, config(server))
	id := appended(t, target, inbox, targettest.Letter("file"))
	left := func() (names []string) {
		entries, err := os.ReadDir(os.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), "mailhaul-") {
				names = append(names, e.Name())
			}
		}
		return names
	}
	_, content, err := target.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if names := left(); len(names) > 0 {
		t.Errorf("while it is open there are %q", names)
	}
	if b, err := io.ReadAll(content); err != nil || len(b) == 0 {
		t.Errorf("it reads %q, error %v", b, err)
	}
	if err := content.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := target.Open(t.Context(), "1"); !errors.Is(err, migrate.ErrNotFound) {
		t.Error(err)
	}
	if names := left(); len(names) > 0 {
		t.Errorf("afterwards there are %q", names)
	}
}

func TestAMessageOf140MBIsReadBackInLittleMemory(t *testing.T) {
	const size, mb = 140_000_000, 1 << 20
	whole := sha256.New()
	_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("format") != "raw" {
			io.WriteString(w, `{"historyId":"1"}`)
			return
		}
		body, _ := lines(size).Open()
		whole.Reset()
		io.WriteString(w, `{"labelIds":["INBOX"],"raw":"`)
		encoder := base64.NewEncoder(base64.URLEncoding, w)
		io.Copy(encoder, io.TeeReader(body, whole))
		encoder.Close()
		io.WriteString(w, `","sizeEstimate":140000000,"internalDate":"1246630516000"}`)
	})
	target := open(t, config(server))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	h, content, err := target.Open(t.Context(), "17")
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	got := sha256.New()
	n, err := io.Copy(got, content)
	runtime.ReadMemStats(&after)
	if err != nil || n != size || h.Size != size || !h.Date.Equal(targettest.Date) || string(got.Sum(nil)) != string(whole.Sum(nil)) {
		t.Errorf("it has %d octets and shows %+v, error %v", n, h, err)
	}
	// All that was ever allocated bounds what was held, whenever it was freed.
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 8*mb {
		t.Errorf("%d MiB were allocated, by the server too", spent/mb)
	} else {
		t.Logf("%.1f MiB were allocated, by the server too", float64(spent)/mb)
	}
}
