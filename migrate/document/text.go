package document

import (
	"embed"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mailhaul/mailhaul/migrate/locale"
)

//go:embed texts/*.toml
var texts embed.FS

// most is how many characters of a value people are shown.
const most = 1000

// shown returns s as people may be shown it: characters that control or
// reorder text, or that cannot be seen, as <U+202E>; what is not UTF-8 as
// U+FFFD; line ends and tabs as spaces. It has at most 1,000 characters, and
// then an ellipsis. What it returns still has to be escaped for its place.
func shown(s string) string { return visible(s, most) }

// visible is shown with another length.
func visible(s string, most int) string {
	if len(s) <= most && strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0 {
		return s
	}
	var b strings.Builder
	n, marks := 0, 0
	for _, r := range s {
		if unicode.In(r, unicode.Mn, unicode.Me) {
			marks++
		} else {
			marks = 0
		}
		piece := string(r)
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			piece = " "
		case hides(r) || marks > 8: // a pile of marks covers other lines
			piece = fmt.Sprintf("<U+%04X>", r)
		}
		if n += utf8.RuneCountInString(piece); n > most {
			b.WriteRune('…')
			break
		}
		b.WriteString(piece)
	}
	return b.String()
}

// hides says whether r controls or reorders text, cannot be seen, or has no
// place in XML. The joiners are seen in what they join, and hyphens where a
// line ends.
func hides(r rune) bool {
	switch r {
	case '\u200c', '\u200d', '\u00ad':
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) || r&0xfffe == 0xfffe || r >= 0xfdd0 && r <= 0xfdef
}

// texts returns what the faces say by themselves.
func (d *Document) texts() (locale.Texts, error) { return locale.Load(texts, d.Language) }
