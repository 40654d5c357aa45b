package graphsim

import (
	"slices"
	"strings"
)

// A filter is a parsed $filter.
type filter struct {
	match  func(v *view) (bool, error)
	fields []string // in the order in which they first occur
}

// onlyDates says whether the filter asks for nothing but dates.
func (f *filter) onlyDates() bool {
	return !slices.ContainsFunc(f.fields, func(s string) bool { return !strings.HasSuffix(s, "DateTime") })
}

type predicate func(v *view) (bool, error)

// filterParser parses the part of OData's grammar that mail uses: and, or, not,
// parentheses, comparisons with a literal, contains, startswith, and any over
// categories and extended properties.
type filterParser struct {
	s      string
	depth  int
	fields []string
}

// maxFilter bounds the length of a $filter, and so the work of parsing it.
const maxFilter = 8 << 10

func parseFilter(s string) (*filter, error) {
	if len(s) > maxFilter {
		return nil, errQuery("The $filter is too long.")
	}
	p := &filterParser{s: s}
	match, err := p.or()
	if err == nil && !p.end() {
		err = p.fail()
	}
	if err != nil {
		return nil, err
	}
	return &filter{match, p.fields}, nil
}

func (p *filterParser) fail() error {
	return errQuery("Invalid filter clause near '%.60s'.", p.s)
}

func (p *filterParser) skip()     { p.s = strings.TrimLeft(p.s, " ") }
func (p *filterParser) end() bool { p.skip(); return p.s == "" }

// take eats a token if it comes next.
func (p *filterParser) take(token string) bool {
	p.skip()
	rest, ok := strings.CutPrefix(p.s, token)
	if ok {
		p.s = rest
	}
	return ok
}

// word eats a path, an operator or a bare literal.
func (p *filterParser) word() string {
	p.skip()
	i := strings.IndexAny(p.s, " (),'")
	if i < 0 {
		i = len(p.s)
	}
	w := p.s[:i]
	p.s = p.s[i:]
	return w
}

func (p *filterParser) peek() string {
	q := *p
	return q.word()
}

// quoted eats a string literal; a doubled quote in it stands for one.
func (p *filterParser) quoted() (string, bool) {
	p.skip()
	if !strings.HasPrefix(p.s, "'") {
		return "", false
	}
	var b strings.Builder
	for i := 1; i < len(p.s); i++ {
		if p.s[i] != '\'' {
			b.WriteByte(p.s[i])
			continue
		}
		if i+1 < len(p.s) && p.s[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		p.s = p.s[i+1:]
		return b.String(), true
	}
	return "", false
}

func (p *filterParser) field(name string) {
	if !slices.Contains(p.fields, name) {
		p.fields = append(p.fields, name)
	}
}

func (p *filterParser) or() (predicate, error) {
	return p.chain("or", p.and, func(a, b predicate) predicate {
		return func(v *view) (bool, error) {
			if ok, err := a(v); ok || err != nil {
				return ok, err
			}
			return b(v)
		}
	})
}

func (p *filterParser) and() (predicate, error) {
	return p.chain("and", p.term, func(a, b predicate) predicate {
		return func(v *view) (bool, error) {
			if ok, err := a(v); !ok || err != nil {
				return ok, err
			}
			return b(v)
		}
	})
}

func (p *filterParser) chain(op string, operand func() (predicate, error), join func(a, b predicate) predicate) (predicate, error) {
	left, err := operand()
	for err == nil && p.peek() == op {
		p.word()
		var right predicate
		if right, err = operand(); err == nil {
			left = join(left, right)
		}
	}
	return left, err
}

func (p *filterParser) term() (predicate, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail()
	}
	defer func() { p.depth-- }()
	if p.take("(") {
		inner, err := p.or()
		if err == nil && !p.take(")") {
			err = p.fail()
		}
		return inner, err
	}
	name := p.word()
	lower := strings.ToLower(name)
	switch {
	case name == "not":
		inner, err := p.term()
		return func(v *view) (bool, error) {
			ok, err := inner(v)
			return !ok, err
		}, err
	case name == "contains" || name == "startswith":
		return p.function(name)
	case lower == "singlevalueextendedproperties/any":
		p.field(name)
		return p.anyProperty()
	case lower == "categories/any":
		p.field("categories")
		return p.anyCategory()
	case name == "":
		return nil, p.fail()
	}
	get, ok := filterFields[name]
	if !ok {
		return nil, errQuery("Could not find a property named '%s' on type 'microsoft.graph.message', or it cannot be filtered on.", name)
	}
	p.field(name)
	op, literal, err := p.comparison()
	if err != nil {
		return nil, err
	}
	return func(v *view) (bool, error) {
		value, err := get(v)
		if err != nil {
			return false, err
		}
		return compare(value, op, literal)
	}, nil
}

var operators = []string{"eq", "ne", "gt", "ge", "lt", "le"}

func (p *filterParser) comparison() (op, literal string, err error) {
	op = p.word()
	if !slices.Contains(operators, op) {
		return "", "", p.fail()
	}
	literal, ok := p.quoted()
	if !ok {
		literal = p.word()
	}
	if !ok && literal == "" {
		return "", "", p.fail()
	}
	return op, literal, nil
}

// function parses contains(path,'text') and startswith(path,'text').
func (p *filterParser) function(name string) (predicate, error) {
	if !p.take("(") {
		return nil, p.fail()
	}
	path := p.word()
	get, ok := filterFields[path]
	if !ok || !p.take(",") {
		return nil, p.fail()
	}
	p.field(path)
	part, ok := p.quoted()
	if !ok || !p.take(")") {
		return nil, p.fail()
	}
	return func(v *view) (bool, error) {
		value, err := get(v)
		s, _ := value.(string)
		return textual(s, name, part), err
	}, nil
}

func textual(s, function, part string) bool {
	s, part = strings.ToLower(s), strings.ToLower(part)
	if function == "contains" {
		return strings.Contains(s, part)
	}
	return strings.HasPrefix(s, part)
}
