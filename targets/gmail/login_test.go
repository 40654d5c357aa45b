package gmail

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"
	"google.golang.org/api/option"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

func TestTokenRefusalsNameThePlaceInTheConsole(t *testing.T) {
	who := login{account: "mover@project.iam.gserviceaccount.com", clientID: "117", user: user}
	response := func(code int, body string) error {
		return &loginError{who, &oauth2.RetrieveError{Response: &http.Response{StatusCode: code, Status: http.StatusText(code)}, Body: []byte(body)}}
	}
	keyless := func(format string, args ...any) error {
		return &loginError{login{account: who.account, user: user}, fmt.Errorf("impersonate: "+format, args...)}
	}
	for _, test := range []struct {
		err   error
		class migrate.Class
		hint  string
		text  string
	}{
		{response(400, `{"error":"invalid_grant","error_description":"Not a valid email."}`), fatal, "no such user as " + user + ": look in the Admin console under Directory > Users", "invalid_grant: Not a valid email."},
		{response(400, `{"error":"invalid_grant","error_description":"Invalid email or User ID"}`), fatal, "no such user", "Invalid email"},
		{response(400, `{"error":"invalid_grant","error_description":"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."}`), fatal, "The clock", "short-lived"},
		{response(400, `{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`), fatal, "key of the service account was deleted", "Signature"},
		{response(400, `{"error":"invalid_grant","error_description":"Invalid grant: account not found"}`), fatal, "service account was deleted", "account not found"},
		{response(400, `{"error":"invalid_grant"}`), fatal, "clock is wrong", "invalid_grant"},
		{response(401, `{"error":"unauthorized_client","error_description":"Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested."}`),
			fatal, "Manage Domain Wide Delegation > Add new. Client ID: 117. OAuth scopes: " + Scope + ".", "unauthorized_client"},
		{response(403, `{"error":"access_denied","error_description":"Requested client not authorized."}`), fatal, "Client ID: 117.", "access_denied"},
		{response(400, `{"error":"admin_policy_enforced"}`), fatal, "Manage app access", "admin_policy_enforced"},
		{response(401, `{"error":"disabled_client"}`), fatal, "disabled or deleted", "disabled_client"},
		{response(404, `<html>not found</html>`), fatal, "service account", "not found"},
		{response(503, `<html>later</html>`), transient, "", "later"},
		{response(429, ``), transient, "", "429"},
		{keyless(`status code 403: {"error":{"code":403,"message":"Permission 'iam.serviceAccounts.signJwt' denied on resource (or it may not exist).","status":"PERMISSION_DENIED","details":[{"reason":"IAM_PERMISSION_DENIED"}]}}`),
			fatal, "Service Account Token Creator on the service account " + who.account, "signJwt"},
		{keyless(`status code 403: {"error":{"status":"PERMISSION_DENIED"}}`), fatal, "Service Account Token Creator", "403"},
		{keyless(`status code 403: {"error":{"code":403,"message":"IAM Service Account Credentials API has not been used in project 7 before or it is disabled.","status":"PERMISSION_DENIED","details":[{"reason":"SERVICE_DISABLED"}]}}`),
			fatal, "API is not enabled", "project 7"},
		{keyless(`status code 404: {"error":{"code":404,"message":"Not found; Gaia id not found for email mover@project.iam.gserviceaccount.com","status":"NOT_FOUND"}}`),
			fatal, "no service account " + who.account, "Gaia id"},
		{keyless(`status code 401: {"error":"unauthorized_client"}`), fatal, "Client ID: the unique ID of " + who.account, "unauthorized_client"},
		{keyless(`status code 503: `), transient, "", "503"},
		{keyless(`unable to sign JWT: Post "https://iamcredentials.googleapis.com/v1/x": oauth2: "invalid_grant" "reauth related error (invalid_rapt)"`), fatal, "application-default login\" again", "login of this machine"},
		{&loginError{who, &localError{errors.New("google: could not find default credentials")}}, fatal, "gcloud auth application-default login", "default credentials"},
		{&oauth2.RetrieveError{Response: &http.Response{StatusCode: 401}, Body: []byte(`{"error":"unauthorized_client"}`)}, fatal, "Client ID: that of the application", "unauthorized_client"},
		{errors.New("no route to host"), transient, "", "no route to host"},
	} {
		e, _ := classify("getProfile", &url.Error{Op: "Get", URL: "x", Err: &tokenError{test.err}}, now)
		if e.Class != test.class || !e.Refused || !strings.Contains(e.Hint, test.hint) || test.hint == "" != (e.Hint == "") || !strings.Contains(e.Error(), test.text) {
			t.Errorf("%v: class %v, refused %v, hint %q, text %q", test.err, e.Class, e.Refused, e.Hint, e)
		}
	}
}

