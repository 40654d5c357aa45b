package canon

import "strings"

// addresses returns the canonical form of a list of addresses (RFC 5322
// sections 3.4 and 4.4) and how many it has. Nothing is refused: what has no
// address is a name without one. Groups are their members.
func addresses(list string) (form string, n int64) {
	var b strings.Builder
	for list != "" {
		var a address
		a, list = cutAddress(list)
		name, addr := a.canonical()
		if name == "" && addr == "" {
			continue
		}
		b.WriteString(name + "\x00" + addr + "\n")
		n++
	}
	return b.String(), n
}

// onlyAddresses returns a form of addresses without their names.
func onlyAddresses(form string) string {
	var b strings.Builder
	for line := range strings.Lines(form) {
		_, addr, _ := strings.Cut(line, "\x00")
		b.WriteString(addr)
	}
	return b.String()
}

// An address is one item of a list in pieces.
type address struct {
	text    strings.Builder // outside of angle brackets, without quotes and comments
	angle   string          // between angle brackets
	angled  bool
	comment string // the last one
}

// cutAddress reads up to the comma or semicolon that ends the first item.
func cutAddress(s string) (a address, rest string) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ',', ';':
			return a, s[i+1:]
		case ':': // what was before is the name of a group
			a = address{}
		case '(':
			var comment string
			a.text.WriteByte(' ')
			if comment, i = cutComment(s, i); i < len(s) {
				a.comment = comment
			} else { // not closed: nothing may be lost
				a.text.WriteString(comment)
			}
		case '"':
			i = unquote(&a.text, s, i)
		case '<':
			if a.angled {
				a.text.WriteString(" " + a.angle)
			}
			a.angle, i = cutAngle(s, i)
			a.angled = true
		case '[': // a domain that is a number may have colons
			n := max(strings.IndexByte(s[i:min(len(s), i+80)], ']'), 0)
			a.text.WriteString(s[i : i+n+1])
			i += n
		case '\\':
			if i++; i < len(s) {
				a.text.WriteByte(s[i])
			}
		default:
			a.text.WriteByte(c)
		}
	}
	return a, ""
}

// unquote writes the quoted string that starts at an index, and returns the
// index of its end.
func unquote(b *strings.Builder, s string, i int) int {
	for i++; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return i
}

// cutComment returns the text of the comment that starts at an index, which may
// have comments in it, and the index of its end (RFC 5322 section 3.2.2).
func cutComment(s string, i int) (text string, end int) {
	var b strings.Builder
	depth := 0
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c == '(':
			if depth++; depth == 1 {
				continue
			}
		case c == ')':
			if depth--; depth == 0 {
				return b.String(), i
			}
		case c == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), i
}

// cutAngle returns what is in the angle brackets that start at an index, and
// the index of their end. Without one they end at the comma.
func cutAngle(s string, i int) (text string, end int) {
	var b strings.Builder
	for i++; i < len(s); i++ {
		switch c := s[i]; c {
		case '>':
			return b.String(), i
		case '"':
			i = unquote(&b, s, i)
		case '(':
			_, i = cutComment(s, i)
		case ',', ';':
			if !strings.HasPrefix(strings.TrimSpace(b.String()), "@") { // no source route (RFC 5322 section 4.4)
				return b.String(), i - 1
			}
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), i
}

func (a *address) canonical() (name, addr string) {
	name = phrase(a.text.String())
	switch {
	case a.angled:
		addr = a.angle
		if route, after, ok := strings.Cut(addr, ":"); ok && strings.HasPrefix(strings.TrimSpace(route), "@") {
			addr = after
		}
	case strings.Contains(name, "@"):
		name, addr = "", name
	}
	addr = clean(strings.Join(strings.Fields(addr), ""))
	if at := strings.LastIndexByte(addr, '@'); at >= 0 {
		addr = addr[:at] + strings.ToLower(addr[at:])
	}
	if name == "" && !a.angled { // the way of RFC 822
		name = phrase(a.comment)
	}
	if strings.EqualFold(name, addr) { // Exchange gives one to who has none
		name = ""
	}
	return name, addr
}
