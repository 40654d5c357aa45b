package gmail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

func TestFoldersAndFlagsBecomeLabels(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{})
	target := open(t, config(server))
	for i, test := range []struct {
		folder migrate.FolderID
		flags  []migrate.Flag
		want   string
		notes  string
	}{
		{inbox, nil, "[INBOX] unread", "[]"},
		{inbox, []migrate.Flag{migrate.Seen, migrate.Flagged}, "[INBOX] starred", "[]"},
		{junk, []migrate.Flag{migrate.Seen}, "[SPAM]", "[]"},
		{trash, []migrate.Flag{migrate.Seen, `\Recent`}, "[TRASH]", "[]"},
		{archive, []migrate.Flag{migrate.Flagged}, "[] unread starred", "[]"},
		{archive, []migrate.Flag{migrate.Seen, migrate.Answered}, "[]", "[flags-dropped]"},
		{inbox, []migrate.Flag{migrate.Seen, "$Label1"}, "[INBOX]", "[flags-dropped]"},
		{inbox, []migrate.Flag{migrate.Seen, migrate.Draft}, "[INBOX]", "[flags-dropped]"},
		{sent, []migrate.Flag{migrate.Seen}, "[SENT]", "[]"},
		{draft, []migrate.Flag{migrate.Seen, migrate.Draft}, "[DRAFT]", "[date-is-import-time]"},
		{draft, []migrate.Flag{migrate.Seen, migrate.Flagged}, "[DRAFT]", "[date-is-import-time flags-dropped]"},
	} {
		stored, err := target.Append(t.Context(), test.folder, targettest.Letter(fmt.Sprint("labels-", i), test.flags...))
		if err != nil {
			t.Errorf("%s %q: %v", test.folder, test.flags, err)
			continue
		}
		messages := sim.Messages(user)
		m := messages[slices.IndexFunc(messages, func(m gmailsim.Message) bool { return m.ID == string(stored.ID) })]
		got := fmt.Sprint(m.Labels)
		if m.Unread {
			got += " unread"
		}
		if m.Starred {
			got += " starred"
		}
		if got != test.want || fmt.Sprint(stored.Notes) != test.notes {
			t.Errorf("%s %q: labels %s, notes %s, want %s and %s", test.folder, test.flags, got, stored.Notes, test.want, test.notes)
		}
	}
}

func TestADraftOverItsOwnLimitIsRefusedUnread(t *testing.T) {
	_, server := serve(t, gmailsim.Options{})
	message := targettest.Letter("draft")
	message.Size, message.Body = MaxDraftSize+1, nil
	_, err := open(t, config(server)).Append(t.Context(), draft, message)
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Permanent || !e.Refused {
		t.Errorf("the error is %#v", err)
	}
}

func TestSentMailThatIsRefusedGoesIntoALabel(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{Sent: gmailsim.PolicyRefuse})
	target := open(t, config(server))
	places, err := target.Place(t.Context(), []migrate.Folder{{Path: []string{"Sent"}, Role: migrate.RoleSent}, {Path: []string{sentName}}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		stored, err := target.Append(t.Context(), places[0].ID, targettest.Letter(fmt.Sprint("sent-", i), migrate.Seen))
		if err != nil || !slices.Equal(stored.Notes, []string{NoteSentLabel}) {
			t.Fatalf("notes %q, error %v", stored.Notes, err)
		}
		// Adding SENT is refused as well, and the message is where it should be.
		if _, err := target.Update(t.Context(), migrate.Change{AddFolder: places[0].ID}, stored.ID); err != nil {
			t.Error("update:", err)
		}
	}
	// The folder that is called like the label keeps it for itself.
	for _, m := range sim.Messages(user) {
		if !slices.Equal(m.Labels, []string{sentName + " (2)"}) {
			t.Errorf("a message is in %q", m.Labels)
		}
	}
}

