package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/privacy"
)

const (
	marker  = "zqsecretzq"
	hookURL = "https://localhost/hooks/" + marker + "?token=" + marker
)

// plain lets https go over pipes without TLS.
func plain(t *testing.T, handler http.HandlerFunc) http.RoundTripper {
	way := serve(t, handler)
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.URL.Scheme = "http"
		return way.RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAWebhookGetsTheEventAsItIsAndSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := []byte(strings.Repeat("k", 32))
		var got Event
		transport := plain(t, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			if err := json.Unmarshal(body, &got); err != nil {
				t.Error(err)
			}
			mac := hmac.New(sha256.New, key)
			io.WriteString(mac, r.Header.Get("webhook-id")+"."+r.Header.Get("webhook-timestamp")+"."+string(body))
			if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); r.Header.Get("webhook-signature") != want {
				t.Errorf("signed %q, want %q", r.Header.Get("webhook-signature"), want)
			}
			if r.Method != "POST" || r.Header.Get("webhook-id") != "id-1" || r.Header.Get("Content-Type") != "application/json; charset=utf-8" ||
				r.Header.Get("webhook-timestamp") != "946684800" || r.URL.Path != "/hooks/"+marker {
				t.Errorf("%s %v", r.Method, r.Header)
			}
			w.WriteHeader(http.StatusNoContent)
		})
		w := NewWebhook(is(hookURL), is("whsec_"+base64.StdEncoding.EncodeToString(key)), transport)
		e := event(1)
		e.Version, e.Tally, e.Until = Version, &Tally{Mailboxes: 3, Messages: 1 << 40}, e.Time.Add(time.Hour)
		if err := w.Send(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, e) {
			t.Errorf("got %+v, want %+v", got, e)
		}
	})
}

func TestAWebhookThatIsBusyIsAskedAgainWhenItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var ids []string
		var at []time.Duration
		answers := []string{"100", time.Now().Add(10 * time.Minute).UTC().Format(http.TimeFormat), "999999999", "-5", "", "soon"}
		transport := plain(t, func(w http.ResponseWriter, r *http.Request) {
			ids, at = append(ids, r.Header.Get("webhook-id")), append(at, time.Since(begun))
			if n := len(at); n <= len(answers) {
				w.Header().Set("Retry-After", answers[n-1])
				w.WriteHeader([]int{503, 429, 502, 408, 425, 500}[n-1])
			}
		})
		var r reports
		schedule := schedule
		schedule.Patience = 24 * time.Hour
		o := NewOutbox(privacy.Policy{}, r.add, way(func(ctx context.Context, e Event) error {
			hook := NewWebhook(is(hookURL), nil, transport)
			return schedule.Do(ctx, func(string, time.Time) {}, func() error { return hook.Send(ctx, e) })
		}))
		o.Add(event(1))
		o.Close(t.Context())
		if len(at) != 7 || len(r.list()) != 0 {
			t.Fatalf("asked at %v, reported %q", at, r.list())
		}
		for i, want := range []time.Duration{0, 100 * time.Second, 10 * time.Minute, 70 * time.Minute, 70*time.Minute + 40*time.Second} {
			if at[i] < want || at[i] > want*5/4+2*time.Minute || ids[i] != "id-1" {
				t.Errorf("attempt %d came after %v, want %v, as %s", i, at[i], want, ids[i])
			}
		}
	})
}

func TestAnAnswerSaysWhetherToTryAgainAndNeverRepeatsASecret(t *testing.T) {
	for code, class := range map[int]migrate.Class{
		301: migrate.Permanent, 302: migrate.Permanent, 307: migrate.Permanent, 308: migrate.Permanent,
		400: migrate.Permanent, 401: migrate.Permanent, 404: migrate.Permanent, 410: migrate.Permanent, 413: migrate.Permanent, 600: migrate.Transient,
		408: migrate.Transient, 425: migrate.Transient, 429: migrate.Transient, 500: migrate.Transient, 503: migrate.Transient, 599: migrate.Transient,
	} {
		asked := 0
		transport := plain(t, func(w http.ResponseWriter, r *http.Request) {
			asked++
			w.Header().Set("Location", "http://localhost/"+marker)
			w.Header().Set("Retry-After", marker)
			w.WriteHeader(code)
			io.WriteString(w, "no such hook: "+r.URL.String())
		})
		err := NewWebhook(is(hookURL), nil, transport).Send(t.Context(), event(1))
		e, ok := errors.AsType[*migrate.Error](err)
		if !ok || e.Class != class || asked != 1 {
			t.Errorf("%d: %v after %d requests", code, err, asked)
		}
		silent(t, err)
	}
}

