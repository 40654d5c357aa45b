package report

import (
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

func TestAGradeFollowsItsRule(t *testing.T) {
	type change func(*account)
	depth := func(d string) change { return func(a *account) { a.verification.Depth = d } }
	failed := func(a *account) { a.total.Count[migrate.Failed] = 1 }
	outdated := func(a *account) { a.verification.Started, a.verification.Ended = at(1), at(2) }
	found := func(k migrate.Kind) change { return func(a *account) { a.found[k] = 1 } }
	pending := func(a *account) { a.total.Count[migrate.Pending] = 1 }
	incomplete := func(a *account) { a.state.Complete = false }
	stopped := func(a *account) { a.verification.Ended = time.Time{} }
	for _, c := range []struct {
		name    string
		changes []change
		want    grade
		why     string
	}{
		{"content was compared", nil, gradeA, "Compared by content of every message: no difference."},
		{"a sample was compared", []change{depth("sample")}, gradeA, "Compared by content of a sample: no difference."},
		{"new mail at the target", []change{found(migrate.KindExtra)}, gradeA, "Compared by content of every message: no difference."},
		{"metadata were compared", []change{depth("metadata")}, gradeB, "Compared by presence, marks and dates only."},
		{"counts were compared", []change{depth("counts")}, gradeB, "Compared by presence only."},
		{"a depth of a later version", []change{depth("deeper")}, gradeB, "Compared by deeper only."},
		{"a pass came after", []change{outdated}, gradeB, "A pass came after the comparison."},
		{"a message failed", []change{failed}, gradeC, "One message could not be copied."},
		{"a message failed, and a pass came after", []change{failed, outdated, depth("counts")}, gradeC,
			"One message could not be copied. Compared by presence only. A pass came after the comparison."},
		{"a difference", []change{found(migrate.KindFlags)}, gradeC, "One difference."},
		{"a message pending", []change{pending, failed}, gradeD, "One message left to do. One message could not be copied."},
		{"not complete", []change{incomplete}, gradeD, "The last pass did not get to the end."},
		{"never verified", []change{func(a *account) { a.verification = migrate.Verification{} }}, gradeD, "Never compared."},
		{"verification stopped", []change{stopped, found(migrate.KindMissing)}, gradeD, "One difference. The comparison was stopped."},
		{"not begun", []change{func(a *account) { a.state, a.verification = migrate.MailboxState{}, migrate.Verification{} }}, gradeD, "Not begun."},
	} {
		a := &account{state: migrate.MailboxState{Started: at(5), Ended: at(6), Complete: true}, found: map[migrate.Kind]int64{},
			verification: migrate.Verification{Depth: "content", Started: at(7), Ended: at(8)}}
		for _, change := range c.changes {
			change(a)
		}
		a.grade = gradeOf(a)
		if a.grade != c.want {
			t.Errorf("%s: grade %s, want %s", c.name, a.grade, c.want)
		}
		r := &report{words: spoken(t, "en")}
		if got := r.because(a); got != c.why {
			t.Errorf("%s: because %q, want %q", c.name, got, c.why)
		}
	}
}
