package gmail

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

// keyFile returns the key of a new service account.
func keyFile(t *testing.T, tokenURL string) []byte {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := json.Marshal(map[string]string{
		"type":         "service_account",
		"client_email": "mover@project.example.org",
		"private_key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"token_uri":    tokenURL,
	})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestAServiceAccountActsForTheUser(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{Scopes: []string{Scope}, Users: []string{user}, Tokens: []string{"none"}})
	key := keyFile(t, server.URL+"/token")
	source, err := ServiceAccount(key, user)
	if err != nil {
		t.Fatal(err)
	}
	c := config(server)
	c.TokenSource = source
	target := open(t, c)
	if _, err := target.Append(t.Context(), inbox, targettest.Letter("hello")); err != nil || len(sim.Messages(user)) != 1 {
		t.Errorf("append: %v", err)
	}
	// The scope is enough for every call.
	if _, err := target.Update(t.Context(), migrate.Change{AddFolder: inbox}, "18c0ffee00000000"); !errors.Is(err, migrate.ErrNotFound) {
		t.Errorf("update: %v", err)
	}

	if c.TokenSource, err = ServiceAccount(key, "nobody@example.org"); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), c)
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Fatal || !strings.Contains(e.Error(), "Not a valid email") {
		t.Errorf("unknown user: %v", err)
	}

	_, server = serve(t, gmailsim.Options{Scopes: []string{"https://www.googleapis.com/auth/gmail.readonly"}})
	if c.TokenSource, err = ServiceAccount(keyFile(t, server.URL+"/token"), user); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), c)
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Fatal || !strings.Contains(e.Hint, Scope) {
		t.Errorf("scope not authorised: %v", err)
	}
}

func TestABadKeyIsRefusedWithoutQuotingIt(t *testing.T) {
	for _, key := range []string{"", "secret", `{"type":"secret"}`, `{"type":"service_account","private_key":"secret"`} {
		if _, err := ServiceAccount([]byte(key), user); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("key %q: %v", key, err)
		}
	}
}

// numbered gives the tokens t1, t2 and so on, each for life.
func numbered(life time.Duration, asked *atomic.Int64) oauth2.TokenSource {
	return sourceFunc(func() (*oauth2.Token, error) {
		return &oauth2.Token{AccessToken: fmt.Sprint("t", asked.Add(1)), Expiry: time.Now().Add(life)}, nil
	})
}

func TestAnExpiredTokenIsReplacedOnce(t *testing.T) {
	// The third request finds its token expired.
	_, server := serve(t, gmailsim.Options{Tokens: []string{"t1", "t2"}, ExpireTokenAt: 3})
	var asked atomic.Int64
	c := config(server)
	c.TokenSource = numbered(time.Hour, &asked)
	target := open(t, c)
	var classes []string
	for i := range 4 {
		_, err := target.Append(t.Context(), inbox, targettest.Letter(fmt.Sprint("token-", i)))
		if e, ok := errors.AsType[*migrate.Error](err); ok {
			classes = append(classes, fmt.Sprint(i, e.Class == migrate.Transient, e.Refused))
		}
	}
	if fmt.Sprint(classes) != "[1 true true]" || asked.Load() != 2 {
		t.Errorf("failures %v with %d tokens, want one that is transient and refused, and 2 tokens", classes, asked.Load())
	}
}

func TestASecondRefusedTokenStopsTheMailbox(t *testing.T) {
	_, server := serve(t, gmailsim.Options{Tokens: []string{"t1"}, ExpireTokenAt: 2})
	var asked atomic.Int64
	c := config(server)
	c.TokenSource = numbered(time.Hour, &asked)
	target := open(t, c)
	for i, want := range []migrate.Class{migrate.Transient, migrate.Fatal, migrate.Fatal} {
		_, err := target.Position(t.Context())
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != want || !e.Refused || strings.Contains(err.Error(), "t2") {
			t.Errorf("call %d: %v", i, err)
		}
	}
}

func TestATokenIsReplacedBeforeItExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		_, target := inside(t, gmailsim.Options{Tokens: []string{"t1", "t2", "t3"}}, Config{TokenSource: numbered(time.Hour, &asked)})
		for _, wait := range []time.Duration{58 * time.Minute, 2 * time.Minute, 30 * time.Minute} {
			time.Sleep(wait)
			if _, err := target.Position(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if asked.Load() != 2 {
			t.Errorf("%d tokens were asked for, want 2", asked.Load())
		}
	})
}

func TestTokensAreNeverPutIntoErrorsOrSentElsewhere(t *testing.T) {
	var elsewhere atomic.Value
	_, other := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		elsewhere.Store(r.Header.Get("Authorization"))
		w.Write([]byte(`{"id":"1"}`))
	})
	_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodGet:
			w.Write([]byte(`{"historyId":"1"}`))
		case r.URL.Query().Get("uploadType") == "resumable":
			w.Header().Set("Location", other.URL+"/upload")
		default:
			w.WriteHeader(400)
			fmt.Fprintf(w, "you sent %s", r.Header)
		}
	})
	c := config(server)
	c.TokenSource = Static(func() (string, error) { return "s3cr3t", nil })
	target := open(t, c)
	_, err := target.Append(t.Context(), inbox, targettest.Letter("echo"))
	if err == nil || strings.Contains(err.Error(), "s3cr3t") || !strings.Contains(err.Error(), "[token]") {
		t.Errorf("the error is %v", err)
	}
	large := targettest.Message(make([]byte, SingleRequest+1), "")
	if _, err = target.Append(t.Context(), inbox, large); err != nil {
		t.Fatal(err)
	}
	if got := elsewhere.Load(); got != "" {
		t.Errorf("the other host was given %q", got)
	}
}

func TestOpeningGivesUpOnATokenThatIsRefusedTwice(t *testing.T) {
	_, server := serve(t, gmailsim.Options{Tokens: []string{"other"}})
	_, err := Open(t.Context(), config(server))
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Fatal || e.Hint == "" {
		t.Errorf("the error is %#v", err)
	}
}
