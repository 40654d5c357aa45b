package gmail

import (
	"context"
	"errors"
	"time"

	"golang.org/x/oauth2"
)

// tokens keeps the current token, replaces it shortly before it expires and
// once when Gmail refuses it.
type tokens struct {
	source oauth2.TokenSource
	turn   chan struct{} // held by who reads or changes what follows
	token  *oauth2.Token

	// unproven is set once Gmail refused a token and until it takes one: a
	// second refusal is final.
	unproven bool
}

func newTokens(source oauth2.TokenSource) *tokens {
	return &tokens{source: source, turn: make(chan struct{}, 1)}
}

// get returns a token that is good for another minute, as far as is known.
func (s *tokens) get(ctx context.Context) (string, error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if t := s.token; t != nil && (t.Expiry.IsZero() || time.Until(t.Expiry) > time.Minute) {
		defer func() { <-s.turn }()
		return t.AccessToken, nil
	}
	// A TokenSource knows no context, so it is left behind when ctx ends.
	type answer struct {
		token string
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		defer func() { <-s.turn }()
		token, err := s.source.Token()
		switch {
		case err != nil:
			done <- answer{err: &tokenError{err}}
		case token.AccessToken == "":
			done <- answer{err: &tokenError{errors.New("the token is empty")}}
		default:
			s.token = token
			done <- answer{token: token.AccessToken}
		}
	}()
	select {
	case a := <-done:
		return a.token, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// answered says what Gmail thought of token, and returns true if it refused
// one that was got to replace a refused one. Answers about a token that was
// replaced meanwhile say nothing.
func (s *tokens) answered(token string, refused bool) (final bool) {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	if s.token == nil || s.token.AccessToken != token {
		return false
	}
	if !refused {
		s.unproven = false
		return false
	}
	if s.unproven {
		return true
	}
	s.token, s.unproven = nil, true
	return false
}

// refused says whether Gmail refused the latest token that it saw.
func (s *tokens) refused() bool {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	return s.unproven
}

// tokenError is a failure to get a token: no request was sent.
type tokenError struct{ err error }

func (e *tokenError) Error() string { return "token: " + e.err.Error() }
func (e *tokenError) Unwrap() error { return e.err }
