package gmail

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim/discovery"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

// persist appends m as the engine does where nothing is in doubt, and returns
// how many calls it took.
func persist(t *testing.T, target *Target, folder migrate.FolderID, m *migrate.Message) (stored migrate.Stored, calls int) {
	t.Helper()
	for {
		calls++
		stored, err := target.Append(t.Context(), folder, m)
		if err == nil {
			return stored, calls
		}
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient || !e.Refused || calls > 50 {
			t.Fatalf("call %d: %#v", calls, err)
		}
	}
}

// large returns a message of n octets and a header.
func large(n int) *migrate.Message {
	text := append([]byte("From: ann@example.org\r\nDate: 3 Jul 2009 14:15:16 +0000\r\nMessage-ID: <large@example.org>\r\n\r\n"),
		bytes.Repeat([]byte("0123456789abcd\r\n"), n/16)...)
	return targettest.Message(text, "<large@example.org>")
}

// A receiver is the server's side of one resumable upload. It keeps a hash of
// what it was sent and none of the octets.
type receiver struct {
	mu    sync.Mutex
	cut   []int64 // how much of an upload is there when a connection breaks, ascending
	keep  bool    // of the chunk that breaks what came is kept
	opens int     // uploads that were opened
	came  int64   // octets that came
	kept  int64
	hash  hash.Hash
}

func (s *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		io.WriteString(w, `{"historyId":"1"}`)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path != "/upload-address" {
		io.Copy(io.Discard, r.Body)
		s.opens++
		s.kept, s.hash = 0, sha256.New()
		w.Header().Set("Location", "http://"+r.Host+"/upload-address")
		return
	}
	var first, last, total int64 = s.kept, s.kept - 1, -1
	field := r.Header.Get("Content-Range")
	if _, err := fmt.Sscanf(field, "bytes */%d", &total); err != nil {
		if _, err := fmt.Sscanf(field, "bytes %d-%d/%d", &first, &last, &total); err != nil {
			total = -1
		}
	}
	if first != s.kept {
		http.Error(w, "another offset is due", http.StatusBadRequest)
		return
	}
	length := last + 1 - first
	broken := len(s.cut) > 0 && length > 0 && s.cut[0] < last
	if broken {
		length, s.cut = s.cut[0]-first, s.cut[1:]
	}
	to := io.Writer(s.hash)
	if broken && !s.keep {
		to = io.Discard
	}
	n, _ := io.CopyN(to, r.Body, length)
	s.came += n
	if !broken || s.keep {
		s.kept += n
	}
	switch {
	case broken:
		panic(http.ErrAbortHandler)
	case s.kept == total:
		io.WriteString(w, `{"id":"17"}`)
	default:
		w.Header().Set("X-HTTP-Status-Code-Override", "308")
		if s.kept > 0 {
			w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", s.kept-1))
		}
	}
}

func TestAMessageOf140MBSurvivesTenCutConnectionsInLittleMemory(t *testing.T) {
	const size, mb = 140_000_000, 1 << 20
	whole := sha256.New()
	body, _ := lines(size).Open()
	io.Copy(whole, body)
	for _, keep := range []bool{false, true} {
		s := &receiver{keep: keep}
		for i := range int64(10) {
			s.cut = append(s.cut, 3*mb+i*13*mb) // the first of them before anything was taken
		}
		server := httptest.NewServer(s)
		target := open(t, config(server))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		stored, calls := persist(t, target, inbox, &migrate.Message{Size: size, Body: lines(size)})
		runtime.ReadMemStats(&after)
		server.Close()
		s.mu.Lock()
		// All that was ever allocated bounds what was held, whenever it was freed.
		if spent := after.TotalAlloc - before.TotalAlloc; spent > 16*mb {
			t.Errorf("%d MiB were allocated, by the server too", spent/mb)
		} else {
			t.Logf("%.1f MiB were allocated, by the server too; %.1f MB were sent", float64(spent)/mb, float64(s.came)/1e6)
		}
		if stored.ID != "17" || calls != 11 || s.opens != 1 {
			t.Errorf("message %q after %d calls and %d uploads", stored.ID, calls, s.opens)
		}
		if most := int64(size + 10*ChunkSize); s.came > most || keep && s.came != size {
			t.Errorf("%d octets were sent, want at most %d", s.came, most)
		}
		if !bytes.Equal(s.hash.Sum(nil), whole.Sum(nil)) {
			t.Error("other octets arrived")
		}
		s.mu.Unlock()
	}
}

