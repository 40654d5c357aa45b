package sqlite

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAListIsReadable(t *testing.T) {
	for want, parts := range map[string][]string{
		"":                   nil,
		"/":                  {""},
		"//":                 {"", ""},
		`/Clients/2019\/20`:  {"Clients", "2019/20"},
		`/a\\b`:              {`a\b`},
		`/\x00\xff/Entwürfe`: {"\x00\xff", "Entwürfe"},
	} {
		if got := joinList(parts); got != want {
			t.Errorf("%q is written as %s, want %s", parts, got, want)
		}
	}
}

func FuzzAListIsKept(f *testing.F) {
	for _, s := range []string{"", "|", "a|b", `\|/`, "\xff\x00|\xc3", `x|\x`, `\x41`, "é|\u0085"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		parts := strings.Split(s, "|")
		joined := joinList(parts)
		if !utf8.ValidString(joined) || strings.Contains(joined, "\x00") {
			t.Errorf("%q is written as %q, which sqlite3 cannot show", parts, joined)
		}
		if got, err := splitList(joined); err != nil || !slices.Equal(got, parts) {
			t.Errorf("%q came back as %q, error %v", parts, got, err)
		}
		splitList(s) // whatever it is
	})
}
