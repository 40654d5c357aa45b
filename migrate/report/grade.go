package report

import (
	"strings"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

// A grade says how far a mailbox can be signed off. The rule of each is what
// the texts "grade.A" to "grade.D" say.
type grade string

const (
	gradeA grade = "A" // all there, and content compared since the last pass
	gradeB grade = "B" // likewise, but compared less deeply, or before the last pass
	gradeC grade = "C" // complete, with failures or differences, which are listed
	gradeD grade = "D" // not complete, or never verified
)

// grades are all of them, the best first.
var grades = []grade{gradeA, gradeB, gradeC, gradeD}

func gradeOf(a *account) grade {
	switch {
	case !a.state.Complete, a.total.Count[migrate.Pending] > 0, a.verification.Ended.IsZero():
		return gradeD
	case a.total.Count[migrate.Failed] > 0, a.different() > 0:
		return gradeC
	case !a.deep(), a.outdated():
		return gradeB
	}
	return gradeA
}

// deep says whether content was compared, of a sample at least.
func (a *account) deep() bool {
	d := verify.Depth(a.verification.Depth)
	return d == verify.Sampled || d == verify.Content
}

func (g grade) mood() document.Mood {
	return map[grade]document.Mood{gradeA: document.Good, gradeB: document.Good, gradeC: document.Warn, gradeD: document.Bad}[g]
}

func (g grade) term() document.Term {
	return document.Term{Key: string(g), Text: string(g), Mood: g.mood()}
}

// because says in sentences why a mailbox has its grade.
func (r *report) because(a *account) string {
	var why []string
	say := func(so bool, key string, pairs ...any) {
		if so {
			why = append(why, r.say("because."+key, pairs...))
		}
	}
	begun := !a.state.Started.IsZero()
	say(!begun, "not_begun")
	say(begun && !a.state.Complete, "not_complete")
	if a.state.Error != "" && r.Privacy.Everything() {
		why = append(why, r.quoted(strings.TrimSpace(a.state.Error+". "+a.state.Hint)))
	}
	pending, failed, different := a.total.Count[migrate.Pending], a.total.Count[migrate.Failed], a.different()
	say(pending > 0, "pending", "n", pending)
	say(failed > 0, "failed", "n", failed)
	say(different > 0, "different", "n", different)
	switch {
	case !begun:
	case a.verification.Started.IsZero():
		say(true, "not_verified")
	case a.verification.Ended.IsZero():
		say(true, "verification_stopped")
	default:
		say(!a.deep(), "shallow", "depth", r.term("depth", a.verification.Depth))
		say(a.outdated(), "outdated")
		say(a.grade == gradeA, "verified", "depth", r.term("depth", a.verification.Depth))
	}
	return strings.Join(why, " ")
}