// cutting breaks the connection after so many octets of the body of each
// request that at picks.
type cutting struct {
	sim http.Handler
	at  func(r *http.Request) (octets int64, cut bool)

	mu     sync.Mutex
	ranges []string
}

// sent returns the Content-Range of each request that had one.
func (c *cutting) sent() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ranges
}

func (c *cutting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	if field := r.Header.Get("Content-Range"); field != "" {
		c.ranges = append(c.ranges, field)
	}
	n, cut := c.at(r)
	c.mu.Unlock()
	if !cut {
		c.sim.ServeHTTP(w, r)
		return
	}
	r.Body = io.NopCloser(io.MultiReader(io.LimitReader(r.Body, n), iotest.ErrReader(io.ErrUnexpectedEOF)))
	c.sim.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

// behind serves a simulator behind a line that breaks.
func behind(t *testing.T, o gmailsim.Options, at func(*http.Request) (int64, bool)) (*gmailsim.Server, *cutting, *Target) {
	t.Helper()
	sim, err := gmailsim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	line := &cutting{sim: discovery.Checked(t, sim), at: at}
	server := httptest.NewServer(line)
	t.Cleanup(server.Close)
	return sim, line, open(t, config(server))
}

func TestAnInterruptedUploadGoesOnWhereGmailStands(t *testing.T) {
	message := large(2*ChunkSize + 1000)
	size := len(message.Body.(targettest.Octets))
	second := fmt.Sprintf("bytes %d-%d/*", ChunkSize, 2*ChunkSize-1)
	rest := fmt.Sprintf("bytes %d-%d/%d", 2*ChunkSize, size-1, size)
	ask := fmt.Sprintf("bytes */%d", size)
	for name, test := range map[string]struct {
		o    gmailsim.Options
		want []string // Content-Range after the first chunk
	}{
		"the part is dropped": {gmailsim.Options{}, []string{second, ask, second, rest}},
		"the part is kept":    {gmailsim.Options{KeepPart: true}, []string{second, ask, fmt.Sprintf("bytes %d-%d/%d", ChunkSize+1<<20, size-1, size)}},
	} {
		for folder, label := range map[migrate.FolderID]string{inbox: "INBOX", sent: "SENT", draft: "DRAFT"} {
			cuts := 0
			sim, line, target := behind(t, test.o, func(r *http.Request) (int64, bool) {
				cut := r.Header.Get("Content-Range") == second && cuts == 0
				if cut {
					cuts++
				}
				return 1<<20 + 5, cut
			})
			_, calls := persist(t, target, folder, message)
			if calls != 2 || !slices.Equal(line.sent()[1:], test.want) {
				t.Errorf("%s, %s: %d calls, requests %q, want %q", name, folder, calls, line.sent()[1:], test.want)
			}
			all := held(t, sim)
			if len(all) != 1 || !bytes.Equal(all[0].Octets, message.Body.(targettest.Octets)) || !slices.Contains(sim.Messages(user)[0].Labels, label) {
				t.Errorf("%s, %s: %d messages arrived, whole or not", name, folder, len(all))
			}
		}
	}
}

func TestWhatIsLeftOutOfAChunkIsSentWithTheNext(t *testing.T) {
	message := large(ChunkSize + 1000)
	sim, line, target := behind(t, gmailsim.Options{ShortRange: true}, func(*http.Request) (int64, bool) { return 0, false })
	_, calls := persist(t, target, inbox, message)
	if sent := line.sent(); calls != 1 || len(sent) != 2 || !strings.HasPrefix(sent[1], fmt.Sprintf("bytes %d-", ChunkSize/2)) {
		t.Errorf("%d calls, requests %q", calls, sent)
	}
	if all := held(t, sim); len(all) != 1 || !bytes.Equal(all[0].Octets, message.Body.(targettest.Octets)) {
		t.Errorf("%d messages arrived, whole or not", len(all))
	}
}

func TestAnUploadThatIsRefusedForNowGoesOnLater(t *testing.T) {
	for _, code := range []int{401, 403, 408, 429, 500, 503} {
		s := &receiver{}
		var refused atomic.Bool
		_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", ChunkSize)) && !refused.Swap(true) {
				io.Copy(io.Discard, r.Body)
				w.Header().Set("Retry-After", "900")
				w.WriteHeader(code)
				io.WriteString(w, envelope(code, "rateLimitExceeded", "Not now."))
				return
			}
			s.ServeHTTP(w, r)
		})
		message := &migrate.Message{Size: 3 * ChunkSize, Body: lines(3 * ChunkSize)}
		stored, calls := persist(t, open(t, config(server)), inbox, message)
		s.mu.Lock()
		if stored.ID != "17" || calls != 2 || s.opens != 1 || s.came != message.Size {
			t.Errorf("%d: %q in %d calls and %d uploads, %d octets came", code, stored.ID, calls, s.opens, s.came)
		}
		s.mu.Unlock()
	}
}

