package migrate

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/mailhaul/mailhaul/migrate/transform"
)

// forms are those in which a message is written until the target takes it: as
// it is, or as transforms change it.
type forms struct {
	plan    transform.Plan // no forms until it is made
	step    int            // which form is due; after the last one, the first again, not whole
	refusal *Error         // the first one for what is in the message
	changed *changed       // the form that was made last
}

// changed is the content of a message as transforms leave it.
type changed struct {
	names []string
	body  *spooled
	room  int64 // octets reserved in the spool; -1 for its spare room
}

// write appends t as it is, and where the target refuses its content, as the
// transforms leave it that may be applied, one more each time. If none of that
// is taken, the first refusal is what counts.
func (w *writer) write(t *task, doubt *bool) error {
	f := &t.forms
	if w.Transform.Upfront() {
		if err := w.makePlan(t); err != nil {
			return err
		}
	}
	for {
		var names []string
		if n := len(f.plan.Forms); n > 0 {
			names = f.plan.Forms[f.step%n]
		}
		m, err := w.form(t, names)
		if err != nil {
			return err
		}
		m.Whole = f.step == 0 || f.step < len(f.plan.Forms)
		if err := w.intend(t, names); err != nil {
			return err
		}
		stored, err := w.target.Append(w.writes, t.folder, m)
		if err == nil {
			t.arrived(Copied, names, stored)
			return nil
		}
		e := classify(err)
		*doubt = !e.Refused && e.Class != Permanent
		if e.Class != Permanent || !e.Refused || !e.Content && f.refusal == nil {
			return err
		}
		if f.refusal == nil {
			f.refusal = e
			if err := w.makePlan(t); err != nil {
				return err
			}
		}
		f.step++
		if n := len(f.plan.Forms); f.step > n || f.step == n && !f.refusal.Rebuild {
			return f.refused()
		}
		if w.ctx.Err() != nil {
			return &Error{Op: "write", Refused: true, Err: context.Cause(w.ctx)}
		}
	}
}

// refused returns the first refusal, with what else a person can do.
func (f *forms) refused() error {
	e := *f.refusal
	if e.Hint != "" && f.plan.Hint != "" {
		e.Hint += " "
	}
	e.Hint += f.plan.Hint
	return &e
}

// makePlan reads t to see which forms of it there are.
func (w *writer) makePlan(t *task) error {
	if len(t.forms.plan.Forms) > 0 {
		return nil
	}
	r, err := t.body.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	defects, err := transform.Scan(t.msg.InternalDate, r)
	if err != nil {
		return err
	}
	t.forms.plan = w.Transform.Plan(defects)
	return nil
}

// intend makes it durable that t is about to be written in the named form. Of
// the others it is known that they are not at the target.
func (w *writer) intend(t *task, names []string) error {
	if slices.Equal(transform.Applied(t.rec.Notes), names) {
		return nil
	}
	t.rec.Notes = names
	return Saved(w.ledger.Save(context.WithoutCancel(w.ctx), t.rec))
}

// find looks for t in the folders and in the forms in which it may have been
// written by what the records of suspects say, until it is found.
func (w *writer) find(t *task, suspects []Record) (stored Stored, names []string, err error) {
	folders, forms := []FolderID{t.folder}, [][]string(nil)
	w.mu.Lock()
	for _, r := range suspects {
		if f := w.placed[r.Folder]; r.place() != t.place() && !slices.Contains(folders, f) {
			folders = append(folders, f)
		}
		form := transform.Applied(r.Notes)
		if !slices.ContainsFunc(forms, func(other []string) bool { return slices.Equal(form, other) }) {
			forms = append(forms, form)
		}
	}
	w.mu.Unlock()
	for _, names = range forms {
		m, err := w.form(t, names)
		if err != nil {
			return Stored{}, nil, err
		}
		for _, f := range folders {
			if stored, err = w.target.Find(w.writes, f, m, w.state.Position); !errors.Is(err, ErrNotFound) {
				return stored, names, err
			}
		}
	}
	return Stored{}, nil, ErrNotFound
}

// form returns t as the named transforms leave it.
func (w *writer) form(t *task, names []string) (*Message, error) {
	m := t.msg
	switch {
	case len(names) == 0:
		return &m, nil
	case t.body == nil:
		m.Digest, m.Size = Digest{}, 0
		return &m, nil
	}
	if t.forms.changed == nil || !slices.Equal(t.forms.changed.names, names) {
		w.forget(t)
		if err := w.change(t, names); err != nil {
			return nil, err
		}
	}
	body := t.forms.changed.body
	m.Body, m.Digest, m.Size = body, body.digest, body.size
	return &m, nil
}

// change brings a form of t into the spool. Workers that hold room there must
// not wait for more, except for the spare room, whose holder waits for nobody.
func (w *writer) change(t *task, names []string) error {
	r, err := t.body.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	size, err := io.Copy(io.Discard, transform.Reader(names, t.msg.InternalDate, r))
	if err != nil {
		return err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	c := &changed{names: names, room: w.Spool.room(size)}
	if !w.Spool.total.TryAcquire(c.room) {
		if c.room = -1; w.Spool.spare.Acquire(w.ctx, 1) != nil {
			return &Error{Op: "change", Refused: true, Err: context.Cause(w.ctx)}
		}
	}
	t.forms.changed = c
	c.body, err = w.Spool.fill(transform.Reader(names, t.msg.InternalDate, r), size)
	return err
}

// forget lets go of the form of t that was made last.
func (w *writer) forget(t *task) {
	c := t.forms.changed
	if c == nil {
		return
	}
	if c.body != nil {
		c.body.Close()
	}
	if t.forms.changed = nil; c.room < 0 {
		w.Spool.spare.Release(1)
	} else {
		w.Spool.total.Release(c.room)
	}
}
