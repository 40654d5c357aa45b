package canon

import (
	"fmt"
	"net/textproto"
	"slices"
	"strconv"
)

// A Difference is one between two forms.
type Difference struct {
	Aspect Aspect
	Detail string // for people: "part 2 (report.pdf): 12,345 octets instead of 20,000"; no content
}

// Compare returns what of the original is different in the copy, nil if
// nothing. Forms of equal Content differ in Structure at the most. It also bears
// what systems add: a Message-ID or the name of an attachment where there was
// none. Parts that are in another order differ in Structure.
func Compare(original, replica *Form) []Difference {
	var ds []Difference
	for i, a := range messageFields {
		if was, is := original.fields[i], replica.fields[i]; was.digest != is.digest && (a != MessageID || was.digest != Digest{}) {
			ds = append(ds, Difference{a, a.label() + " " + was.compared(a, is)})
		}
	}
	parts, inOrder := compareParts(original, replica)
	if original.signed != replica.signed {
		ds = append(ds, Difference{Signature, "what is signed is not what it was, octet for octet"})
	}
	if len(parts) == 0 && (original.structure != replica.structure || !inOrder) {
		parts = []Difference{{Structure, "the parts are put together in another way"}}
	}
	return append(ds, parts...)
}

// label returns the name of a field as people know it.
func (a Aspect) label() string {
	if a == MessageID {
		return "Message-ID"
	}
	return textproto.CanonicalMIMEHeaderKey(string(a))
}

func (was value) compared(a Aspect, is value) string {
	switch {
	case was.digest == Digest{}:
		return "is there, and was not"
	case is.digest == Digest{}:
		return "is missing"
	case was.parsed && is.parsed:
		return "is " + counts(is.count-was.count, "second", "seconds") + " later"
	case a.repeats() && was.count != is.count:
		return "has " + counts(is.count, "address", "addresses") + " instead of " + grouped(was.count)
	}
	return "is different"
}

// A matching pairs the parts of an original with those of its copy.
type matching struct {
	was, is []part
	to      []int  // index in is of the part of was; -1 for none
	taken   []bool // of is
}

// match pairs parts that are alone so far and have the same key, in order.
func match[K comparable](m *matching, wasKey, isKey func(part) (K, bool)) {
	waiting := map[K][]int{}
	for i, p := range m.is {
		if key, ok := isKey(p); ok && !m.taken[i] {
			waiting[key] = append(waiting[key], i)
		}
	}
	for i, p := range m.was {
		if m.to[i] >= 0 {
			continue
		}
		if key, ok := wasKey(p); ok && len(waiting[key]) > 0 {
			j := waiting[key][0]
			waiting[key] = waiting[key][1:]
			m.to[i], m.taken[j] = j, true
		}
	}
}

func both[K comparable](m *matching, key func(part) (K, bool)) { match(m, key, key) }

func compareParts(original, replica *Form) (ds []Difference, inOrder bool) {
	m := &matching{original.parts, replica.parts, make([]int, len(original.parts)), make([]bool, len(replica.parts))}
	for i := range m.to {
		m.to[i] = -1
	}
	type content struct {
		aspect Aspect
		header bool
		digest Digest
		name   string
	}
	both(m, func(p part) (content, bool) { return content{p.aspect, p.header, p.content, titled(p.name)}, true })
	both(m, func(p part) (content, bool) { return content{p.aspect, p.header, p.content, ""}, true })
	// Text that became an attachment, or the other way round.
	attached := func(p part) (Digest, bool) { return p.content, p.aspect == Attachment }
	shown := func(p part) (Digest, bool) { return p.octets, p.aspect == Text && !p.header }
	match(m, shown, attached)
	match(m, attached, shown)

	same := slices.Clone(m.to)

	// What is left was changed, lost or added.
	type named struct {
		aspect Aspect
		name   string
	}
	both(m, func(p part) (named, bool) { return named{p.aspect, titled(p.name)}, p.name != "" })
	type sort struct {
		aspect       Aspect
		html, header bool
	}
	both(m, func(p part) (sort, bool) { return sort{p.aspect, p.html, p.header}, p.name == "" })

	read := map[int32]bool{} // alternatives of which one can be read in the copy
	for i, p := range m.was {
		read[p.alternative] = read[p.alternative] || p.alternative > 0 && p.aspect == Text && same[i] >= 0
	}
	for i, p := range m.was {
		switch j := m.to[i]; {
		case j < 0 && !p.some:
		case j < 0 && p.aspect == Text && read[p.alternative]:
			ds = append(ds, Difference{Alternative, p.String() + " is missing, beside another that is there"})
		case j < 0:
			ds = append(ds, Difference{p.aspect, p.String() + " is missing"})
		case same[i] < 0:
			ds = append(ds, Difference{p.aspect, p.String() + ": " + p.compared(m.is[j])})
		case p.name != "" && titled(p.name) != titled(m.is[j].name):
			ds = append(ds, Difference{Name, fmt.Sprintf("%s has the name %q", p, m.is[j].name)})
		}
	}
	for j, p := range m.is {
		if !m.taken[j] && p.some {
			ds = append(ds, Difference{p.aspect, p.String() + " of the copy is not in the original"})
		}
	}
	if original.more != replica.more || original.folded != replica.folded {
		ds = append(ds, Difference{Attachment, fmt.Sprintf("what is beyond the first %s parts is different: %s instead of %s",
			grouped(maxParts), counts(replica.more, "part", "parts"), grouped(original.more))})
	}
	return ds, slices.IsSorted(m.to)
}

func (p part) compared(is part) string {
	switch {
	case p.octets == is.octets:
		return "the same " + counts(p.size, "octet", "octets") + ", to be read in another way"
	case p.size == is.size:
		return counts(p.size, "octet", "octets") + ", but others"
	}
	return counts(is.size, "octet", "octets") + " instead of " + grouped(p.size)
}

// String names a part for people.
func (p part) String() string {
	s := "part " + p.path
	if p.header {
		s = "what is no field in the header of part " + p.path
	}
	if p.name != "" {
		s += " (" + p.name + ")"
	}
	return s
}

func counts(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(n) + " " + many
}

// grouped writes a number with commas between its thousands.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
