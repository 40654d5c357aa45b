package graphsim

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func (c *client) token(status int, form string, pairs ...string) answer {
	c.t.Helper()
	v, _ := url.ParseQuery(form)
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return c.want(status, "POST", c.url+"/contoso/oauth2/v2.0/token", v.Encode(), "Content-Type: application/x-www-form-urlencoded", "Authorization")
}

const credentials = "client_id=app&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default&client_secret=s3cret&grant_type=client_credentials"

func TestTokensAreIssuedAndEnd(t *testing.T) {
	clock := newClock()
	c := newClient(t, Options{Secret: "s3cret", Now: clock.Now})
	a := c.token(200, credentials)
	a.expect(t, map[string]any{"token_type": "Bearer", "expires_in": 3599.0})
	c.auth = a.str("access_token")
	c.want(200, "GET", "/mailFolders", nil)
	clock.add(time.Hour)
	c.refused(401, "InvalidAuthenticationToken", "GET", "/mailFolders", nil)

	c = newClient(t, Options{TokenRequests: 2})
	c.auth = c.token(200, credentials).str("access_token")
	c.want(200, "GET", "/mailFolders", nil)
	c.want(200, "GET", "/mailFolders", nil)
	c.refused(401, "InvalidAuthenticationToken", "GET", "/mailFolders", nil)
	c.auth = c.token(200, credentials).str("access_token")
	c.want(200, "GET", "/mailFolders", nil)
}

func TestTokenRequestsAreRefused(t *testing.T) {
	c := newClient(t, Options{Secret: "s3cret"})
	for _, e := range []struct {
		status     int
		name       string
		key, value string
	}{
		{401, "invalid_client", "client_secret", "wrong"},
		{401, "invalid_client", "client_secret", ""},
		{400, "invalid_scope", "scope", "Mail.ReadWrite"},
		{400, "invalid_scope", "scope", "openid offline_access profile"},
		{400, "invalid_scope", "scope", "https://graph.microsoft.com/.default Mail.ReadWrite"},
		{400, "invalid_scope", "scope", "https://graph.microsoft.com/.default https://outlook.office.com/.default"},
		{400, "unsupported_grant_type", "grant_type", "password"},
		{400, "invalid_request", "client_id", ""},
		{401, "invalid_client", "client_assertion", "no.jwt"},
	} {
		a := c.token(e.status, credentials, e.key, e.value)
		a.expect(t, map[string]any{"error": e.name})
		if strings.Contains(string(a.octets), "s3cret") {
			t.Error("the answer holds the secret")
		}
	}
	c.token(200, credentials, "scope", "https://graph.microsoft.com/.default openid offline_access profile")
	c.token(200, "client_id=app&scope=x%2F.default&grant_type=client_credentials", "client_assertion", "a.b.c",
		"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
}

func TestCallsWithoutAValidTokenAreRefused(t *testing.T) {
	c := newClient(t, Options{Tokens: []string{"other"}})
	c.refused(401, "InvalidAuthenticationToken", "GET", "/mailFolders", nil)
	c.refused(401, "InvalidAuthenticationToken", "GET", "/mailFolders", nil, "Authorization")
	c.auth = "other"
	c.want(200, "GET", "/mailFolders", nil)
}

func TestErrorsNameTheRequest(t *testing.T) {
	c := newClient(t, Options{})
	a := c.refused(404, "ErrorItemNotFound", "GET", "/mailFolders/archive", nil, "client-request-id: abc")
	inner := a.json["error"].(map[string]any)["innerError"].(map[string]any)
	if inner["client-request-id"] != "abc" || inner["request-id"] == "" || inner["request-id"] != a.header.Get("request-id") {
		t.Errorf("got %s", a.octets)
	}
}

func TestUsersAndTheirMailboxes(t *testing.T) {
	clock := newClock()
	c := newClient(t, Options{Users: []string{"Adele@contoso.com"}, MailboxDelay: 15 * time.Minute, Now: clock.Now})
	id := c.want(200, "GET", "", nil).str("id")
	c.refused(404, "MailboxNotEnabledForRESTAPI", "GET", "/mailFolders", nil)
	clock.add(15 * time.Minute)
	c.want(200, "GET", "/mailFolders", nil)
	c.importMIME("inbox", sample)
	c.user = id
	c.want(200, "GET", "/mailFolders/inbox", nil).expect(t, map[string]any{"totalItemCount": 1.0})
	c.user = "nobody@contoso.com"
	c.refused(404, "ErrorInvalidUser", "GET", "/mailFolders", nil)
	c.refused(404, "Request_ResourceNotFound", "GET", "", nil)

	c = newClient(t, Options{Denied: []string{"adele@contoso.com"}, NoMailbox: []string{"bo@contoso.com"}})
	c.refused(403, "ErrorAccessDenied", "GET", "/mailFolders", nil)
	c.user = "bo@contoso.com"
	c.refused(404, "ErrorNonExistentMailbox", "GET", "/mailFolders", nil)
}

func TestMissingRolesAreRefused(t *testing.T) {
	for role, call := range map[string][2]string{
		"Mail.ReadWrite":              {"GET", "/mailFolders"},
		"MailboxSettings.ReadWrite":   {"GET", "/mailboxSettings"},
		"Mail-Advanced.ReadWrite.All": {"POST", "/beta/users/a@b.c/mailFolders/inbox/importMime"},
	} {
		c := newClient(t, Options{WithoutRoles: []string{role}})
		c.refused(403, "ErrorAccessDenied", call[0], call[1], nil)
	}
	newClient(t, Options{WithoutRoles: []string{"User.Read.All"}}).refused(403, "Authorization_RequestDenied", "GET", "", nil)
}

func TestATokenShowsWhatWasConsentedAndNotWhatExchangeGrants(t *testing.T) {
	c := newClient(t, Options{WithoutRoles: []string{"Mail.ReadWrite", "Mail-Advanced.ReadWrite.All", "User.Read.All"},
		ScopedRoles: []string{"Mail.ReadWrite"}, Scope: []string{"Adele@contoso.com"}})
	c.auth = c.token(200, credentials).str("access_token")
	parts := strings.Split(c.auth, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if len(parts) != 3 || err != nil {
		t.Fatalf("%q: %v", c.auth, err)
	}
	var claims struct {
		AppID string
		Roles []string
	}
	if err := json.Unmarshal(payload, &claims); err != nil || claims.AppID != "app" || !slices.Equal(claims.Roles, []string{"MailboxSettings.ReadWrite"}) {
		t.Errorf("claims %s: %v", payload, err)
	}
	c.want(200, "GET", "/mailboxSettings", nil)
	c.want(200, "GET", "/mailFolders", nil)
	c.refused(403, "ErrorAccessDenied", "POST", "/beta/users/"+c.user+"/mailFolders/inbox/importMime", nil)
	c.user = "bo@contoso.com"
	c.refused(403, "ErrorAccessDenied", "GET", "/mailFolders", nil)
	c.want(200, "GET", "/mailboxSettings", nil)
}
