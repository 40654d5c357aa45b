package graph

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

// breakWrite makes the nth write from now fail once: done but unanswered if
// late, not done if not. It returns whether it has.
func (w *world) breakWrite(n int64, late bool) *atomic.Bool {
	return w.breakCall(n, late, func(r *http.Request) bool { return r.Method != http.MethodGet })
}

// breakCall does so to the nth call that counts.
func (w *world) breakCall(n int64, late bool, counts func(*http.Request) bool) *atomic.Bool {
	var calls atomic.Int64
	done := new(atomic.Bool)
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		if !counts(r) || calls.Add(1) != n {
			w.sim.ServeHTTP(rw, r)
			return
		}
		done.Store(true)
		if late {
			w.sim.ServeHTTP(httptest.NewRecorder(), r)
		}
		panic(http.ErrAbortHandler)
	}
	return done
}

// large has an attachment for each way: in the create request, in a request of
// its own, and in an upload session.
func large() *migrate.Message {
	b := strings.Builder{}
	b.WriteString("From: Ann <ann@example.org>\r\nSubject: large\r\nDate: Fri, 03 Jul 2009 14:15:16 +0000\r\nMessage-ID: <large@example.org>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n")
	for i, n := range []int{1_000, 1_600_000, 3_300_000} {
		fmt.Fprintf(&b, "--b\r\nContent-Type: application/octet-stream; name=%d.bin\r\n\r\n%s\r\n", i, strings.Repeat(string(rune('x'+i)), n))
	}
	b.WriteString("--b--\r\n")
	return targettest.Message([]byte(b.String()), "<large@example.org>", migrate.Seen, migrate.Flagged)
}

// Each write of an append fails, before or after Graph did it; then another
// process looks, and writes again if nothing is found, as the engine would.
func TestWhateverCallFailsTheMessageIsThereOnceAndWhole(t *testing.T) {
	for _, route := range []Route{RouteImport, RouteJSON} {
		for name, m := range map[string]*migrate.Message{
			"unread":        targettest.Letter("unread", migrate.Flagged),
			"read":          targettest.Letter("read", migrate.Seen, migrate.Flagged, "work"),
			"no Message-ID": targettest.Message([]byte("From: a@example.org\r\nSubject: s\r\n\r\nbody\r\n"), "", migrate.Flagged),
			"large":         large(),
			"draft":         targettest.Letter("draft", migrate.Flagged, migrate.Draft),
		} {
			if name == "large" && route == RouteImport {
				continue // goes by JSON at once
			}
			for _, late := range []bool{true, false} {
				for n := int64(1); n < 20; n++ {
					w := newWorld(t, graphsim.Options{FilterDelay: time.Hour, WithoutRoles: []string{"MailboxSettings.ReadWrite"}})
					first := w.open(t, Config{Route: route})
					places, err := first.Place(t.Context(), []migrate.Folder{{Path: []string{"F"}}})
					if err != nil {
						t.Fatal(err)
					}
					folder := places[0].ID
					since, err := first.Position(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					fired := w.breakWrite(n, late)
					_, err = first.Append(t.Context(), folder, m)
					if !fired.Load() {
						if n == 1 || err != nil {
							t.Fatalf("write %d: %v", n, err)
						}
						break
					}
					what := fmt.Sprintf("%s, %s, late %v, write %d", route, name, late, n)
					if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient || e.Refused {
						t.Errorf("%s: %#v, want a doubt", what, err)
					}
					again := w.open(t, Config{Route: route})
					_, err = again.Find(t.Context(), folder, m, since)
					if errors.Is(err, migrate.ErrNotFound) {
						_, err = again.Append(t.Context(), folder, m)
					}
					if err != nil {
						t.Errorf("%s: %v", what, err)
					}
					ms := w.sim.Messages(user)
					if len(ms) != 1 {
						t.Errorf("%s: %d messages", what, len(ms))
						continue
					}
					got := ms[0]
					if key := property64(got); key != m.Key {
						t.Errorf("%s: key %q", what, key)
					}
					if got.IsDraft != m.HasFlag(migrate.Draft) || got.IsRead != m.HasFlag(migrate.Seen) || got.Flag != "flagged" {
						t.Errorf("%s: draft %v, read %v, flag %q", what, got.IsDraft, got.IsRead, got.Flag)
					}
					if sizes := attachmentSizes(got); name == "large" && !slices.Equal(sizes, []int64{1_000, 1_600_000, 3_300_000}) {
						t.Errorf("%s: attachments %v", what, sizes)
					}
				}
			}
		}
	}
}

// property64 returns the migration key, whatever the spelling of its id.
func property64(m graphsim.Message) string {
	for id, v := range m.SingleValue {
		if strings.HasSuffix(id, "MigrationKey") {
			return v
		}
	}
	return ""
}

func attachmentSizes(m graphsim.Message) (sizes []int64) {
	for _, a := range m.Attachments {
		sizes = append(sizes, a.Size)
	}
	slices.Sort(sizes)
	return sizes
}

// A folder with one message imported but without its key, as a crash leaves it.
func keyless(t *testing.T, m *migrate.Message) (*world, migrate.FolderID, migrate.Position) {
	t.Helper()
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteImport})
	places, err := target.Place(t.Context(), []migrate.Folder{{Path: []string{"F"}}})
	if err != nil {
		t.Fatal(err)
	}
	since, err := target.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.breakWrite(2, false)
	if _, err := target.Append(t.Context(), places[0].ID, m); err == nil {
		t.Fatal("the append did not fail")
	}
	return w, places[0].ID, since
}