// silent expects an error without a secret in it.
func silent(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Error("no error")
		return
	}
	reason, hint := migrate.Explain(err)
	if strings.Contains(reason+hint, marker) || strings.Contains(reason+hint, base64.StdEncoding.EncodeToString([]byte(marker))[:12]) {
		t.Errorf("a secret is in: %s %s", reason, hint)
	}
}

func TestAnAddressThatIsUnsafeIsNotCalled(t *testing.T) {
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		t.Errorf("%s was called", r.URL)
		return nil, io.EOF
	})
	for _, url := range []string{
		"http://hooks.example.com/" + marker, "http://127.0.0.1.example.com/" + marker, "ftp://localhost/" + marker, "https://", "/" + marker,
		marker, "https://[::1/" + marker, "https://a b/" + marker, "https://h/%zz" + marker, "", "javascript:" + marker, "http://localhost@example.com/" + marker,
		"https://h:port" + marker + "/", "https://h/\x7f" + marker,
	} {
		silent(t, NewWebhook(is(url), nil, transport).Send(t.Context(), event(1)))
		silent(t, Ping(t.Context(), is(url), transport))
	}
	none := func(context.Context) (string, error) { return "", errors.New("secret file /x: no such file") }
	err := NewWebhook(none, nil, transport).Send(t.Context(), event(1))
	if err == nil || !strings.Contains(err.Error(), "webhook: secret file /x: no such file") {
		t.Error(err)
	}
	for _, key := range []string{"whsec_" + marker, marker, "whsec_" + base64.StdEncoding.EncodeToString([]byte(marker)), "whsec_", "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 65))} {
		silent(t, NewWebhook(is("https://localhost"), is(key), transport).Send(t.Context(), event(1)))
	}
}

func TestOnThisMachineHTTPWillDo(t *testing.T) {
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked.Add(1) }))
	defer s.Close()
	if err := NewWebhook(is(s.URL+"/x"), nil, nil).Send(t.Context(), event(1)); err != nil || asked.Load() != 1 {
		t.Errorf("%v after %d requests", err, asked.Load())
	}
}

func TestAServerThatNobodyVouchesForIsNotTold(t *testing.T) {
	var told atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { told.Add(1) }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	err := NewWebhook(is(s.URL+"/"+marker), nil, nil).Send(t.Context(), event(1))
	silent(t, err)
	if err == nil || !strings.Contains(err.Error(), "whom this machine trusts") || told.Load() != 0 {
		t.Errorf("%v, told %d times", err, told.Load())
	}
	if err := NewWebhook(is(s.URL+"/"+marker), nil, s.Client().Transport).Send(t.Context(), event(1)); err != nil || told.Load() != 1 {
		t.Errorf("one that is trusted: %v, told %d times", err, told.Load())
	}
}

func TestAConnectionThatFailsIsDescribedWithoutItsAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := "http://" + l.Addr().String() + "/" + marker
	l.Close()
	err = NewWebhook(is(refused), nil, nil).Send(t.Context(), event(1))
	silent(t, err)
	if err == nil || strings.Contains(err.Error(), "127.0.0.1") || !strings.Contains(err.Error(), "connection refused") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	silent(t, NewWebhook(is(refused), nil, nil).Send(ctx, event(1)))
	for _, fails := range []error{errors.New(marker), &net.DNSError{Name: marker}, &net.OpError{Op: marker, Err: errors.New(marker)}} {
		transport := roundTripper(func(*http.Request) (*http.Response, error) { return nil, fails })
		silent(t, NewWebhook(is(hookURL), nil, transport).Send(t.Context(), event(1)))
	}
}

func TestAServerThatNeverAnswersIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		transport := plain(t, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		})
		err := NewWebhook(is(hookURL), nil, transport).Send(t.Context(), event(1))
		silent(t, err)
		if time.Since(begun) != sendTimeout || err == nil || !strings.Contains(err.Error(), "no answer within 30s") {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

func TestAnEndlessAnswerIsNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		transport := plain(t, func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		})
		if err := NewWebhook(is(hookURL), nil, transport).Send(t.Context(), event(1)); err != nil || time.Since(begun) != 0 {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}
