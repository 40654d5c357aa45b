// Package logs writes what a command does into a file of bounded size, and on
// demand all that goes over its connections, without secrets and without mail.
//
// A secret is kept out in three ways: credentials on the wire are replaced
// where the protocol says that they stand ([Trace]), values that this process
// knows to be secret wherever they stand ([Secrets]), and what looks like one
// by its form. Mail is kept out of a trace by the protocol alone; into a log it
// is never given.
package logs

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Hidden stands for a secret.
const Hidden = "[redacted]"

const (
	// A shorter value than whole may be a word: it is hidden where it stands
	// alone. One shorter than least would garble every text, and hide nothing.
	whole, least = 8, 3

	maxSecrets = 4096 // values that are known at once; the oldest are forgotten
)

// Secrets are values that must not be written down. The zero value knows none,
// but what looks like a secret by its form is hidden by it too. Several
// goroutines may use it.
type Secrets struct {
	mu       sync.Mutex
	values   []string // in the order in which they came
	known    map[string]bool
	replacer *strings.Replacer // nil if values changed since it was made
	words    []string          // values that may be words
}

// Add makes value a secret.
func (s *Secrets) Add(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(value) < least || s.known[value] {
		return
	}
	if s.known == nil {
		s.known = map[string]bool{}
	}
	if len(s.values) == maxSecrets {
		delete(s.known, s.values[0])
		s.values = slices.Delete(s.values, 0, 1)
	}
	s.known[value] = true
	s.values = append(s.values, value)
	s.replacer = nil
}

// Redact returns text without secrets.
func (s *Secrets) Redact(text string) string {
	replacer, words := s.current()
	text = replacer.Replace(text)
	for _, w := range words {
		text = hideWord(text, w)
	}
	return hideForms(text)
}

func (s *Secrets) current() (*strings.Replacer, []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.replacer == nil {
		var all []string
		s.words = nil
		for _, v := range s.values {
			if len(v) < whole {
				s.words = append(s.words, v)
			}
			for _, form := range forms(v) {
				if len(form) >= whole {
					all = append(all, form)
				}
			}
		}
		slices.SortFunc(all, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
		var pairs []string
		for _, v := range slices.Compact(all) { // of two that fit the longer one counts, as it comes first
			pairs = append(pairs, v, Hidden)
		}
		s.replacer = strings.NewReplacer(pairs...)
	}
	return s.replacer, s.words
}

// forms returns a value as it may stand in a text: as it is, in a URL, a form,
// JSON, Go's quotes or base64.
func forms(v string) []string {
	quoted := strconv.Quote(v)
	encoded, _ := json.Marshal(v)
	return []string{
		v, url.QueryEscape(v), url.PathEscape(v), quoted[1 : len(quoted)-1], string(encoded[1 : len(encoded)-1]),
		base64.StdEncoding.EncodeToString([]byte(v)), base64.RawStdEncoding.EncodeToString([]byte(v)),
	}
}

// hideWord hides word where neither letters nor digits touch it.
func hideWord(text, word string) string {
	var out strings.Builder
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			out.WriteString(text[from:])
			return out.String()
		}
		before, _ := utf8.DecodeLastRuneInString(text[:from+i])
		after, _ := utf8.DecodeRuneInString(text[from+i+len(word):])
		out.WriteString(text[from : from+i])
		if part(before) || part(after) {
			out.WriteString(word)
		} else {
			out.WriteString(Hidden)
		}
		from += i + len(word)
	}
}

func part(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// A form is what secrets look like that nobody has told this process.
type form struct {
	re *regexp.Regexp
	to string
}

const secretMembers = `(?:[a-z_]*token|[a-z_]*secret|[a-z_]*password|passwd|private_?key|[a-z_]*assertion|uploadurl)`

var secretForms = []form{
	{regexp.MustCompile(`(?is)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*-----|$)`), Hidden},
	// RFC 9110 section 11.6.2, RFC 6265: to the end of the line.
	{regexp.MustCompile(`(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)("?\s*[:=])[^\r\n]*`), "$1$2 " + Hidden},
	{regexp.MustCompile(`(?i)\b(bearer)\s+[a-z0-9._~+/=-]{16,}`), "$1 " + Hidden},
	// A password in a URL, RFC 3986 section 3.2.1.
	{regexp.MustCompile(`(?i)([a-z][a-z0-9+.-]*://)[^\s/?#"]*@`), "$1" + Hidden + "@"},
	// Members of JSON, fields of forms and of queries.
	{regexp.MustCompile(`(?i)("` + secretMembers + `"\s*:\s*")(?:[^"\\]|\\.)*`), "$1" + Hidden},
	{regexp.MustCompile(`(?i)(\\"` + secretMembers + `\\"\s*:\s*\\")[^"\\]*`), "$1" + Hidden}, // within a string of JSON
	{regexp.MustCompile(`(?i)\b([a-z_]*token|[a-z_]*secret|[a-z_]*password|passwd|(?:client_)?assertion|upload_id|sig|code)=[^\s&"';]+`), "$1=" + Hidden},
	// A JSON Web Token, and tokens of Google by their prefix.
	{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*)?`), Hidden},
	{regexp.MustCompile(`\b(ya29\.|1//)[A-Za-z0-9._-]{16,}`), Hidden},
}

// hideForms hides what looks like a secret.
func hideForms(text string) string {
	for _, f := range secretForms {
		text = f.re.ReplaceAllString(text, f.to)
	}
	return text
}
