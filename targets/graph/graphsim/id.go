package graphsim

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// An idKind is a family of ids. Ids of one mailbox share a long beginning, and
// neighbours differ by case only, which is legal: ids are case-sensitive.
type idKind struct {
	prefix string
	length int
}

var (
	folderID     = idKind{"AQMkAD", 120}
	messageID    = idKind{"AAMkAD", 152} // changes when the message moves
	immutableID  = idKind{"AAkALg", 68}
	attachmentID = idKind{"AAMkAE", 164}
	categoryID   = idKind{"AAMkAF", 68}
)

const (
	idDigits = 10
	idEnd    = "AA="
)

// tagOf is the part of an id that stands for the mailbox.
func tagOf(user string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(user)))
	return hex.EncodeToString(sum[:8])
}

func (k idKind) format(tag string, n uint64) string {
	digits := strconv.FormatUint(n>>1, 36)
	var b strings.Builder
	b.Grow(k.length)
	b.WriteString(k.prefix)
	b.WriteString(tag)
	for range k.length - len(k.prefix) - len(tag) - idDigits - 1 - len(idEnd) {
		b.WriteByte('A')
	}
	for range idDigits - len(digits) {
		b.WriteByte('0')
	}
	b.WriteString(digits)
	if n&1 == 0 {
		b.WriteByte('k')
	} else {
		b.WriteByte('K')
	}
	b.WriteString(idEnd)
	return b.String()
}

// parse returns the number in an id of this kind and mailbox. An id of another
// mailbox is well formed and names nothing here: its number is 0.
func (k idKind) parse(tag, id string) (uint64, error) {
	tail := k.length - idDigits - 1 - len(idEnd)
	if len(id) != k.length || !strings.HasPrefix(id, k.prefix) || !strings.HasSuffix(id, idEnd) {
		return 0, errMalformedID()
	}
	n, err := strconv.ParseUint(id[tail:tail+idDigits], 36, 63)
	if err != nil {
		return 0, errMalformedID()
	}
	n <<= 1
	if id[tail+idDigits] == 'K' {
		n |= 1
	}
	if k.format(tag, n) == id {
		return n, nil
	}
	other := id[len(k.prefix):][:len(tag)]
	if k.format(other, n) != id {
		return 0, errMalformedID()
	}
	return 0, nil
}