func TestAnUploadThatGetsOnSaysSo(t *testing.T) {
	second := fmt.Sprintf("bytes %d-", ChunkSize)
	_, _, target := behind(t, gmailsim.Options{}, func(r *http.Request) (int64, bool) {
		return 10, strings.HasPrefix(r.Header.Get("Content-Range"), second)
	})
	message := large(3 * ChunkSize)
	for call, want := range []bool{true, false, false} {
		_, err := target.Append(t.Context(), inbox, message)
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient || !e.Refused || e.Advanced != want {
			t.Errorf("call %d: %#v, want advanced to be %v", call, err, want)
		}
	}
}

func TestALostAnswerToTheLastChunkLeavesTheMessageInDoubt(t *testing.T) {
	message := large(ChunkSize + 1000)
	for _, repeat := range []gmailsim.Repeat{gmailsim.RepeatAnswer, gmailsim.RepeatGone, gmailsim.RepeatStore} {
		sim, server := serve(t, gmailsim.Options{RepeatLast: repeat, Fault: gmailsim.Faults{{Kind: "lost-reply", At: 1}}})
		target := open(t, config(server))
		since, err := target.Position(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = target.Append(t.Context(), inbox, message)
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient || e.Refused {
			t.Errorf("%d: %#v, want one in doubt", repeat, err)
		}
		stored, err := target.Find(t.Context(), inbox, message, since)
		if all := sim.Messages(user); err != nil || len(all) != 1 || all[0].ID != string(stored.ID) {
			t.Errorf("%d: found %q of %d messages, error %v", repeat, stored.ID, len(all), err)
		}
	}
}

// TestALastChunkThatWasNotStoredIsSentAgain is what happens after Find has
// said that the message is not there.
func TestALastChunkThatWasNotStoredIsSentAgain(t *testing.T) {
	message := large(ChunkSize + 1000)
	cuts := 0
	sim, line, target := behind(t, gmailsim.Options{}, func(r *http.Request) (int64, bool) {
		cut := strings.HasPrefix(r.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", ChunkSize)) && cuts == 0
		if cut {
			cuts++
		}
		return 10, cut
	})
	_, err := target.Append(t.Context(), inbox, message)
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Refused || !e.Advanced {
		t.Errorf("the error is %#v, want one in doubt", err)
	}
	if _, err := target.Append(t.Context(), inbox, message); err != nil || len(sim.Messages(user)) != 1 {
		t.Errorf("%d messages arrived, error %v", len(sim.Messages(user)), err)
	}
	if len(line.sent()) != 4 {
		t.Errorf("the requests were %q", line.sent())
	}
}

func TestAnUploadThatGmailHasForgottenBeginsAgain(t *testing.T) {
	message := large(2*ChunkSize + 1000)
	for _, cut := range []bool{true, false} { // forgotten until it is asked about, or before the next chunk
		var now atomic.Int64
		o := gmailsim.Options{UploadLife: time.Hour, Now: func() time.Time { return time.Unix(now.Load(), 0) }}
		sim, line, target := behind(t, o, func(r *http.Request) (int64, bool) {
			if !strings.HasPrefix(r.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", ChunkSize)) || now.Load() > 0 {
				return 0, false
			}
			now.Store(3600)
			return 0, cut
		})
		_, calls := persist(t, target, inbox, message)
		if n := len(sim.Messages(user)); calls != 2 || n != 1 {
			t.Errorf("%d messages arrived in %d calls, by %q", n, calls, line.sent())
		}
	}
}

func TestWhatAForgottenUploadHadIsNoProgress(t *testing.T) {
	_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		switch {
		case r.Method == http.MethodGet:
			io.WriteString(w, `{"historyId":"1"}`)
		case r.URL.Path != "/upload-address":
			w.Header().Set("Location", "/upload-address")
		case strings.HasPrefix(r.Header.Get("Content-Range"), "bytes 0-"):
			w.Header().Set("X-HTTP-Status-Code-Override", "308")
			w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", ChunkSize-1))
		default:
			w.WriteHeader(404)
		}
	})
	target := open(t, config(server))
	for range 2 {
		_, err := target.Append(t.Context(), inbox, &migrate.Message{Size: 3 * ChunkSize, Body: lines(3 * ChunkSize)})
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient || !e.Refused || e.Advanced {
			t.Errorf("the error is %#v", err)
		}
	}
}

