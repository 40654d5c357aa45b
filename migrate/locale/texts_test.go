package locale

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/fstest"
)

// catalogue returns the files of a package whose English and German texts these are.
func catalogue(en, de string) fstest.MapFS {
	return fstest.MapFS{"texts/en.toml": {Data: []byte(en)}, "texts/de.toml": {Data: []byte(de)}}
}

// load returns texts that are right, in English.
func load(t *testing.T, toml string) Texts {
	t.Helper()
	texts, err := Load(catalogue(toml, ""), languageOf(t, "en"))
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

const sample = `
title = "Report for {client}"
[left]
one = "One message of {all} is not there."
other = "{n} messages of {all} are not there."
[rest]
one = "It is not there."
other = "They are not there."
[risks.size]
title = "Large messages"
`

func TestATextHasItsValuesAndTheFormOfItsCount(t *testing.T) {
	texts := load(t, sample)
	for _, c := range []struct{ got, want string }{
		{texts.Text("title", "client", "{n} & <Sons>"), "Report for {n} & <Sons>"},
		{texts.Text("left", "n", 1, "all", int64(52310)), "One message of 52,310 is not there."},
		{texts.Text("left", "all", 1, "n", 0), "0 messages of 1 are not there."},
		{texts.Text("left", "n", int64(10_000_001), "all", "many"), "10,000,001 messages of many are not there."},
		{texts.Text("left", "n", -1, "all", "many"), "One message of many is not there."},
		{texts.Text("left", "n", int64(math.MinInt64), "all", "many"), "-9,223,372,036,854,775,808 messages of many are not there."},
		{texts.Text("rest", "n", 1), "It is not there."},
		{texts.Text("risks.size.title"), "Large messages"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	if !texts.Has("left") || texts.Has("risks") || texts.Has("left.one") {
		t.Error("Has is wrong about what there is")
	}
}

func TestMistakesWithATextPanic(t *testing.T) {
	texts := load(t, sample)
	for key, pairs := range map[string][]any{
		"none":        nil,
		"title":       nil,
		"title ":      {"client", "A"},
		"left":        {"n", 1},
		"risks":       nil,
		"left.one":    {"n", 1, "all", 1},
		"left.other":  {"n", 1, "all", 1},
		"risks.size.": nil,
	} {
		panics(t, texts, key, pairs...)
	}
	panics(t, texts, "title", "client", "A", "date", "B")
	panics(t, texts, "title", "client", "A", "client", "B")
	panics(t, texts, "title", "client")
	panics(t, texts, "title", "client", "A", "B")
	panics(t, texts, "title", "client", 1.5)
	panics(t, texts, "left", "all", 1, "N", 1)
}

func panics(t *testing.T, texts Texts, key string, pairs ...any) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%q with %q makes no panic", key, pairs)
		}
	}()
	texts.Text(key, pairs...)
}

func TestFilesThatAreNoTextsAreRefused(t *testing.T) {
	for _, toml := range []string{
		`title = 3`,
		`title = ["a"]`,
		`title = "a {b"`,
		`title = "a {B}"`,
		`title = "a } b"`,
		`title = `,
		"[title]\nother = \"a\"\nseveral = \"b\"",
		"[title]\nother = \"a\"\none = 3",
		"[a]\n[a.title]\nother = \"a\"\none = \"{\"",
	} {
		_, err := Load(catalogue(toml, ""), languageOf(t, "en"))
		if err == nil || !strings.Contains(err.Error(), "en.toml") {
			t.Errorf("%s: %v", toml, err)
		}
	}
	if _, err := Load(fstest.MapFS{}, languageOf(t, "en")); err == nil {
		t.Error("a language without a file is accepted")
	}
}

func TestCheckNamesWhatLanguagesLack(t *testing.T) {
	if err := Check(catalogue(sample, sample)); err != nil {
		t.Error(err)
	}
	for _, c := range []struct{ en, de, want string }{
		{`a = ""`, ``, `de: there is no text "a"`},
		{``, `a = ""`, `en: there is no text "a"`},
		{`a = "{x}"`, `a = "{y}"`, `"a" names`},
		{`a = "{x}"`, `a = ""`, `"a" names`},
		{`a = "{n}"`, "[a]\none = \"\"\nother = \"{n}\"", `"a" names`},
		{"[a]\nother = \"\"", "[a]\none = \"\"\nother = \"\"", `en: "a" has the forms ["other"], the language has ["one" "other"]`},
		{"[a]\none = \"\"\nfew = \"\"\nother = \"\"", "[a]\none = \"\"\nother = \"\"", `en: "a" has the forms ["few" "one" "other"]`},
		{`a = 1`, ``, "a is no text"},
	} {
		if err := Check(catalogue(c.en, c.de)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\n%s\n%v", c.en, c.de, err)
		}
	}
	if err := Check(fstest.MapFS{"texts/en.toml": {}}); err == nil || !strings.Contains(fmt.Sprint(err), "de.toml") {
		t.Errorf("a missing file: %v", err)
	}
}
