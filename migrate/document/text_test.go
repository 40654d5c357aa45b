package document

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWhatControlsOrReordersTextIsShown(t *testing.T) {
	for s, want := range map[string]string{
		"":                                 "",
		"Re: Offer <b> & more":             "Re: Offer <b> & more",
		"Grüße aus 東京 – ✓":                 "Grüße aus 東京 – ✓",
		"a\r\nb\tc":                        "a  b c",
		"\x00\x1b[31m\x7f":                 "<U+0000><U+001B>[31m<U+007F>",
		"a\x7f":                            "a<U+007F>",
		"\u0085\u009f":                     "<U+0085><U+009F>",
		"\u202aexe.\u202e":                 "<U+202A>exe.<U+202E>",
		"\u2066a\u2069\u200e":              "<U+2066>a<U+2069><U+200E>",
		"\u200f\u061c\ufeff":               "<U+200F><U+061C><U+FEFF>",
		"\u2028\u2029\u200b":               "<U+2028><U+2029><U+200B>",
		"\ufffe\uffff\U0001ffff":           "<U+FFFE><U+FFFF><U+1FFFF>",
		"\ufdd0\ufdef":                     "<U+FDD0><U+FDEF>",
		"a\xffb\xc3":                       "a\ufffdb\ufffd",
		"👩\u200d👧 \u0646\u200c":            "👩\u200d👧 \u0646\u200c",
		"Donau\u00addampf":                 "Donau\u00addampf",
		"e" + strings.Repeat("\u0301", 10): "e" + strings.Repeat("\u0301", 8) + "<U+0301><U+0301>",
	} {
		if got := shown(s); got != want {
			t.Errorf("%q is shown as %q, want %q", s, got, want)
		}
	}
}

func TestATextHasAThousandCharactersAtMost(t *testing.T) {
	for _, letter := range []string{"a", "é", "東"} {
		if s := strings.Repeat(letter, 1000); shown(s) != s {
			t.Errorf("a thousand %s are cut", letter)
		}
		if got := shown(strings.Repeat(letter, 1001)); got != strings.Repeat(letter, 1000)+"…" {
			t.Errorf("of 1,001 %s %d characters are shown", letter, utf8.RuneCountInString(got))
		}
	}
	if got := shown(strings.Repeat("\u202e", 126)); got != strings.Repeat("<U+202E>", 125)+"…" {
		t.Errorf("126 that are hidden are shown as %d", utf8.RuneCountInString(got))
	}
}
