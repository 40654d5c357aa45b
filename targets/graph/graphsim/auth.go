package graphsim

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// A token is what a bearer token stands for.
type token struct {
	app     string
	roles   []string  // application permissions with admin consent
	expires time.Time // zero: never
	left    int       // requests that it is good for; negative: any number
}

// roles are the application permissions of which any call takes one (section 14).
var roles = []string{"Mail-Advanced.ReadWrite.All", "Mail.ReadWrite", "MailboxSettings.ReadWrite", "User.Read.All"}

// consented returns those that admin consent gave the app.
func (s *Server) consented() []string {
	return slices.DeleteFunc(slices.Clone(roles), func(r string) bool { return slices.Contains(s.opt.WithoutRoles, r) })
}

// may says whether an app with token t has a role for a user: by consent for
// every user, or by RBAC for Applications for those in its scope. Grants add up.
func (s *Server) may(t *token, role, user string) bool {
	return slices.Contains(t.roles, role) || slices.Contains(s.opt.ScopedRoles, role) &&
		slices.ContainsFunc(s.opt.Scope, func(other string) bool { return strings.EqualFold(user, other) })
}

// authenticate returns the token of the app that calls.
func (s *Server) authenticate(r *http.Request) (*token, error) {
	bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return nil, refuse(401, "InvalidAuthenticationToken", "Access token is empty.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tokens[bearer]
	switch {
	case t == nil:
		return nil, refuse(401, "InvalidAuthenticationToken", "IDX14100: JWT is not well formed or its signature is not valid.")
	case t.left == 0, !t.expires.IsZero() && !s.now().Before(t.expires):
		return nil, refuse(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
	case t.left > 0:
		t.left--
	}
	return t, nil
}

// checkUser refuses users that do not exist or that the app may not touch.
func (s *Server) checkUser(t *token, user string, rest []string) error {
	same := func(other string) bool { return strings.EqualFold(user, other) }
	if len(s.opt.Users) > 0 && !slices.ContainsFunc(s.opt.Users, same) {
		if len(rest) == 0 {
			return refuse(404, "Request_ResourceNotFound", "Resource '%s' does not exist or one of its queried reference-property objects are not present.", user)
		}
		return refuse(404, "ErrorInvalidUser", "The requested user '%s' is invalid.", user)
	}
	role := "Mail.ReadWrite"
	switch {
	case len(rest) == 0:
		role = "User.Read.All"
	case rest[0] == "mailboxSettings" || rest[0] == "outlook":
		role = "MailboxSettings.ReadWrite"
	case rest[len(rest)-1] == "importMime":
		role = "Mail-Advanced.ReadWrite.All"
	}
	if !s.may(t, role, user) {
		if len(rest) == 0 {
			return refuse(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
		}
		return errDenied()
	}
	if len(rest) == 0 {
		return nil
	}
	if slices.ContainsFunc(s.opt.Denied, same) {
		return refuse(403, "ErrorAccessDenied", "Access to OData is disabled.")
	}
	if slices.ContainsFunc(s.opt.NoMailbox, same) {
		return refuse(404, "ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it.")
	}
	if s.now().Sub(s.start) < s.opt.MailboxDelay {
		return refuse(404, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, soft-deleted, or is hosted on-premise.")
	}
	return nil
}

// serveToken is the token endpoint with the client credentials grant (section 14).
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	fail := func(status int, name string, number int, message string) {
		writeJSON(w, status, map[string]any{
			"error": name, "error_description": fmt.Sprintf("AADSTS%d: %s", number, message), "error_codes": []int{number},
			"timestamp": s.now().UTC().Format("2006-01-02 15:04:05Z"), "trace_id": uuid.NewString(), "correlation_id": uuid.NewString(),
		})
	}
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		fail(400, "invalid_request", 900144, "The request must be a POST with a form.")
		return
	}
	form := r.PostForm
	assertion := form.Get("client_assertion")
	switch {
	case form.Get("grant_type") != "client_credentials":
		fail(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
	case form.Get("client_id") == "":
		fail(400, "invalid_request", 900144, "The request body must contain the parameter 'client_id'.")
	case !isDefaultScope(form.Get("scope")):
		fail(400, "invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid.")
	case form.Has("client_assertion") && (strings.Count(assertion, ".") != 2 ||
		form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"):
		fail(401, "invalid_client", 50027, "JWT token is invalid or malformed.")
	case assertion == "" && form.Get("client_secret") == "":
		fail(401, "invalid_client", 7000216, "'client_assertion', 'client_secret' or 'request' is required.")
	case assertion == "" && s.opt.Secret != "" && subtle.ConstantTimeCompare([]byte(s.opt.Secret), []byte(form.Get("client_secret"))) == 0:
		fail(401, "invalid_client", 7000215, "Invalid client secret provided.")
	default:
		name := s.accessToken(form.Get("client_id"))
		left := -1
		if s.opt.TokenRequests > 0 {
			left = s.opt.TokenRequests
		}
		s.mu.Lock()
		s.tokens[name] = &token{app: form.Get("client_id"), roles: s.consented(), expires: s.now().Add(s.opt.TokenLife), left: left}
		s.mu.Unlock()
		life := int(s.opt.TokenLife.Seconds())
		writeJSON(w, 200, map[string]any{"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": name})
	}
}

// accessToken makes a token that reads like one of Entra's for Graph, a JSON
// Web Token of version 1.0. Its signature is none: Graph's tokens are not for
// clients to verify.
func (s *Server) accessToken(app string) string {
	claims := map[string]any{
		"aud": "https://graph.microsoft.com", "appid": app, "ver": "1.0", "uti": rand.Text(),
		"iat": s.now().Unix(), "exp": s.now().Add(s.opt.TokenLife).Unix(),
	}
	if roles := s.consented(); len(roles) > 0 {
		claims["roles"] = roles
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(fmt.Sprintf("graphsim: token: %v", err)) // a programming error
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode(payload) + "." + rand.Text()
}

// isDefaultScope says whether a scope asks for what the app was granted on one
// resource. Login libraries add the scopes of OpenID Connect, which have no
// meaning for an app and are ignored.
func isDefaultScope(scope string) bool {
	resources := 0
	for _, s := range strings.Fields(scope) {
		switch {
		case strings.HasSuffix(s, "/.default"):
			resources++
		case !slices.Contains([]string{"openid", "offline_access", "profile", "email"}, s):
			return false
		}
	}
	return resources == 1
}

// serveDiscovery answers the OpenID configuration, which identity libraries
// read to find the token endpoint.
func (s *Server) serveDiscovery(w http.ResponseWriter, r *http.Request, tenant string) {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	base := scheme + "://" + r.Host + "/" + tenant
	writeJSON(w, 200, map[string]any{
		"issuer": base + "/v2.0", "token_endpoint": base + "/oauth2/v2.0/token", "authorization_endpoint": base + "/oauth2/v2.0/authorize",
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}
