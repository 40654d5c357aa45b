package gmailsim

import (
	"encoding/json"
	"maps"
	"reflect"
	"strings"
)

// A selection is a parsed fields mask; nil selects everything.
type selection map[string]selection

// selectFields keeps of the JSON of v what a fields mask selects, such as
// "id,messages(id,threadId)" or "messages/id". Names that the resource does
// not have are refused.
func selectFields(b []byte, mask string, v any) ([]byte, error) {
	sel, rest, ok := parseMask(mask, 0)
	if !ok || rest != "" {
		return nil, invalid("Invalid field selection %s", mask)
	}
	if name, ok := sel.fits(reflect.TypeOf(v)); !ok {
		return nil, invalid("Invalid field selection %s", name)
	}
	var tree any
	if err := json.Unmarshal(b, &tree); err != nil {
		return nil, err
	}
	return json.Marshal(sel.prune(tree))
}

func parseMask(s string, depth int) (sel selection, rest string, ok bool) {
	sel = selection{}
	for {
		name, inner, rest, ok := parseItem(s, depth)
		if !ok {
			return nil, rest, false
		}
		if have := sel[name]; have != nil && inner != nil {
			maps.Copy(have, inner)
		} else {
			sel[name] = inner
		}
		if !strings.HasPrefix(rest, ",") {
			return sel, rest, true
		}
		s = rest[1:]
	}
}

// parseItem reads one member of a mask: "a", "a/b" or "a(b,c)".
func parseItem(s string, depth int) (name string, inner selection, rest string, ok bool) {
	end := strings.IndexAny(s, ",/()")
	if end < 0 {
		end = len(s)
	}
	name, rest = strings.TrimSpace(s[:end]), s[end:]
	switch {
	case name == "" || depth > 10:
		return "", nil, rest, false
	case strings.HasPrefix(rest, "/"):
		member, deeper, rest, ok := parseItem(rest[1:], depth+1)
		return name, selection{member: deeper}, rest, ok
	case strings.HasPrefix(rest, "("):
		inner, rest, ok := parseMask(rest[1:], depth+1)
		rest, closed := strings.CutPrefix(rest, ")")
		return name, inner, rest, ok && closed
	}
	return name, nil, rest, true
}

// fits says whether t has every member of the selection, or which it lacks.
func (sel selection) fits(t reflect.Type) (string, bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
next:
	for name, inner := range sel {
		if name == "*" {
			continue
		}
		for i := 0; t.Kind() == reflect.Struct && i < t.NumField(); i++ {
			if tag, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); tag == name {
				if bad, ok := inner.fits(t.Field(i).Type); !ok {
					return bad, false
				}
				continue next
			}
		}
		return name, false
	}
	return "", true
}

func (sel selection) prune(tree any) any {
	if sel == nil {
		return tree
	}
	switch v := tree.(type) {
	case []any:
		for i := range v {
			v[i] = sel.prune(v[i])
		}
	case map[string]any:
		for name := range v {
			inner, ok := sel[name]
			if _, all := sel["*"]; !ok && !all {
				delete(v, name)
				continue
			}
			v[name] = inner.prune(v[name])
		}
	}
	return tree
}
