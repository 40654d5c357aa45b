package gmail

import (
	"strings"
	"unicode"
	"unicode/utf16"

	"golang.org/x/text/unicode/norm"
)

// maxName bounds the whole path of a label (support.google.com/a/answer/6227322).
// It is counted in UTF-16 units, which are never fewer than characters.
const maxName = 225

// LabelKey is what Gmail compares label names by: two labels whose keys are equal
// cannot both exist. Spaces at the ends and runs of spaces do not count, nor
// does case, and space, "/" and "-" are one character (live measurements of
// 2026-10). So "A/B", "a-b" and "A B" exclude each other.
func LabelKey(name string) string {
	name = strings.Join(strings.Fields(norm.NFC.String(name)), " ")
	return strings.NewReplacer(" ", "-", "/", "-").Replace(strings.ToLower(name))
}

// ReservedLabel says whether Gmail refuses name for a label at the top level. Only
// names that were tried and refused are here. More are reported, in every
// language, and many of those are good names for folders: they are tried, and
// renamed when Gmail refuses them.
func ReservedLabel(name string) bool {
	switch LabelKey(name) {
	case "inbox", "spam", "trash", "sent", "drafts", "starred", "important", "unread", "chats":
		return true
	}
	return false
}

// LabelName returns the part of a label name that stands for one folder name,
// and why it is not that name; "" if it is.
func LabelName(folder string) (name, note string) {
	var notes []string
	name = norm.NFC.String(strings.ToValidUTF8(folder, "\uFFFD"))
	if strings.Contains(name, "/") {
		name = strings.ReplaceAll(name, "/", "-")
		notes = append(notes, `Gmail nests labels at "/"`)
	}
	clean := strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case unicode.IsControl(r), r == '\u200b', r == '\ufeff', r == '\u2028', r == '\u2029',
			'\u202a' <= r && r <= '\u202e', '\u2066' <= r && r <= '\u2069': // invisible, or turns the text round
			return -1
		}
		return r
	}, name)
	if clean != name {
		notes = append(notes, "the name holds control characters")
	}
	if name = strings.TrimSpace(clean); name != clean {
		notes = append(notes, "the name begins or ends with a space")
	}
	if name == "" {
		name, notes = "Unnamed", append(notes, "the name is empty")
	}
	return name, strings.Join(notes, "; ")
}

// LabelFits says whether the whole path of a label is short enough for Gmail.
func LabelFits(name string) bool { return length(name) <= maxName }

// length counts UTF-16 units.
func length(s string) (n int) {
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// shorten cuts s to at most n UTF-16 units.
func shorten(s string, n int) string {
	for i, r := range s {
		if n -= utf16.RuneLen(r); n < 0 {
			return strings.TrimSpace(s[:i])
		}
	}
	return s
}
