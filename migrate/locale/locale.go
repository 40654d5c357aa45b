// Package locale gives texts, numbers, sizes, dates and amounts of money in the
// language of the person who reads them.
//
// A language is a file of this package, languages/<tag>.toml, and one of each
// package that has texts, texts/<tag>.toml. Nothing else knows which languages
// there are: to add one, write those files. [Check] says what they lack.
package locale

import (
	"embed"
	"fmt"
	"path"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/language"
)

//go:embed languages/*.toml
var languages embed.FS

// A Language writes values for people who read it. Where a value has parts, as
// in "18.2 MB", the space between them is U+00A0 and does not break.
type Language struct {
	tag   language.Tag
	words words
}

// words is what a file in languages holds. Templates have their values in braces.
type words struct {
	Name    string   // of the language, in itself
	Group   string   // between thousands
	Point   string   // before decimals
	Percent string   // {n}
	Date    string   // a layout of package time, in which Jan is one of Months
	Clock   string   // a layout of package time
	Months  []string // twelve, or none if Date has no use for them
	And     string   // before the last of a list
	Seconds string   // {n}
	Minutes string   // {n}
	Hours   string   // {n}
	Days    string   // {n}, which is two or more
	Money   string   // {amount}, {currency}
}

// New returns the language with that tag, one of [Tags].
func New(tag string) (*Language, error) {
	data, err := languages.ReadFile("languages/" + tag + ".toml")
	if err != nil {
		return nil, fmt.Errorf("there is no language %q: it can be %s", tag, strings.Join(Tags(), ", "))
	}
	l := new(Language)
	if l.tag, err = language.Parse(tag); err != nil {
		return nil, fmt.Errorf("language %q: %w", tag, err)
	}
	d := toml.NewDecoder(strings.NewReader(string(data))).DisallowUnknownFields()
	if err := d.Decode(&l.words); err != nil {
		return nil, fmt.Errorf("language %q: %w", tag, err)
	}
	return l, nil
}

// Tags returns the tags of all languages, as in BCP 47, in ascending order.
func Tags() []string {
	files, err := languages.ReadDir("languages")
	if err != nil {
		panic(err) // it is embedded
	}
	tags := make([]string, len(files))
	for i, f := range files {
		tags[i] = strings.TrimSuffix(f.Name(), path.Ext(f.Name()))
	}
	return tags
}

// Tag is what [New] was given: "en".
func (l *Language) Tag() string { return l.tag.String() }

// Name is the language's name in itself: "Deutsch".
func (l *Language) Name() string { return l.words.Name }

// List joins words to a part of a sentence: "a, b and c".
func (l *Language) List(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + l.words.And + words[last]
}