func TestADelegationThatIsMissingNamesTheClientIDOfTheKey(t *testing.T) {
	_, server := serve(t, gmailsim.Options{Scopes: []string{"https://www.googleapis.com/auth/gmail.readonly"}})
	key := strings.Replace(string(keyFile(t, server.URL+"/token")), "{", `{"client_id":"104857600000000000001",`, 1)
	c := config(server)
	var err error
	if c.TokenSource, err = ServiceAccount([]byte(key), user); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), c)
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != fatal || !strings.Contains(e.Hint, "Client ID: 104857600000000000001. OAuth scopes: "+Scope) {
		t.Errorf("%v, %+v", err, e)
	}
}

// toGoogle sends the requests of a keyless login to a simulator, as somebody
// who is logged in on this machine.
type toGoogle struct{ server *url.URL }

func (g toGoogle) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "iamcredentials.googleapis.com" && r.URL.Host != "oauth2.googleapis.com" {
		return nil, fmt.Errorf("a request for %s", r.URL.Host)
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = g.server.Scheme, g.server.Host
	r.Header.Set("Authorization", "Bearer of-this-machine")
	return http.DefaultTransport.RoundTrip(r)
}

func TestALoginNeedsNoKey(t *testing.T) {
	const account = "mover@project.iam.gserviceaccount.com"
	for name, test := range map[string]struct {
		o    gmailsim.Options
		hint string // empty if it works
	}{
		"works":             {gmailsim.Options{Signers: []string{account}, Scopes: []string{Scope}}, ""},
		"role missing":      {gmailsim.Options{Signers: []string{"other@project"}}, "Service Account Token Creator on the service account " + account},
		"scope not allowed": {gmailsim.Options{Scopes: []string{"other"}}, "Client ID: the unique ID of " + account},
		"no such user":      {gmailsim.Options{Users: []string{"bob@example.org"}}, "no such user as " + user},
	} {
		test.o.Tokens = []string{"none"}
		sim, server := serve(t, test.o)
		at, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		c := config(server)
		c.TokenSource = keyless(t.Context(), account, user, option.WithHTTPClient(&http.Client{Transport: toGoogle{at}}))
		target, err := Open(t.Context(), c)
		if test.hint != "" {
			if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != fatal || !strings.Contains(e.Hint, test.hint) {
				t.Errorf("%s: %v, %+v", name, err, e)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := target.Append(t.Context(), inbox, targettest.Letter("keyless")); err != nil || len(sim.Messages(user)) == 0 {
			t.Errorf("%s: append: %v", name, err)
		}
		target.Close()
	}
}

func TestATokenThatMayReadAndNotWriteIsFoundByCheck(t *testing.T) {
	const of = "https://www.googleapis.com/auth/gmail."
	for _, test := range []struct {
		scopes string
		enough bool
	}{
		{of + "readonly", false},
		{of + "readonly " + of + "insert " + of + "labels", false},
		{of + "compose", false},
		{of + "modify", true},
		{"https://mail.google.com/", true},
	} {
		sim, server := serve(t, gmailsim.Options{TokenScopes: strings.Fields(test.scopes)})
		_, err := open(t, config(server)).Check(t.Context())
		e, _ := errors.AsType[*migrate.Error](err)
		if test.enough != (err == nil) || err != nil && (e == nil || e.Class != fatal || !strings.Contains(e.Hint, Scope)) {
			t.Errorf("%s: %v, %+v", test.scopes, err, e)
		}
		if n := len(sim.Messages(user)); n != 0 {
			t.Errorf("%s: %d messages", test.scopes, n)
		}
	}
}
