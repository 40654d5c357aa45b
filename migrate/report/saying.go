package report

import (
	"regexp"
	"strings"
)

// A saying is a text by which mailhaul says something in records, and the key
// of the texts in which a report says it. A word in braces stands for any text.
type saying struct{ key, said string }

// A book knows sayings again.
type book struct {
	exact    map[string]string // keys
	patterns []*regexp.Regexp
	keys     []string // of patterns
}

var braces = regexp.MustCompile(`\\\{[a-z]+\\\}`)

func newBook(all []saying) book {
	b := book{exact: map[string]string{}}
	for _, s := range all {
		if !strings.Contains(s.said, "{") {
			b.exact[s.said] = s.key
			continue
		}
		p := braces.ReplaceAllString(regexp.QuoteMeta(s.said), "(?s:.+)")
		b.patterns, b.keys = append(b.patterns, regexp.MustCompile("^"+p+"$")), append(b.keys, s.key)
	}
	return b
}

// key returns that of the first saying that s is, or "".
func (b book) key(s string) string {
	if key := b.exact[s]; key != "" {
		return key
	}
	for i, p := range b.patterns {
		if p.MatchString(s) {
			return b.keys[i]
		}
	}
	return ""
}