func TestImportsSayWhatTheyMean(t *testing.T) {
	var got atomic.Value
	_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			body, _ := io.ReadAll(r.Body)
			got.Store(r.URL.RequestURI() + "\n" + string(body))
		}
		io.WriteString(w, `{"id":"1","historyId":"1"}`)
	})
	message := targettest.Letter("says", migrate.Flagged)
	if _, err := open(t, config(server)).Append(t.Context(), "Label_7", message); err != nil {
		t.Fatal(err)
	}
	uri, body, _ := strings.Cut(got.Load().(string), "\n")
	if want := "/upload/gmail/v1/users/ann%40example.org/messages/import?alt=json&fields=id&internalDateSource=dateHeader&neverMarkSpam=true&prettyPrint=false&processForCalendar=false&uploadType=multipart"; uri != want {
		t.Errorf("the request is for\n%s, want\n%s", uri, want)
	}
	for _, part := range []string{"Content-Type: application/json", `{"labelIds":["Label_7","UNREAD","STARRED"]}`, "Content-Type: message/rfc822", string(message.Body.(targettest.Octets))} {
		if !strings.Contains(body, part) {
			t.Errorf("the request lacks %q", part)
		}
	}
}

// lines is the body of a message of so many octets that is in no memory.
type lines int64

type linesReader struct{ *io.SectionReader }

func (linesReader) Close() error { return nil }

func (l lines) Open() (io.ReadSeekCloser, error) {
	return linesReader{io.NewSectionReader(l, 0, int64(l))}, nil
}

func (l lines) ReadAt(p []byte, off int64) (int, error) {
	line := []byte("0123456789abcde\n") // 16 octets
	for n := 0; n < len(p); {
		n += copy(p[n:], line[(off+int64(n))%16:])
	}
	if off == 0 {
		copy(p, "From: ann@example.org\r\nDate: 3 Jul 2009 14:15:16 +0000\r\n\r\n")
	}
	return len(p), nil
}

func TestALargeMessageTakesLittleMemory(t *testing.T) {
	// A server that keeps nothing.
	_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		switch {
		case r.Method == http.MethodGet:
			io.WriteString(w, `{"historyId":"1"}`)
		case r.URL.Query().Get("uploadType") == "resumable":
			w.Header().Set("Location", "http://"+r.Host+"/chunk")
		case strings.HasSuffix(r.Header.Get("Content-Range"), "/*"):
			w.Header().Set("X-HTTP-Status-Code-Override", "308")
			_, end, _ := strings.Cut(r.Header.Get("Content-Range"), "-")
			w.Header().Set("Range", "bytes=0-"+strings.TrimSuffix(end, "/*"))
		default:
			io.WriteString(w, `{"id":"1"}`)
		}
	})
	target := open(t, config(server))
	for _, size := range []int64{100 << 20, SingleRequest} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		body := lines(size)
		if _, err := target.Append(t.Context(), inbox, &migrate.Message{Size: size, Body: body}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if spent := after.TotalAlloc - before.TotalAlloc; spent > 16<<20 {
			t.Errorf("%d MiB took %d MiB of allocations", size>>20, spent>>20)
		}
	}
}

func TestABodyIsNotReadOnceItIsClosed(t *testing.T) {
	body, err := targettest.Letter("closed").Body.Open()
	if err != nil {
		t.Fatal(err)
	}
	c := &content{body: body}
	if n, err := c.Read(make([]byte, 10)); n != 10 || err != nil {
		t.Errorf("read %d, error %v", n, err)
	}
	c.Close()
	if n, err := c.Read(make([]byte, 10)); n != 0 || err == nil {
		t.Errorf("after closing, read %d, error %v", n, err)
	}
}

func TestAChunkIsSentOnceWhateverGoesWrong(t *testing.T) {
	for name, fail := range map[string]func(http.ResponseWriter){
		"503":    func(w http.ResponseWriter) { w.WriteHeader(503) },
		"429":    func(w http.ResponseWriter) { w.Header().Set("Retry-After", "900"); w.WriteHeader(429) },
		"closed": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	} {
		var chunks atomic.Int64
		_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			switch {
			case r.Method == http.MethodGet:
				io.WriteString(w, `{"historyId":"1"}`)
			case r.URL.Path != "/chunk":
				w.Header().Set("Location", "http://"+r.Host+"/chunk")
			default:
				chunks.Add(1)
				fail(w)
			}
		})
		_, err := open(t, config(server)).Append(t.Context(), inbox, &migrate.Message{Size: 6 << 20, Body: lines(6 << 20)})
		e, ok := errors.AsType[*migrate.Error](err)
		if !ok || e.Class != migrate.Transient || e.Refused != (name == "429") || (e.Delay == 15*time.Minute) != (name == "429") {
			t.Errorf("%s: %#v", name, err)
		}
		if chunks.Load() != 1 {
			t.Errorf("%s: %d chunks were sent, want 1", name, chunks.Load())
		}
	}
}

