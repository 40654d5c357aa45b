package gmailsim

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// A scope is a set of authorisations.
type scope uint16

const (
	read scope = 1 << iota
	modify
	insert
	labelling
	compose
	metadata
	full
)

// scopes say what each scope of Gmail lets a client do.
var scopes = map[string]scope{
	"https://mail.google.com/":                       read | modify | insert | labelling | compose | metadata | full,
	"https://www.googleapis.com/auth/gmail.modify":   read | modify | insert | labelling | compose | metadata,
	"https://www.googleapis.com/auth/gmail.readonly": read,
	"https://www.googleapis.com/auth/gmail.insert":   insert,
	"https://www.googleapis.com/auth/gmail.labels":   labelling,
	"https://www.googleapis.com/auth/gmail.compose":  compose,
	"https://www.googleapis.com/auth/gmail.metadata": metadata,
}

// A grant is what a token allows.
type grant struct {
	subject string // the only mailbox; empty for any
	scopes  scope
	until   time.Time
}

// allowed returns what scopes allow together.
func allowed(names []string) (all scope) {
	for _, name := range names {
		all |= scopes[name]
	}
	return all
}

func (g grant) allows(any scope) bool { return g.scopes&any != 0 }

// tokens are the bearer tokens in circulation.
type tokens struct {
	mu      sync.Mutex
	issued  map[string]grant
	expired map[string]bool
	used    int // authorised requests so far
}

// authorise returns what the request's token allows (RFC 6750 section 2.1).
func (s *Server) authorise(r *http.Request) (grant, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return grant{}, unauthenticated()
	}
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	g, issued := s.tokens.issued[token]
	if !issued && slices.Contains(s.o.Tokens, token) {
		g, issued = grant{scopes: ^scope(0)}, true
		if len(s.o.TokenScopes) > 0 {
			g.scopes = allowed(s.o.TokenScopes)
		}
	}
	if !issued || s.tokens.expired[token] || !g.until.IsZero() && !s.o.Now().Before(g.until) {
		return grant{}, unauthenticated()
	}
	if s.tokens.used++; s.tokens.used == s.o.ExpireTokenAt {
		s.tokens.expired[token] = true
		return grant{}, unauthenticated()
	}
	return g, nil
}

// serveToken answers the JWT bearer grant with a token for the subject that
// the assertion names (RFC 7523). It does not verify the signature.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	refuse := func(code int, reason, description string) {
		writeJSON(w, code, map[string]string{"error": reason, "error_description": description})
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxMeta))
	form, formErr := url.ParseQuery(string(body))
	if r.Method != http.MethodPost || err != nil || formErr != nil {
		refuse(400, "invalid_request", "Bad Request")
		return
	}
	switch grant := form.Get("grant_type"); {
	case grant == "urn:ietf:params:oauth:grant-type:jwt-bearer":
	case grant == "assertion" && form.Get("assertion_type") == "http://oauth.net/grant_type/jwt/1.0/bearer": // an older form, which keyless logins use
	default:
		refuse(400, "unsupported_grant_type", "Invalid grant_type: "+grant)
		return
	}
	claims, ok := parseClaims(form.Get("assertion"))
	now := s.o.Now().Unix()
	switch {
	case !ok || claims.Issuer == "" || claims.Audience == "" || claims.Issued > now+300 || claims.Expires <= now || claims.Expires-claims.Issued > 3600+300:
		refuse(400, "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.")
		return
	case claims.Subject != "" && !s.exists(strings.ToLower(claims.Subject)):
		refuse(400, "invalid_grant", "Not a valid email.")
		return
	}
	asked := strings.Fields(claims.Scope)
	if len(s.o.Scopes) > 0 && slices.ContainsFunc(asked, func(name string) bool { return !slices.Contains(s.o.Scopes, name) }) {
		refuse(401, "unauthorized_client", "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.")
		return
	}
	g := grant{subject: strings.ToLower(claims.Subject), scopes: allowed(asked), until: s.o.Now().Add(s.o.TokenLife)}
	token := "sim." + rand.Text()
	s.tokens.mu.Lock()
	s.tokens.issued[token] = g
	s.tokens.mu.Unlock()
	writeJSON(w, 200, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": int(s.o.TokenLife.Seconds())})
}

type claims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Scope    string `json:"scope"`
	Audience string `json:"aud"`
	Issued   int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

func parseClaims(assertion string) (c claims, ok bool) {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 || parts[2] == "" {
		return c, false
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	return c, err == nil && json.Unmarshal(b, &c) == nil
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // the client is gone if this fails
}
