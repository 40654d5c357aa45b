package gmailsim

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2/jwt"
	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/option"
)

const (
	readonly = "https://www.googleapis.com/auth/gmail.readonly"
	onlyAdd  = "https://www.googleapis.com/auth/gmail.insert"
)

// ask asks for a token and returns it, or the error's code and description.
func ask(t testing.TB, s *Server, subject, scope string, edit ...func(claims map[string]any)) (token string, refusal string) {
	t.Helper()
	now := s.o.Now().Unix()
	c := map[string]any{"iss": "sim@project.iam", "sub": subject, "scope": scope, "aud": "https://oauth2.googleapis.com/token", "iat": now, "exp": now + 3600}
	for _, e := range edit {
		e(c)
	}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {encode([]byte(`{"alg":"RS256"}`)) + "." + encode(b) + ".sig"}}
	r := httptest.NewRequest("POST", "/token", strings.NewReader(form.Encode()))
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
		Error       string
		Description string `json:"error_description"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	if w.Code != 200 {
		return "", fmt.Sprintf("%d %s: %s", w.Code, answer.Error, answer.Description)
	}
	return answer.AccessToken, ""
}

// as returns a client of s with another token.
func as(t testing.TB, s *Server, token string) *gmail.UsersService {
	t.Helper()
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	return client(t, web.URL, token)
}

func TestATokenIsGoodForItsSubjectItsScopesAndItsLife(t *testing.T) {
	clock := newClock()
	s, _ := serve(t, Options{Now: clock.now})
	token, refusal := ask(t, s, "Ann@Example.com", readonly+" "+onlyAdd)
	if refusal != "" {
		t.Fatal(refusal)
	}
	g := as(t, s, token)
	for _, name := range []string{"me", user, "ANN@example.com"} {
		if p, err := g.GetProfile(name).Do(); err != nil || p.EmailAddress != user {
			t.Errorf("%s: got %v, %v", name, p, err)
		}
	}
	mustImport(t, g, mailOf("a@x"))
	_, err := g.GetProfile("bob@example.com").Do()
	wantError(t, err, 403, "forbidden", "Delegation denied for ann@example.com")
	_, err = g.Labels.Create(user, &gmail.Label{Name: "x"}).Do()
	wantError(t, err, 403, "insufficientPermissions", "Request had insufficient authentication scopes.")
	clock.wait(time.Hour - 1)
	if _, err := g.GetProfile(user).Do(); err != nil {
		t.Error(err)
	}
	clock.wait(1)
	_, err = g.GetProfile(user).Do()
	wantError(t, err, 401, "authError", "Invalid Credentials")
}

func TestTokensAreRefusedAsDocumented(t *testing.T) {
	s, _ := serve(t, Options{Users: []string{"Ann@example.com"}, Scopes: []string{readonly}})
	for _, test := range []struct {
		subject, scope string
		edit           func(map[string]any)
		want           string
	}{
		{"bob@example.com", readonly, func(map[string]any) {}, "400 invalid_grant: Not a valid email."},
		{user, readonly + " " + onlyAdd, func(map[string]any) {}, "401 unauthorized_client: Client is unauthorized"},
		{user, readonly, func(c map[string]any) { c["exp"] = c["iat"] }, "400 invalid_grant: Invalid JWT"},
		{user, readonly, func(c map[string]any) { c["exp"] = 1 << 40 }, "400 invalid_grant: Invalid JWT"},
		{user, readonly, func(c map[string]any) { delete(c, "iss") }, "400 invalid_grant: Invalid JWT"},
		{user, readonly, func(map[string]any) {}, ""},
	} {
		if _, got := ask(t, s, test.subject, test.scope, test.edit); !strings.HasPrefix(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
	for _, body := range []string{"", "grant_type=password", "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=a.b"} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("POST", "/token", strings.NewReader(body)))
		if w.Code != 400 {
			t.Errorf("%q: got %d", body, w.Code)
		}
	}
}

func TestAnAssertionIsSignedForThoseWhoMay(t *testing.T) {
	s, _ := serve(t, Options{Signers: []string{"mover@project.iam"}})
	sign := func(account, bearer, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/v1/projects/-/serviceAccounts/"+account+":signJwt", strings.NewReader(body))
		if bearer != "" {
			r.Header.Set("Authorization", "Bearer "+bearer)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w
	}
	now := s.o.Now().Unix()
	claims := fmt.Sprintf(`{"iss":"mover@project.iam","sub":"%s","scope":"%s","aud":"https://oauth2.googleapis.com/token","iat":%d,"exp":%d}`, user, readonly, now, now+3600)
	body, err := json.Marshal(map[string]string{"payload": claims})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		account, bearer, body string
		code                  int
		want                  string
	}{
		{"mover@project.iam", "", string(body), 401, "UNAUTHENTICATED"},
		{"other@project.iam", "me", string(body), 403, "IAM_PERMISSION_DENIED"},
		{"mover@project.iam", "me", `{"payload":"no claims"}`, 400, "INVALID_ARGUMENT"},
		{"mover@project.iam", "me", string(body), 200, "signedJwt"},
	} {
		if w := sign(test.account, test.bearer, test.body); w.Code != test.code || !strings.Contains(w.Body.String(), test.want) {
			t.Errorf("%s: %d %s", test.account, w.Code, w.Body)
		}
	}
	var signed struct{ SignedJwt string }
	if err := json.Unmarshal(sign("mover@project.iam", "me", string(body)).Body.Bytes(), &signed); err != nil {
		t.Fatal(err)
	}
	for kind, code := range map[string]int{"http://oauth.net/grant_type/jwt/1.0/bearer": 200, "other": 400} {
		form := url.Values{"grant_type": {"assertion"}, "assertion_type": {kind}, "assertion": {signed.SignedJwt}}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("POST", "/token", strings.NewReader(form.Encode())))
		if w.Code != code {
			t.Errorf("%s: %d %s", kind, w.Code, w.Body)
		}
	}
}

func TestATokenExpiresAtAChosenRequest(t *testing.T) {
	_, g := serve(t, Options{ExpireTokenAt: 2})
	if _, err := g.GetProfile(user).Do(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := g.GetProfile(user).Do()
		wantError(t, err, 401, "authError", "Invalid Credentials")
	}
}

func TestCallersAreRefusedAsDocumented(t *testing.T) {
	for _, test := range []struct {
		name            string
		o               Options
		user            string
		code            int
		reason, message string
	}{
		{"nobody", Options{Users: []string{"bob@example.com"}}, user, 400, "failedPrecondition", "Precondition check failed."},
		{"no subject", Options{}, "me", 400, "failedPrecondition", "Precondition check failed."},
		{"a path", Options{}, "../ann@example.com", 400, "failedPrecondition", "Precondition check failed."},
		{"no Gmail", Options{MailServiceOff: []string{user}}, user, 400, "failedPrecondition", "Mail service not enabled"},
		{"suspended", Options{Suspended: []string{user}}, user, 500, "backendError", "Backend Error"},
		{"domain policy", Options{DomainPolicy: true}, user, 403, "domainPolicy", "The domain administrators have disabled Gmail apps."},
		{"another token", Options{Tokens: []string{"other"}}, user, 401, "authError", "Invalid Credentials"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, g := serve(t, test.o)
			for range 3 {
				_, err := g.GetProfile(test.user).Do()
				wantError(t, err, test.code, test.reason, test.message)
			}
		})
	}
	s, _ := serve(t, Options{})
	if w := send(s, "GET", "/gmail/v1/users/ann@example.com/profile", "", "", "Authorization", "Basic test"); w.Code != 401 {
		t.Errorf("got %d", w.Code)
	}
}

func TestTooManyCallsOfOneUserAtATimeAreRefused(t *testing.T) {
	s, g := serve(t, Options{Concurrent: 1})
	body, sender := io.Pipe()
	r := httptest.NewRequest("POST", "/upload"+importPath+"&uploadType=media", body)
	r.Header.Set("Authorization", "Bearer test")
	r.Header.Set("Content-Type", "message/rfc822")
	w, done := httptest.NewRecorder(), make(chan struct{})
	go func() {
		defer close(done)
		s.ServeHTTP(w, r)
	}()
	if _, err := io.WriteString(sender, mailOf("a@x")); err != nil { // returns when it is being read
		t.Fatal(err)
	}
	_, err := g.GetProfile(user).Do()
	wantError(t, err, 429, "rateLimitExceeded", "Too many concurrent requests for user.")
	if _, err := g.GetProfile("bob@example.com").Do(); err != nil {
		t.Errorf("another user: %v", err)
	}
	sender.Close()
	<-done
	if w.Code != 200 {
		t.Errorf("the first: %d %s", w.Code, w.Body)
	}
	if _, err := g.GetProfile(user).Do(); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestSendingTooMuchParksTheUserUntilATimeInTheText(t *testing.T) {
	clock := newClock()
	_, g := serve(t, Options{UploadBytes: 10, Now: clock.now})
	mustImport(t, g, mailOf("a@x"))
	_, err := importing(g, mailOf("b@x")).Do()
	wantError(t, err, 429, "rateLimitExceeded", "User-rate limit exceeded.  Retry after 2026-11-22T02:15:00.000Z")
	clock.wait(10 * time.Minute)
	_, err = g.GetProfile(user).Do() // moves the time on
	wantError(t, err, 429, "rateLimitExceeded", "User-rate limit exceeded.  Retry after 2026-11-22T02:25:00.000Z")
	clock.wait(15 * time.Minute)
	mustImport(t, g, mailOf("b@x"))

	_, g = serve(t, Options{DownloadBytes: 10, Now: clock.now})
	id := mustImport(t, g, mailOf("a@x"))
	if _, err := g.Messages.Get(user, id).Format("raw").Do(); err != nil {
		t.Fatal(err)
	}
	if _, err = g.Messages.Get(user, id).Format("raw").Do(); err == nil {
		t.Error("not parked")
	}
}

func TestEveryCallTakesAtLeastTheLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Options{Latency: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		start := time.Now()
		if w := send(s, "GET", "/gmail/v1/users/ann@example.com/profile", "", ""); w.Code != 200 || time.Since(start) != time.Hour {
			t.Errorf("got %d after %v", w.Code, time.Since(start))
		}
	})
}

func TestGooglesTokenSourceGetsAToken(t *testing.T) {
	s, _ := serve(t, Options{})
	web := httptest.NewServer(s)
	defer web.Close()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	config := jwt.Config{
		Email: "sim@project.iam", Subject: user, Scopes: []string{readonly}, TokenURL: web.URL + "/token",
		PrivateKey: pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
	}
	g, err := gmail.NewService(t.Context(), option.WithEndpoint(web.URL), option.WithHTTPClient(config.Client(t.Context())))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := g.Users.GetProfile("me").Do(); err != nil || p.EmailAddress != user {
		t.Errorf("got %v, %v", p, err)
	}
}
