package graphsim

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// anyCategory parses (x:x eq 'name').
func (p *filterParser) anyCategory() (predicate, error) {
	if !p.take("(") {
		return nil, p.fail()
	}
	variable, _, _ := strings.Cut(p.word(), ":")
	if !strings.HasPrefix(p.s, " ") {
		return nil, p.fail()
	}
	if w := p.peek(); w == variable {
		p.word()
	}
	op, name, err := p.comparison()
	if err != nil || op != "eq" || !p.take(")") {
		return nil, p.fail()
	}
	return func(v *view) (bool, error) { return slices.Contains(v.m.categories, name), nil }, nil
}

// anyProperty parses (ep: ep/id eq 'ID' and ep/value eq 'V'), the same with
// contains(ep/value,'V') or startswith, and cast(ep/value, Edm.Int32) eq 12
// (section 13). Names are case-sensitive, values are not.
func (p *filterParser) anyProperty() (predicate, error) {
	if !p.take("(") {
		return nil, p.fail()
	}
	variable, ok := strings.CutSuffix(p.word(), ":")
	if !ok || variable == "" || p.word() != variable+"/id" || p.word() != "eq" {
		return nil, p.fail()
	}
	raw, _ := p.quoted()
	id, typ, ok := canonicalID(raw)
	if !ok {
		return nil, errQuery("The extended property id '%s' is not valid.", raw)
	}
	if p.word() != "and" {
		return nil, p.fail()
	}
	var test func(value string) (bool, error)
	switch w := p.word(); w {
	case variable + "/value":
		op, literal, err := p.comparison()
		if err != nil || typ == "String" && op != "eq" && op != "ne" {
			return nil, p.fail()
		}
		test = func(value string) (bool, error) { return strings.EqualFold(value, literal) == (op == "eq"), nil }
	case "contains", "startswith":
		if !p.take("(") || p.word() != variable+"/value" || !p.take(",") {
			return nil, p.fail()
		}
		part, ok := p.quoted()
		if !ok || !p.take(")") {
			return nil, p.fail()
		}
		test = func(value string) (bool, error) { return textual(value, w, part), nil }
	case "cast":
		if !p.take("(") || p.word() != variable+"/value" || !p.take(",") || !strings.HasPrefix(p.word(), "Edm.") || !p.take(")") {
			return nil, p.fail()
		}
		op, literal, err := p.comparison()
		if err != nil {
			return nil, err
		}
		test = func(value string) (bool, error) {
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return false, nil
			}
			return compare(n, op, literal)
		}
	default:
		return nil, p.fail()
	}
	if !p.take(")") {
		return nil, p.fail()
	}
	return func(v *view) (bool, error) {
		value, ok, err := v.property(id)
		if !ok || err != nil {
			return false, err
		}
		return test(value)
	}, nil
}

// compare applies op to a value of a message and a literal of the same type.
func compare(value any, op, literal string) (bool, error) {
	var order int
	switch value := value.(type) {
	case string:
		order = strings.Compare(strings.ToLower(value), strings.ToLower(literal))
	case bool:
		if literal != "true" && literal != "false" {
			return false, errQuery("A Boolean was expected, not '%s'.", literal)
		}
		order = map[bool]int{true: 0, false: 1}[value == (literal == "true")]
	case int64:
		n, err := strconv.ParseInt(literal, 10, 64)
		if err != nil {
			return false, errQuery("A number was expected, not '%s'.", literal)
		}
		order = int(max(-1, min(1, value-n)))
	case time.Time:
		t, err := time.Parse(time.RFC3339, literal)
		if err != nil {
			return false, errQuery("A date was expected, not '%s'.", literal)
		}
		order = value.Compare(t)
	}
	switch op {
	case "eq":
		return order == 0, nil
	case "ne":
		return order != 0, nil
	case "gt":
		return order > 0, nil
	case "ge":
		return order >= 0, nil
	case "lt":
		return order < 0, nil
	}
	return order <= 0, nil
}

// filterFields are the members of a message that $filter and $orderby know.
var filterFields = map[string]func(v *view) (any, error){
	"internetMessageId":    func(v *view) (any, error) { return v.m.messageID, nil },
	"receivedDateTime":     func(v *view) (any, error) { return v.m.received.Truncate(time.Second), nil },
	"sentDateTime":         func(v *view) (any, error) { return v.m.sent.Truncate(time.Second), nil },
	"createdDateTime":      func(v *view) (any, error) { return v.m.created.Truncate(time.Second), nil },
	"lastModifiedDateTime": func(v *view) (any, error) { return v.m.modified.Truncate(time.Second), nil },
	"isRead":               func(v *view) (any, error) { return v.m.read, nil },
	"isDraft":              func(v *view) (any, error) { return v.m.draft, nil },
	"importance":           func(v *view) (any, error) { return v.m.importance, nil },
	"flag/flagStatus":      func(v *view) (any, error) { return v.m.flagStatus(), nil },
	"hasAttachments": func(v *view) (any, error) {
		list, err := v.attachments()
		return len(list) > 0, err
	},
	"subject": func(v *view) (any, error) {
		ct, err := v.content()
		if err != nil {
			return "", err
		}
		return ct.subject, nil
	},
	"from/emailAddress/address": func(v *view) (any, error) {
		ct, err := v.content()
		if err != nil || ct.from == nil {
			return "", err
		}
		return ct.from.EmailAddress.Address, nil
	},
}