func TestEqualMessagesStayTwo(t *testing.T) {
	one, two := targettest.Letter("twin"), targettest.Letter("twin")
	two.Key = strings.Repeat("cd", 32)
	w, folder, since := keyless(t, one)
	target := w.open(t, Config{Route: RouteImport})
	found, err := target.Find(t.Context(), folder, one, since)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := target.Find(t.Context(), folder, two, since); !errors.Is(err, migrate.ErrNotFound) {
		t.Errorf("the second was found as %s (%v), the first is %s", got.ID, err, found.ID)
	}
	if _, err := target.Append(t.Context(), folder, two); err != nil {
		t.Fatal(err)
	}
	if n := len(w.sim.Messages(user)); n != 2 {
		t.Errorf("%d messages", n)
	}
}

func TestAFailureAfterTheImportIsNeverCalledRefused(t *testing.T) {
	for _, fault := range []string{"429@3", "503@3"} {
		faults, err := graphsim.ParseFaults(fault)
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, graphsim.Options{Faults: faults})
		target := w.open(t, Config{Route: RouteImport})
		places, err := target.Place(t.Context(), []migrate.Folder{{Path: []string{"F"}}}) // write 1
		if err != nil {
			t.Fatal(err)
		}
		_, err = target.Append(t.Context(), places[0].ID, targettest.Letter("a")) // writes 2 and 3
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Refused || e.Class != migrate.Transient {
			t.Errorf("%s: %#v", fault, err)
		}
	}
}

// refuse answers calls whose method and path match with an error.
func (w *world) refuse(method, path string, status int, code string, header ...string) {
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != method || !strings.Contains(r.URL.Path, path) {
			w.sim.ServeHTTP(rw, r)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		for i := 0; i < len(header); i += 2 {
			rw.Header().Set(header[i], header[i+1])
		}
		rw.WriteHeader(status)
		fmt.Fprintf(rw, `{"error":{"code":%q,"message":"no"}}`, code)
	}
}

