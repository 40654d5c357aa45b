package locale

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
)

// Check says what is wrong with the texts of a package, for a test of it: keys
// that not every language has, texts that do not name the same values, and
// forms that a language needs or has no use for.
func Check(files fs.FS) error {
	all := map[string]text{}
	var each []Texts
	var errs []error
	for _, tag := range Tags() {
		l, err := New(tag)
		if err != nil {
			return err
		}
		t, err := Load(files, l)
		if err != nil {
			return err
		}
		each = append(each, t)
		maps.Copy(all, t.texts)
	}
	for _, t := range each {
		tag := t.language.Tag()
		for key, one := range all {
			text, ok := t.texts[key]
			switch {
			case !ok:
				errs = append(errs, fmt.Errorf("%s: there is no text %q", tag, key))
			case text.counted != one.counted || !slices.Equal(text.names, one.names):
				errs = append(errs, fmt.Errorf("%s: %q names %q, elsewhere it names %q", tag, key, text.names, one.names))
			case text.counted:
				has, wants := slices.Sorted(maps.Keys(text.forms)), t.language.forms()
				if !slices.Equal(has, wants) {
					errs = append(errs, fmt.Errorf("%s: %q has the forms %q, the language has %q", tag, key, has, wants))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// forms returns the forms that whole numbers take, in ascending order.
func (l *Language) forms() []string {
	forms := map[string]bool{"other": true}
	for n := range int64(200) {
		forms[l.form(n)] = true
	}
	return slices.Sorted(maps.Keys(forms))
}
