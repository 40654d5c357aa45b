package canon

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

const maxParams = 100 // of one field; what follows is left out

// params are the parameters of a field, by their names in lower case, as they
// stand.
type params struct {
	plain    map[string]string
	extended map[string][]segment // RFC 2231
}

type segment struct {
	number int
	coded  bool // with percent signs
	text   string
}

// parseParams splits a field like Content-Type. Its value is in lower case.
func parseParams(field string) (value string, ps params) {
	value, rest := cutParam(field)
	if words := strings.Fields(value); len(words) > 0 {
		value = strings.ToLower(words[0])
	}
	for n := 0; rest != "" && n < maxParams; n++ {
		var param string
		param, rest = cutParam(rest)
		name, text, ok := strings.Cut(param, "=")
		if !ok {
			continue
		}
		ps.add(strings.ToLower(strings.TrimSpace(name)), paramValue(strings.TrimSpace(text)))
	}
	return value, ps
}

// cutParam cuts s at the first semicolon outside of quotes.
func cutParam(s string) (param, rest string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == ';' && !quoted:
			return s[:i], s[i+1:]
		}
	}
	if i := strings.IndexByte(s, ';'); quoted && i >= 0 && strings.Count(s, `"`) == 1 { // a quote that does not end
		return s[:i], s[i+1:]
	}
	return s, ""
}

// paramValue undoes quotes. A backslash that can be no escape is one: programs
// that sent paths forgot to double it.
func paramValue(s string) string {
	if !strings.HasPrefix(s, `"`) {
		return s
	}
	var b strings.Builder
	for i := 1; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(`()<>@,;:\"/[]?=`, s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func (ps *params) add(name, text string) {
	base, tail, extended := strings.Cut(name, "*")
	if !extended {
		if ps.plain == nil {
			ps.plain = map[string]string{}
		}
		if _, twice := ps.plain[name]; !twice {
			ps.plain[name] = text
		}
		return
	}
	number, coded := strings.CutSuffix(tail, "*")
	n, err := strconv.Atoi(number)
	switch {
	case tail == "": // not in segments
		coded = true
	case err != nil:
		return
	}
	if ps.extended == nil {
		ps.extended = map[string][]segment{}
	}
	ps.extended[base] = append(ps.extended[base], segment{n, coded, text})
}

// token returns a parameter that has no characters but those of ASCII.
func (ps params) token(name string) string {
	if text, ok := ps.plain[name]; ok {
		return text
	}
	octets, _ := ps.joined(name)
	return octets
}

// joined puts the segments of an extended parameter together.
func (ps params) joined(name string) (octets, label string) {
	segments := ps.extended[name]
	slices.SortStableFunc(segments, func(a, b segment) int { return cmp.Compare(a.number, b.number) })
	var b strings.Builder
	for i, s := range segments {
		if !s.coded {
			b.WriteString(s.text)
			continue
		}
		if parts := strings.SplitN(s.text, "'", 3); i == 0 && len(parts) == 3 {
			label, s.text = parts[0], parts[2]
		}
		for at := 0; at < len(s.text); at++ {
			if s.text[at] == '%' && at+2 < len(s.text) && hex(s.text[at+1]) && hex(s.text[at+2]) {
				b.WriteByte(unhex(s.text[at+1])<<4 | unhex(s.text[at+2]))
				at += 2
				continue
			}
			b.WriteByte(s.text[at])
		}
	}
	return b.String(), label
}

// text returns a parameter as people read it: RFC 2231, else RFC 2047, which is
// wrong but common.
func (ps params) text(name string) string {
	if len(ps.extended[name]) > 0 {
		octets, label := ps.joined(name)
		if label != "" {
			return clean(strings.Join(strings.Fields(charsetOf(label).string([]byte(octets))), " "))
		}
		return phrase(readable(octets))
	}
	return phrase(readable(ps.plain[name]))
}