func TestOddAnswersToAChunkAreNotBuiltUpon(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"more than was sent": func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Range", "bytes=0-99999999") },
		"all of it": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", 2*ChunkSize-1))
		},
		"nothing":              func(w http.ResponseWriter, r *http.Request) {},
		"not from the start":   func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Range", "bytes=7-99") },
		"no number":            func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Range", "bytes=0-9e9") },
		"below zero":           func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Range", "bytes=0--9") },
		"more than can be":     func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Range", "bytes=0-99999999999999999999") },
		"an answer without id": func(w http.ResponseWriter, r *http.Request) { w.Header().Del("X-HTTP-Status-Code-Override") },
	} {
		var opens atomic.Int64
		_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			switch {
			case r.Method == http.MethodGet:
				io.WriteString(w, `{"historyId":"1"}`)
			case r.URL.Path != "/upload-address":
				opens.Add(1)
				w.Header().Set("Location", "/upload-address")
			default:
				w.Header().Set("X-HTTP-Status-Code-Override", "308")
				answer(w, r)
				io.WriteString(w, `{}`)
			}
		})
		target := open(t, config(server))
		message := &migrate.Message{Size: 2 * ChunkSize, Body: lines(2 * ChunkSize)}
		for range 2 {
			_, err := target.Append(t.Context(), inbox, message)
			if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient || !e.Refused || e.Advanced {
				t.Errorf("%s: %#v", name, err)
			}
		}
		if want := int64(2); opens.Load() != want && name != "an answer without id" {
			t.Errorf("%s: %d uploads were opened, want %d", name, opens.Load(), want)
		}
	}
}

func TestAnUploadGoesNowhereLessSafe(t *testing.T) {
	for _, location := range []string{"", "http://other.example.org/u", "ftp://other.example.org/u", "http://[::1"} {
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				io.WriteString(w, `{"historyId":"1"}`)
				return
			}
			w.Header().Set("Location", location)
		}))
		c := config(server)
		c.Transport = server.Client().Transport
		_, err := open(t, c).Append(t.Context(), inbox, &migrate.Message{Size: 6 << 20, Body: lines(6 << 20)})
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient || !e.Refused || !strings.Contains(e.Error(), "where the upload goes") {
			t.Errorf("location %q: %#v", location, err)
		}
		server.Close()
	}
}

func TestInterruptedUploadsAreNotRememberedWithoutEnd(t *testing.T) {
	var s interruptions
	for i := range 10 * maxInterrupted {
		s.put(fmt.Sprint(i), upload{address: fmt.Sprint(i)})
	}
	if len(s.uploads) != maxInterrupted {
		t.Errorf("%d are remembered", len(s.uploads))
	}
	last := fmt.Sprint(10*maxInterrupted - 1)
	if u := s.take(last); u.address != last {
		t.Errorf("the latest is %q", u.address)
	}
	if u := s.take(last); u.address != "" {
		t.Error("it is taken twice")
	}
}
