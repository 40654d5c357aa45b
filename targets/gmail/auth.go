package gmail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	api "google.golang.org/api/gmail/v1"
	"google.golang.org/api/impersonate"
	"google.golang.org/api/option"
)

// Scope is the one scope that a migration needs. gmail.insert, gmail.labels
// and gmail.readonly together would do for writing and reading back, but
// users.messages.modify, which places a message under a second label, takes
// gmail.modify only, and gmail.modify covers all the others. It does not allow
// to delete for good. One scope also means that an administrator authorises
// one: if any requested scope is not authorised, no token is given at all.
const Scope = api.GmailModifyScope

// sourceFunc is a TokenSource that does not cache.
type sourceFunc func() (*oauth2.Token, error)

func (f sourceFunc) Token() (*oauth2.Token, error) { return f() }

// ServiceAccount returns tokens for user from the JSON key of a service
// account with domain-wide delegation. The token endpoint is the one in the
// key.
func ServiceAccount(key []byte, user string) (oauth2.TokenSource, error) {
	config, err := google.JWTConfigFromJSON(key, Scope)
	if err != nil {
		// The parser's text may quote the key.
		return nil, errors.New("this is not the JSON key of a service account")
	}
	var id struct {
		ClientID string `json:"client_id"`
	}
	_ = json.Unmarshal(key, &id) // it was read before
	who := login{account: config.Email, clientID: id.ClientID, user: user}
	config.Subject = user
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Timeout: 30 * time.Second})
	return who.source(func() (*oauth2.Token, error) { return config.TokenSource(ctx).Token() }), nil
}

// Keyless returns tokens for user from the service account named account,
// which the account that runs this program may impersonate (its application
// default credentials need the role Service Account Token Creator). No key
// file exists that could be lost.
func Keyless(ctx context.Context, account, user string) oauth2.TokenSource {
	return keyless(ctx, account, user)
}

func keyless(ctx context.Context, account, user string, options ...option.ClientOption) oauth2.TokenSource {
	return login{account: account, user: user}.source(func() (*oauth2.Token, error) {
		source, err := impersonate.CredentialsTokenSource(ctx, impersonate.CredentialsConfig{
			TargetPrincipal: account,
			Scopes:          []string{Scope},
			Subject:         user,
		}, options...)
		if err != nil {
			return nil, &localError{fmt.Errorf("impersonate %s: %w", account, err)}
		}
		return source.Token()
	})
}

// source is a TokenSource that does not cache, and whose errors say who asked.
func (l login) source(token sourceFunc) oauth2.TokenSource {
	return sourceFunc(func() (*oauth2.Token, error) {
		t, err := token()
		if err != nil {
			err = &loginError{l, err}
		}
		return t, err
	})
}

// Static returns what token gives, each time that a token is needed: for
// simulators, and for tokens that something else provides.
func Static(token func() (string, error)) oauth2.TokenSource {
	return sourceFunc(func() (*oauth2.Token, error) {
		s, err := token()
		return &oauth2.Token{AccessToken: s}, err
	})
}
