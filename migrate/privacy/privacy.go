// Package privacy says how the people whose mail moves are named to others:
// in notifications, metrics and reports, as against the consultant's own
// screen and files.
//
// It hides who they are from a casual reader, and no more: the domain of an
// address stays where addresses are masked, and a person's initial with it.
package privacy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Level is how much is shown.
type Level string

const (
	Full   Level = "full"   // everything
	Masked Level = "masked" // an address as a***@example.com, a subject as Off***
	Hashed Level = "hashed" // an address, a subject or the name of a folder as 16 hexadecimal digits
)

// A Policy names people at a level. The zero Policy masks.
type Policy struct {
	Level Level

	// Key makes the hashes of Hashed, so that they cannot be guessed by trying
	// addresses. Without it addresses are masked instead.
	Key []byte
}

// Everything says whether names of folders, Message-IDs and the words of
// servers may be shown too, which can hold anything.
func (p Policy) Everything() bool { return p.Level == Full }

// Address names the owner of an address or login name. A hash is the first
// half of the HMAC-SHA256 of the name in lower case.
func (p Policy) Address(s string) string {
	switch {
	case p.Everything():
		return s
	case p.hashes():
		return p.hash(strings.ToLower(s))
	}
	local, domain := s, ""
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		local, domain = s[:i], s[i+1:]
	}
	mask := "***"
	if first, n := utf8.DecodeRuneInString(local); n < len(local) && (unicode.IsLetter(first) || unicode.IsDigit(first)) {
		mask = string(first) + mask
	}
	if wholeDomain.MatchString(domain) {
		mask += "@" + domain
	}
	return mask
}

func (p Policy) hashes() bool { return p.Level == Hashed && len(p.Key) > 0 }

func (p Policy) hash(s string) string {
	mac := hmac.New(sha256.New, p.Key)
	mac.Write([]byte(s))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// Subject shows of a subject what its reader knows it by again: masked, it is
// its first letters, three and a quarter of it at most.
func (p Policy) Subject(s string) string {
	switch {
	case p.Everything() || s == "":
		return s
	case p.hashes():
		return p.hash(s)
	}
	runes := []rune(s)
	n := 0
	for n < min(3, len(runes)/4) && inWord(runes[n]) {
		n++
	}
	return string(runes[:n]) + "***"
}

// Folder shows the path of a folder: masked, with the addresses in it masked, so
// that people can find what is in it; hashed, each part of it as Subject does.
func (p Policy) Folder(path []string) []string {
	shown := make([]string, len(path))
	for i, name := range path {
		if shown[i] = p.Text(name); p.hashes() {
			shown[i] = p.Subject(name)
		}
	}
	return shown
}

// MessageID shows everything or a hash; masked, it shows nothing, since a part
// of a Message-ID finds no message and may hold a name.
func (p Policy) MessageID(s string) string {
	switch {
	case p.Everything() || s == "":
		return s
	case p.hashes():
		return p.hash(s)
	}
	return ""
}

// What looks like an address in a text: as it is written in mail (RFC 5322
// section 3.4.1) and in URLs, with more taken for a part of it than may be.
const domainPattern = `(?:\[[0-9A-Fa-f:.]+\]|[\pL\pN](?:[\pL\pN\pM._-]*[\pL\pN\pM_-])?)`

var (
	wholeDomain = regexp.MustCompile(`^` + domainPattern + `$`)
	address     = regexp.MustCompile(`((?:"(?:[^"\\]|\\.)*"|[^\s<>()\[\],;"])+)(?:@|%40|＠|﹫)(` + domainPattern + `?)`)
)

// Text returns s with every address in it, and every one of the names, as
// Address names them. It does not know other names that s may hold. It takes
// time in proportion to the lengths of both, multiplied.
func (p Policy) Text(s string, names ...string) string {
	if p.Everything() {
		return s
	}
	s = address.ReplaceAllStringFunc(s, func(a string) string {
		parts := address.FindStringSubmatch(a)
		return p.Address(parts[1] + "@" + parts[2])
	})
	for _, name := range names {
		if name != "" {
			s = replaceWord(strings.ToValidUTF8(s, "\ufffd"), strings.ToValidUTF8(name, "\ufffd"), p.Address(name))
		}
	}
	return s
}

// replaceWord replaces name, in upper or lower case, where it is no part of a
// longer word.
func replaceWord(s, name, by string) string {
	var b strings.Builder
	last := 0
	for _, at := range regexp.MustCompile(`(?i)`+regexp.QuoteMeta(name)).FindAllStringIndex(s, -1) {
		before, _ := utf8.DecodeLastRuneInString(s[:at[0]])
		after, _ := utf8.DecodeRuneInString(s[at[1]:])
		if !inWord(before) && !inWord(after) {
			b.WriteString(s[last:at[0]])
			b.WriteString(by)
			last = at[1]
		}
	}
	return b.String() + s[last:]
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
