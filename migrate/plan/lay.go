package plan

import (
	"time"

	"github.com/mailhaul/mailhaul/migrate/verify"
)

// lay says what a mailbox does in a phase.
func (r *run) lay(b *box, p phase) {
	b.begun, b.reopen, b.calls, b.relist = false, false, 0, false
	b.opening, b.stages = []stage{{before: r.Source.Connect}}, nil
	switch {
	case p.verify:
		r.layVerification(b)
	case p.pass > 0:
		r.layDelta(b)
	default:
		b.opening = append(b.opening, r.calls(1, r.Model.Open)...)
		b.written, b.relist = b.all(), true
		b.pass = r.now
		if b.Begun {
			b.stages, b.calls = []stage{r.outline.first[b.number]}, float64(widenAfter*r.Model.Parallel)
			return
		}
		b.stages = append(b.stages, r.calls(int64(b.Folders), r.Model.Folder)...)
		b.stages = append(b.stages, r.calls(1, r.Model.Begin)...)
		b.stages = append(b.stages, r.listing(b.Known), r.outline.first[b.number])
	}
	b.stages = append(b.opening[:len(b.opening):len(b.opening)], b.stages...)
}

// layDelta lays down a pass for what came since the pass before began. Where
// nothing did, the target is not asked for anything.
func (r *run) layDelta(b *box) {
	b.grown += float64(b.Perday.Messages) * (r.now - b.pass).Hours() / 24
	b.pass = r.now
	n := int64(b.grown)
	if n == 0 {
		return
	}
	b.grown -= float64(n)
	each := mean(b.Perday)
	b.written.Messages, b.written.Bytes = b.written.Messages+n, b.written.Bytes+n*each
	b.opening = append(b.opening, r.calls(1, r.Model.Open)...)
	s := r.stage([]part{{n, effortOf(r.Model.write(each), each), each}}, r.outline.engaged[b.number])
	s.messages = n
	b.stages = []stage{s}
}

// layVerification lays down what the verification of a mailbox asks for. It lists
// all again when the window has opened.
func (r *run) layVerification(b *box) {
	w, read := r.verification(b.Load, b.written), r.Model.Read
	b.opening = append(b.opening, r.listing(w.Listed))
	b.opening = append(b.opening, r.calls(1, read.Open)...)
	b.opening = append(b.opening, r.calls(w.Folders, read.Folder)...)
	b.opening = append(b.opening, r.calls(w.Listed/max(read.PerPage, 1), read.Page)...)
	if parts := r.compares(w); len(parts) > 0 {
		s := r.stage(parts, r.outline.compared[b.number])
		s.messages = w.Looks + w.Opens
		b.stages = []stage{s}
	}
}

// listing returns the stage in which the source lists so many messages.
func (r *run) listing(messages int64) (s stage) {
	if r.Source.Listing > 0 {
		s.before = seconds(float64(messages) / float64(r.Source.Listing))
	}
	return s
}

// stage returns a stage in which so many calls are made at once, if the target
// bears them.
func (r *run) stage(parts []part, parallel float64) stage {
	s := stage{parts: parts, parallel: parallel, first: float64(r.Model.First)}
	s.after = s.last()
	r.outline.divide(&s)
	return s
}

// calls returns a stage of n times the same calls, one after the other, if there
// are any.
func (r *run) calls(n int64, calls []Call) []stage {
	if n == 0 || len(calls) == 0 {
		return nil
	}
	s := stage{parts: []part{{n: n, each: effortOf(calls, 0)}}, parallel: 1}
	r.outline.divide(&s)
	return []stage{s}
}

// compares returns what a verification does with single messages.
func (m *Migration) compares(w verify.Work) (parts []part) {
	if w.Looks > 0 && len(m.Model.Read.Look) > 0 {
		parts = append(parts, part{n: w.Looks, each: effortOf(m.Model.Read.Look, 0)})
	}
	if w.Opens > 0 && len(m.Model.Read.Content) > 0 {
		each := w.Bytes / w.Opens
		parts = append(parts, part{w.Opens, effortOf(m.Model.Read.Content, each), each})
	}
	return parts
}

func seconds(s float64) time.Duration {
	return time.Duration(min(s, forever.Seconds()) * float64(time.Second))
}
