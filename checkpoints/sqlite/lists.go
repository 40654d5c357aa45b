package sqlite

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// joinList writes a list of strings as one that sqlite3 can show: each part
// follows a slash; slashes, backslashes and octets that do not print are
// escaped. An empty list gives an empty string.
func joinList(parts []string) string {
	var b strings.Builder
	for _, part := range parts {
		b.WriteByte('/')
		for i := 0; i < len(part); {
			r, n := utf8.DecodeRuneInString(part[i:])
			switch {
			case r == '/' || r == '\\':
				b.WriteByte('\\')
				b.WriteByte(part[i])
			case r == utf8.RuneError && n == 1, unicode.IsControl(r):
				for _, c := range []byte(part[i : i+n]) {
					fmt.Fprintf(&b, `\x%02x`, c)
				}
			default:
				b.WriteString(part[i : i+n])
			}
			i += n
		}
	}
	return b.String()
}

// splitList undoes joinList.
func splitList(s string) ([]string, error) {
	if s == "" {
		return nil, nil
	}
	var parts []string
	var part []byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '/' && i == 0:
		case c == '/':
			parts, part = append(parts, string(part)), part[:0]
		case c == '\\' && strings.HasPrefix(s[i:], `\x`) && len(s) >= i+4:
			octet, err := strconv.ParseUint(s[i+2:i+4], 16, 8)
			if err != nil {
				return nil, fmt.Errorf("list %q: %w", s, err)
			}
			part, i = append(part, byte(octet)), i+3
		case c == '\\' && i+1 < len(s):
			i++
			part = append(part, s[i])
		default:
			part = append(part, c)
		}
	}
	return append(parts, string(part)), nil
}