func TestARefusalParksTheMailboxUntilTheStatedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := pace.NewLimiter(nil)
		sim, target := inside(t, gmailsim.Options{UploadBytes: 1, ParkTime: 15 * time.Minute}, Config{Limiter: limiter})
		letter := targettest.Letter("parked")
		if _, err := target.Append(t.Context(), inbox, letter); err != nil {
			t.Fatal(err)
		}
		_, err := target.Append(t.Context(), inbox, letter)
		e, ok := errors.AsType[*migrate.Error](err)
		if !ok || e.Class != migrate.Transient || !e.Refused || e.Delay.Round(time.Second) != 15*time.Minute || e.Hint == "" {
			t.Fatalf("the refusal is %#v", err)
		}
		began := time.Now()
		for range 3 { // the simulator moves the time on if it is not kept
			if _, err := target.Position(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if waited := time.Since(began).Round(time.Second); waited != 15*time.Minute {
			t.Errorf("the next call waited %v", waited)
		}
		if n := len(sim.Messages(user)); n != 1 {
			t.Errorf("%d messages arrived, want 1", n)
		}
	})
}

func TestFewerCallsRunAtOnceWhereGmailWantsFewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, target := inside(t, gmailsim.Options{Concurrent: 2, Latency: time.Second}, Config{Parallel: 4, Limiter: pace.NewLimiter(nil)})
		var refused atomic.Int64
		var group sync.WaitGroup
		for w := range 4 {
			group.Go(func() {
				for i := range 12 {
					message := targettest.Letter(fmt.Sprintf("crowd-%d-%d", w, i))
					for {
						_, err := target.Append(t.Context(), inbox, message)
						if err == nil {
							break
						}
						if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient || !e.Refused {
							t.Error(err)
							return
						}
						refused.Add(1)
					}
				}
			})
		}
		group.Wait()
		if n := len(sim.Messages(user)); n != 48 {
			t.Errorf("%d messages arrived, want 48", n)
		}
		if refused.Load() > 2 {
			t.Errorf("%d calls were refused, want those of the first moment", refused.Load())
		}
	})
}

func TestCancellingEndsACallInFlight(t *testing.T) {
	reached := make(chan struct{})
	_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			io.WriteString(w, `{"historyId":"1"}`)
			return
		}
		io.Copy(io.Discard, r.Body)
		close(reached)
		<-r.Context().Done()
	})
	target := open(t, config(server))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-reached; cancel() }()
	_, err := target.Append(ctx, inbox, targettest.Letter("in-flight"))
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient || e.Refused || !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %#v, want one in doubt that wraps the context's", err)
	}
}

func TestAnAnswerWithoutAnIDLeavesTheWriteInDoubt(t *testing.T) {
	for _, answer := range []string{`{}`, ``, `<html>`, `{"id":7}`, `[]`, `null`, `{"id":"1`} {
		_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			if r.Method == http.MethodGet {
				answer := `{"historyId":"1"}`
				io.WriteString(w, answer)
				return
			}
			io.WriteString(w, answer)
		})
		_, err := open(t, config(server)).Append(t.Context(), inbox, targettest.Letter("odd"))
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient || e.Refused {
			t.Errorf("answer %q: %#v", answer, err)
		}
	}
}

func TestEndlessAnswersAreCutOff(t *testing.T) {
	for code, want := range map[int]migrate.Class{200: migrate.Transient, 400: migrate.Permanent} {
		_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/profile") {
				io.WriteString(w, `{"historyId":"1"}`)
				return
			}
			w.WriteHeader(code)
			for page := bytes.Repeat([]byte(" "), 1<<20); ; {
				if _, err := w.Write(page); err != nil {
					return
				}
			}
		})
		_, err := open(t, config(server)).Append(t.Context(), inbox, targettest.Letter("endless"))
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != want {
			t.Errorf("status %d: %v", code, err)
		}
	}
}
