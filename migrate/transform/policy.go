package transform

import (
	"slices"
	"strings"
)

// A Policy says when a transform is applied to a message that needs it.
type Policy string

const (
	Never       Policy = "never"
	WhenRefused Policy = "when-refused" // once the target has refused the message as it is
	Always      Policy = "always"       // before the message is written
)

// A Config says what may be changed.
type Config struct {
	Policies     map[string]Policy // by Transform.Key; others have their default
	ChangeSigned bool              // signed and encrypted messages too, though it breaks them
}

func (c Config) policy(t Transform) Policy {
	if p, ok := c.Policies[t.Key]; ok {
		return p
	}
	return t.Default
}

// Upfront says whether any message may have to be changed before it is written.
func (c Config) Upfront() bool {
	return slices.ContainsFunc(All(), func(t Transform) bool { return c.policy(t) == Always })
}

// A Plan is the forms in which a message is to be written, one after the other
// until the target takes it. A form is named by its transforms, and nil is the
// message as it is. Where nothing may be tried there is one form.
type Plan struct {
	Forms [][]string
	Hint  string // what would allow more; empty if nothing would
}

// Plan returns the forms of a message with these defects.
func (c Config) Plan(d Defects) Plan {
	var first, rest []Transform
	var barred, forbidden []string
	for _, t := range d.needs {
		switch p := c.policy(t); {
		case p == Never:
			if t.Key != receipt.Key { // no target refuses it
				forbidden = append(forbidden, t.Key)
			}
		case d.breaks(t) && !c.ChangeSigned:
			barred = append(barred, t.Key)
		case p == Always:
			first = append(first, t)
		default:
			rest = append(rest, t)
		}
	}
	plan := Plan{Forms: [][]string{d.form(first)}}
	for i := range rest {
		plan.Forms = append(plan.Forms, d.form(slices.Concat(first, rest[:i+1])))
	}
	if len(barred) > 0 {
		plan.Hint = "It is signed or encrypted, which a change would break (" + strings.Join(barred, ", ") + `): set signed = "change" in [transform] if that may be.`
	} else if len(forbidden) > 0 {
		plan.Hint = "What is odd about it may be changed in the copy if [transform] allows that: " + strings.Join(forbidden, ", ") + "."
	}
	return plan
}

// form names a form: its transforms, and what they break.
func (d Defects) form(ts []Transform) (names []string) {
	for _, t := range All() {
		if slices.ContainsFunc(ts, func(other Transform) bool { return other.Key == t.Key }) {
			names = append(names, t.Note)
		}
	}
	if slices.ContainsFunc(ts, d.breaks) {
		names = append(names, NoteSigned)
	}
	return names
}
