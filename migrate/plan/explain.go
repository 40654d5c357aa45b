package plan

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
)

// A Change is how much sooner the whole would end if one thing were otherwise;
// below zero it would end later.
type Change struct {
	What    string // one of the following, [Reading], [Jobs], [Closed], or the name of a limit
	Mailbox string // of First
	Saves   time.Duration
}

// What could be otherwise. Limits allow twice as much; of [Jobs] there are twice
// as many, [Reading] takes no time, and the window is never [Closed].
const (
	Answers      = "answers"       // of the target take half the time
	Shared       = "shared limits" // allow twice as much, as with another project or app registration
	LargestFirst = "largest first"
	Unverified   = "verification" // there is none
	First        = "first"        // of its wave goes the mailbox that is Forecast.Last
)

// A variant is a migration of which one thing is otherwise.
type variant struct {
	Migration
	what  string
	cause bool // it may decide how long the whole takes
	could bool // somebody could change it
}

// variants returns m and what could be otherwise; last is [Forecast.Last].
func (m *Migration) variants(last string) (vs []variant) {
	add := func(what string, cause, could bool, change func(v *Migration)) {
		v := variant{*m, what, cause, could}
		v.Doubt = Doubt{}
		change(&v.Migration)
		vs = append(vs, v)
	}
	double := func(ls []pace.Limit, only ...int) []pace.Limit {
		ls = slices.Clone(ls)
		for i := range ls {
			if len(only) == 0 || i == only[0] {
				ls[i].Amount, ls[i].Burst = 2*ls[i].Amount, 2*ls[i].Burst
			}
		}
		return ls
	}
	add("", false, false, func(*Migration) {})
	for i, l := range m.Model.Own {
		add(l.Name, true, false, func(v *Migration) { v.Model.Own = double(v.Model.Own, i) })
	}
	for i, l := range m.Model.Shared {
		add(l.Name, true, false, func(v *Migration) { v.Model.Shared = double(v.Model.Shared, i) })
	}
	add(Answers, true, false, func(v *Migration) { v.quick = true })
	if m.Source != (Source{}) {
		add(Reading, true, false, func(v *Migration) { v.Source = Source{} })
	}
	if m.Jobs < len(m.Loads) {
		add(Jobs, true, true, func(v *Migration) { v.Jobs *= 2 })
	}
	if m.Window != nil {
		add(Closed, true, true, func(v *Migration) { v.Window = nil })
	}
	if len(m.Model.Shared) > 0 {
		add(Shared, false, true, func(v *Migration) { v.Model.Shared = double(v.Model.Shared) })
	}
	if !m.largest {
		add(LargestFirst, false, true, func(v *Migration) { v.largest = true })
		if m.Jobs < len(m.Loads) {
			add(First, false, true, func(v *Migration) { v.ahead = last })
		}
	}
	if m.Depth != "" {
		add(Unverified, false, true, func(v *Migration) { v.Depth = "" })
	}
	return vs
}

// explain simulates each variant once, at the pace and the latencies of the
// model, and says in f how much sooner it ends.
func (m *Migration) explain(ctx context.Context, o *outline, f *Forecast) error {
	vs := m.variants(f.Last.Mailbox)
	ends := make([]time.Duration, len(vs))
	err := parallel(ctx, len(vs), func(ctx context.Context, i int) error {
		v, o := &vs[i], o
		if v.Source != m.Source || v.Jobs != m.Jobs { // the engine makes something else of them
			var err error
			if o, err = v.outline(ctx); err != nil {
				return err
			}
		}
		end, err := newRun(&v.Migration, o, 0).run(ctx)
		ends[i] = end.whole
		return err
	})
	if err != nil {
		return err
	}
	for i, v := range vs {
		c := Change{v.what, v.ahead, ends[0] - ends[i]}
		if v.cause && c.Saves > 0 {
			f.Causes = append(f.Causes, c)
		}
		if v.could {
			f.Changes = append(f.Changes, c)
		}
	}
	slices.SortStableFunc(f.Causes, func(a, b Change) int { return cmp.Compare(b.Saves, a.Saves) })
	return nil
}
