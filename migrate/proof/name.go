package proof

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Digest is a SHA-256.
type Digest = [sha256.Size]byte

// The kinds of names that entries hold as commitments.
const (
	KindSource = "source" // address of a mailbox
	KindTarget = "target" // address of the mailbox that it moves to
	KindPath   = "path"   // of a folder, as [Path] gives it
)

var kinds = [...]string{KindSource, KindTarget, KindPath}

// Path is the value of a folder's path: its parts with an octet 0 between them.
func Path(parts []string) string { return strings.Join(parts, "\x00") }

// Nonce returns what blinds a name in entries, in hexadecimal. Who has it and
// the name can show that an entry is about that name; without it names cannot
// be found by trying them.
func Nonce(secret []byte, kind, value string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(kind))
	mac.Write([]byte{0})
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil))
}

// commit returns what stands for a name in entries: the SHA-256 of the nonce's
// 32 octets and the value, in which each octet that is not UTF-8 is U+FFFD, as
// JSON shows it. It is zero if nonce is not 64 lower-case hexadecimal digits.
func commit(nonce, value string) Digest {
	b, err := hex.DecodeString(nonce)
	if err != nil || len(b) != sha256.Size || hex.EncodeToString(b) != nonce {
		return Digest{}
	}
	return sha256.Sum256(append(b, string([]rune(value))...))
}