func TestAThrottledCallParksTheMailbox(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	limiter := pace.NewLimiter(nil, MailboxLimits()...)
	target := w.open(t, Config{Route: RouteJSON, Limiter: limiter})
	w.refuse("POST", "/messages", 429, "ApplicationThrottled", "Retry-After", "3600.5")
	_, err := target.Append(t.Context(), "inbox", targettest.Letter("a"))
	e, ok := errors.AsType[*migrate.Error](err)
	if !ok || e.Class != migrate.Transient || !e.Refused || e.Delay != 3600500*time.Millisecond {
		t.Fatalf("%#v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	called := make(chan error)
	go func() {
		_, err := target.Position(ctx)
		called <- err
	}()
	for parked := false; !parked; {
		select {
		case err := <-called:
			t.Fatalf("the next call did not wait: %v", err)
		default:
			_, until := limiter.Waiting()
			parked = time.Until(until) > 50*time.Minute
		}
	}
	cancel()
	if err := <-called; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestFlagsThatAreRefusedDoNotCostTheMessage(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteImport})
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method == http.MethodPatch && strings.Contains(string(body), "categories") {
			rw.WriteHeader(http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		w.sim.ServeHTTP(rw, r)
	}
	m := targettest.Letter("a", migrate.Seen, "work")
	stored, err := target.Append(t.Context(), "inbox", m)
	if err != nil || !slices.Contains(stored.Notes, "flags-refused") {
		t.Fatalf("%v %v", stored, err)
	}
	if got := w.sim.Messages(user)[0]; !got.IsRead || property64(got) != m.Key {
		t.Errorf("%+v", got)
	}
}

func TestAMessageThatCannotBeCompletedLeavesNothing(t *testing.T) {
	for _, route := range []Route{RouteImport, RouteJSON} {
		w := newWorld(t, graphsim.Options{})
		target := w.open(t, Config{Route: route})
		w.refuse("PATCH", "/messages/", 400, "ErrorInvalidRequest")
		_, err := target.Append(t.Context(), "inbox", targettest.Letter("a"))
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Permanent {
			t.Errorf("%s: %v", route, err)
		}
		if n := len(w.sim.Messages(user)); n != 0 {
			t.Errorf("%s: %d messages are left", route, n)
		}
	}
	w := newWorld(t, graphsim.Options{SealedAttachments: true})
	_, err := w.open(t, Config{Route: RouteJSON}).Append(t.Context(), "inbox", large())
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class == migrate.Transient || len(w.sim.Messages(user)) != 0 {
		t.Errorf("sealed: %v, %d messages are left", err, len(w.sim.Messages(user)))
	}
}

func TestWhatImportCannotTakeGoesByJSON(t *testing.T) {
	for note, opt := range map[string]graphsim.Options{
		"too-large-to-import": {MaxImport: 100},
		"import-refused":      {RefuseBroken: true},
	} {
		w := newWorld(t, opt)
		m := targettest.Message([]byte("Subject: s\r\nDate: Fri, 03 Jul 2009 14:15:16 +0000\r\n\r\n"+strings.Repeat("body\r\n", 100)), "", migrate.Seen)
		stored, err := w.open(t, Config{Route: RouteImport}).Append(t.Context(), "inbox", m)
		if err != nil || !slices.Contains(stored.Notes, note) {
			t.Errorf("%s: %v %v", note, stored, err)
		}
		if ms := w.sim.Messages(user); len(ms) != 1 || ms[0].Route != graphsim.RouteJSON || !ms[0].ReceivedDateTime.Equal(targettest.Date) {
			t.Errorf("%s: %+v", note, ms)
		}
	}
}

func TestSignedMailIsFailedAndNotBroken(t *testing.T) {
	signed := "From: a@example.org\r\nSubject: s\r\nContent-Type: multipart/signed; boundary=b; protocol=\"application/pgp-signature\"\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n"
	m := targettest.Message([]byte(signed), "")
	w := newWorld(t, graphsim.Options{})
	_, err := w.open(t, Config{Route: RouteJSON}).Append(t.Context(), "inbox", m)
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Permanent || !e.Refused || e.Hint == "" {
		t.Errorf("%#v", err)
	}
	if _, err := w.open(t, Config{Route: RouteImport}).Append(t.Context(), "inbox", m); err != nil {
		t.Errorf("import: %v", err)
	}
	if ms := w.sim.Messages(user); len(ms) != 1 || string(octetsOf(t, ms[0])) != keyLine(m.Key)+signed {
		t.Errorf("%+v", ms)
	}

	w = newWorld(t, graphsim.Options{})
	stored, err := w.open(t, Config{Route: RouteJSON, AttachProtected: true}).Append(t.Context(), "inbox", m)
	if err != nil || !slices.Equal(stored.Notes, []string{"protected-attached", "message-id-missing", "sent-date-missing"}) {
		t.Errorf("attached: %v %v", stored, err)
	}
	ms := w.sim.Messages(user)
	sum := sha256.Sum256([]byte(signed))
	if len(ms) != 1 || len(ms[0].Attachments) != 1 || ms[0].Attachments[0].SHA256 != hex.EncodeToString(sum[:]) || ms[0].IsDraft || property64(ms[0]) != m.Key {
		t.Errorf("attached: %+v", ms)
	}
}

func TestADraftStaysADraft(t *testing.T) {
	signed := "From: a@example.org\r\nDate: Fri, 03 Jul 2009 14:15:16 +0000\r\nContent-Type: application/pkcs7-mime\r\n\r\nMIIB\r\n"
	for _, route := range []Route{RouteImport, RouteJSON} {
		w := newWorld(t, graphsim.Options{})
		target := w.open(t, Config{Route: route})
		m := targettest.Letter("draft", migrate.Draft, migrate.Flagged, "work")
		stored, err := target.Append(t.Context(), "inbox", m)
		if err != nil || len(stored.Notes) > 0 {
			t.Errorf("%s: %v %v", route, stored, err)
		}
		if ms := w.sim.Messages(user); len(ms) != 1 || !ms[0].IsDraft || ms[0].IsRead || ms[0].Flag != "flagged" || ms[0].Folder[0] != "Inbox" ||
			!slices.Equal(ms[0].Categories, []string{"work"}) || property64(ms[0]) != m.Key || !ms[0].ReceivedDateTime.Equal(targettest.Date) {
			t.Errorf("%s: %+v", route, ms)
		}
		protected := targettest.Message([]byte(signed), "", migrate.Draft, migrate.Seen)
		stored, err = target.Append(t.Context(), "inbox", protected)
		if route == RouteJSON {
			if err == nil {
				t.Error("a signed draft was rebuilt")
			}
			continue
		}
		if ms := w.sim.Messages(user); err != nil || !slices.Equal(stored.Notes, []string{"draft-as-message", "message-id-missing"}) || len(ms) != 2 || ms[1].IsDraft {
			t.Errorf("a signed draft: %v %v %+v", stored, err, ms)
		}
	}
}

func TestAnswersAndForwardsAreLastVerbs(t *testing.T) {
	for _, c := range []struct {
		flags      []migrate.Flag
		verb, icon string
		notes      int
	}{
		{[]migrate.Flag{migrate.Answered}, "102", "261", 0},
		{[]migrate.Flag{migrate.Forwarded}, "104", "262", 0},
		{[]migrate.Flag{migrate.Answered, migrate.Forwarded}, "102", "261", 1},
		{nil, "", "", 0},
	} {
		for _, route := range []Route{RouteImport, RouteJSON} {
			w := newWorld(t, graphsim.Options{})
			stored, err := w.open(t, Config{Route: route}).Append(t.Context(), "inbox", targettest.Letter("a", c.flags...))
			if err != nil {
				t.Fatal(err)
			}
			got := w.sim.Messages(user)[0].SingleValue
			if got["Integer 0x1081"] != c.verb || got["Integer 0x1080"] != c.icon || len(stored.Notes) != c.notes {
				t.Errorf("%s: %v became %v, notes %v", route, c.flags, got, stored.Notes)
			}
		}
	}
}

func octetsOf(t *testing.T, m graphsim.Message) []byte {
	t.Helper()
	b, err := m.Octets()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestATokenIsRenewedOnceAndThenGivenUp(t *testing.T) {
	w := newWorld(t, graphsim.Options{Tokens: []string{"new"}})
	var asked []string
	renewing := func(_ context.Context, refused string) (string, error) {
		asked = append(asked, refused)
		if refused == "" && len(asked) == 1 {
			return "old", nil
		}
		return "new", nil
	}
	target := w.open(t, Config{Route: RouteImport, Token: renewing})
	if asked[1] != "old" {
		t.Errorf("asked for %q", asked)
	}
	if _, err := target.Append(t.Context(), "inbox", targettest.Letter("a")); err != nil {
		t.Error(err)
	}
	for _, token := range []Token{StaticToken("secret-token"), func(_ context.Context, refused string) (string, error) { return "secret-token" + refused, nil }} {
		_, err := Open(t.Context(), Config{User: user, Endpoint: w.server.URL, Token: token})
		e, ok := errors.AsType[*migrate.Error](err)
		if !ok || e.Class != migrate.Fatal || strings.Contains(err.Error()+e.Hint, "secret-token") {
			t.Errorf("%v", err)
		}
	}
}

func TestCallsNeverExceedParallel(t *testing.T) {
	w := newWorld(t, graphsim.Options{Quota: graphsim.Quota{Concurrent: 2}})
	target := w.open(t, Config{Route: RouteImport, Parallel: 2})
	var running atomic.Int64
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		if n := running.Add(1); n > 2 {
			t.Errorf("%d calls at once", n)
		}
		w.sim.ServeHTTP(rw, r)
		running.Add(-1)
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			if _, err := target.Append(t.Context(), "inbox", targettest.Letter(fmt.Sprintf("m%d", i))); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// A link in an answer must not carry the token elsewhere.
func TestTheTokenGoesNowhereElse(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteImport})
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a call with Authorization %q", r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		rw.Header().Set("Location", elsewhere.URL)
		if r.URL.Path != "/v1.0/users/"+user+"/mailFolders" {
			rw.WriteHeader(http.StatusTemporaryRedirect)
			return
		}
		fmt.Fprintf(rw, `{"value":[],"@odata.nextLink":%q}`, elsewhere.URL+"/v1.0/next")
	}
	if _, err := target.Place(t.Context(), nil); classOf(err) != migrate.Fatal {
		t.Errorf("next link: %v", err)
	}
	if _, err := target.Position(t.Context()); classOf(err) != migrate.Permanent {
		t.Errorf("redirect: %v", err)
	}
}

func TestEveryCallAsksForImmutableIDsAndNamesItself(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		upload := r.Header.Get("Content-Range") != ""
		if got := r.Header.Values("Prefer"); !upload && !slices.Contains(got, `IdType="ImmutableId"`) {
			t.Errorf("%s %s prefers %q", r.Method, r.URL.Path, got)
		}
		if upload && r.Header.Get("Authorization") != "" {
			t.Errorf("%s %s has the token", r.Method, r.URL.Path)
		}
		if r.Header.Get("Client-Request-Id") == "" || r.ContentLength < 0 {
			t.Errorf("%s %s: %v, length %d", r.Method, r.URL.Path, r.Header, r.ContentLength)
		}
		w.sim.ServeHTTP(rw, r)
	}
	target := w.open(t, Config{})
	if _, err := target.Place(t.Context(), []migrate.Folder{{Path: []string{"A", "B"}}}); err != nil {
		t.Error(err)
	}
	if _, err := target.Append(t.Context(), "inbox", targettest.Letter("a")); err != nil {
		t.Error(err)
	}
	if _, err := target.Append(t.Context(), "inbox", large()); err != nil {
		t.Error(err)
	}
	if _, err := target.Find(t.Context(), "inbox", targettest.Letter("b"), "2000-01-01T00:00:00Z"); !errors.Is(err, migrate.ErrNotFound) {
		t.Error(err)
	}
}
