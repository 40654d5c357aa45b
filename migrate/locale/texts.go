package locale

import (
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/feature/plural"
)

// Texts are what a package says, in one language.
//
// They are in a file of TOML. A text has names of values in braces:
//
//	moved = "{n} of {listed} messages are in the new system."
//
// A text with several forms is a table. Its form is chosen by the count that
// is named n, which not every form has to show. Which forms a language has is
// in the plural rules of Unicode's CLDR; "other" is always one of them:
//
//	[left]
//	one = "One message is not."
//	other = "{n} messages are not."
//
// Tables may be nested; the key of a text is then "risks.size.title".
type Texts struct {
	language *Language
	texts    map[string]text
}

// A text is its forms. One that is no table has only "other".
type text struct {
	forms   map[string]string
	names   []string // of values, in ascending order
	counted bool     // a table
}

var (
	placeholder = regexp.MustCompile(`\{([a-z_]+)\}`)
	forms       = []string{plural.Other: "other", plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many"}
)

// Load reads the texts of a language from texts/<tag>.toml.
func Load(files fs.FS, l *Language) (Texts, error) {
	name := "texts/" + l.Tag() + ".toml"
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return Texts{}, err
	}
	var tree map[string]any
	if err := toml.Unmarshal(data, &tree); err != nil {
		return Texts{}, fmt.Errorf("%s: %w", name, err)
	}
	t := Texts{l, map[string]text{}}
	if err := t.add("", tree); err != nil {
		return Texts{}, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// add takes a table of texts and tables, whose key ends with a dot.
func (t Texts) add(prefix string, tree map[string]any) error {
	for key, value := range tree {
		key = prefix + key
		var err error
		switch value := value.(type) {
		case string:
			err = t.set(key, map[string]string{"other": value}, false)
		case map[string]any:
			if _, ok := value["other"].(string); !ok {
				err = t.add(key+".", value)
				break
			}
			several := map[string]string{}
			for form, v := range value {
				s, ok := v.(string)
				if !ok || !slices.Contains(forms, form) {
					return fmt.Errorf("%s.%s is no form of a text", key, form)
				}
				several[form] = s
			}
			err = t.set(key, several, true)
		default:
			err = fmt.Errorf("%s is no text", key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t Texts) set(key string, several map[string]string, counted bool) error {
	names := map[string]bool{}
	if counted {
		names["n"] = true
	}
	for form, s := range several {
		for _, m := range placeholder.FindAllStringSubmatch(s, -1) {
			names[m[1]] = true
		}
		if strings.ContainsAny(placeholder.ReplaceAllString(s, ""), "{}") {
			return fmt.Errorf("%s, %s: a brace that is not part of a name", key, form)
		}
	}
	t.texts[key] = text{several, slices.Sorted(maps.Keys(names)), counted}
	return nil
}

// Has says whether there is a text with that key.
func (t Texts) Has(key string) bool { _, ok := t.texts[key]; return ok }

// Text returns the text with that key. Its values are given as pairs of name
// and value: a string, or an int or int64, which is a count. Values are put in
// as they are. It panics if there is no such text, or if the pairs are not
// exactly what it names.
func (t Texts) Text(key string, pairs ...any) string {
	text, ok := t.texts[key]
	if !ok {
		panic(fmt.Sprintf("there is no text %q in %q", key, t.language.Tag()))
	}
	form, values := "other", make([]string, 0, len(pairs))
	names := make([]string, 0, len(text.names))
	for i := 0; i+1 < len(pairs); i += 2 {
		name, value := pairs[i].(string), pairs[i+1]
		if n, ok := value.(int); ok {
			value = int64(n)
		}
		if n, ok := value.(int64); ok {
			value = t.language.Count(n)
			if name == "n" {
				form = t.language.form(n)
			}
		}
		names = append(names, name)
		values = append(values, name, value.(string))
	}
	slices.Sort(names)
	if len(pairs)%2 != 0 || !slices.Equal(names, text.names) {
		panic(fmt.Sprintf("text %q names %q, and the values are %q", key, text.names, names))
	}
	if s, ok := text.forms[form]; ok {
		return fill(s, values...)
	}
	return fill(text.forms["other"], values...)
}

// form says which form a text with the count n has.
func (l *Language) form(n int64) string {
	u := uint64(max(n, -n)) // the rules are those of what is shown without a sign
	if u > 1e6 {
		u = u%1e6 + 1e6 // they look no further
	}
	return forms[plural.Cardinal.MatchPlural(l.tag, int(u), 0, 0, 0, 0)]
}
