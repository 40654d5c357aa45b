package proof

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// A Key is the public half of a key that signs heads.
type Key struct {
	note.Verifier
	text string
}

// String returns the key as a line of report.pub: name, hash and key.
func (k Key) String() string { return k.text }

// Fingerprint is what two people compare to know that they have the same key:
// the SHA-256 of its text, in groups of four hexadecimal digits.
func (k Key) Fingerprint() string {
	var groups []string
	for sum := sha256.Sum256([]byte(k.text)); len(groups) < len(sum)/2; {
		i := 2 * len(groups)
		groups = append(groups, fmt.Sprintf("%x", sum[i:i+2]))
	}
	return strings.Join(groups, " ")
}

// Names of keys need no escape anywhere.
var keyName = regexp.MustCompile(`^[A-Za-z0-9._/~-]{1,100}$`)

// NewKey makes a key of that name: 1 to 100 letters, digits and "._/~-". The
// private half is a secret.
func NewKey(name string) (private, public string, err error) {
	if !keyName.MatchString(name) {
		return "", "", fmt.Errorf("%.100q cannot be the name of a key: it has 1 to 100 of the letters a to z and A to Z, digits and . _ / ~ -", name)
	}
	return note.GenerateKey(rand.Reader, name)
}

// PublicKey returns the public half of a private key.
func PublicKey(private string) (Key, error) {
	signer, err := note.NewSigner(private)
	if err != nil {
		return Key{}, errors.New("this is no private key of Ed25519 in the form PRIVATE+KEY+name+hash+key") // without the text, which may be a secret
	}
	seed, err := base64.StdEncoding.DecodeString(strings.SplitN(private, "+", 5)[4]) // its digits may be + too
	if err != nil {
		return Key{}, err
	}
	public := ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey)
	text, err := note.NewEd25519VerifierKey(signer.Name(), public)
	if err != nil {
		return Key{}, err
	}
	return parseKey(text)
}

// ReadKeys reads public keys, one in a line, as report.pub has them.
func ReadKeys(text string) (keys []Key, err error) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		k, err := parseKey(line)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no public key")
	}
	return keys, nil
}

// parseKey reads a public key that is spelled as this package would.
func parseKey(text string) (Key, error) {
	v, err := note.NewVerifier(text)
	if err != nil {
		return Key{}, fmt.Errorf("%.100q is no public key of the form name+hash+key: %w", text, err)
	}
	if !keyName.MatchString(v.Name()) {
		return Key{}, fmt.Errorf("%.100q cannot be the name of a key", v.Name())
	}
	octets, err := base64.StdEncoding.DecodeString(strings.SplitN(text, "+", 3)[2])
	if err != nil {
		return Key{}, err
	}
	if own, err := note.NewEd25519VerifierKey(v.Name(), octets[1:]); own != text {
		return Key{}, errors.Join(fmt.Errorf("%.100q is a public key in another spelling than its own", text), err)
	}
	return Key{v, text}, nil
}
