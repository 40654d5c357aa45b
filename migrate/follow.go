package migrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// NoteFlagsKept says of a copy that the target would not let it follow a change
// of the flags.
const NoteFlagsKept = "flags-not-followed"

// flagged is a message at the target and the flags that the source has of it.
type flagged struct {
	rec   Record
	flags []Flag
}

// follow gives copies the flags that have changed at the source since the
// folder was walked.
func (p *pass) follow(ctx context.Context, v *visit) error {
	w, f := v.state.Walked, v.folder
	if p.Heal || w.UIDNext == 0 || f.ModSeq != 0 && f.ModSeq == w.ModSeq {
		return nil
	}
	since := w.ModSeq
	if f.ModSeq < since { // the server has lost count
		since = 0
	}
	return p.retry(ctx, func() error {
		for batch, err := range p.source.Flags(ctx, f, min(w.UIDNext, f.UIDNext), since) {
			if err != nil {
				return err
			}
			if err := p.changed(ctx, v, batch); err != nil {
				return err
			}
		}
		return nil
	})
}

// changed deals with messages whose flags may have changed.
func (p *pass) changed(ctx context.Context, v *visit, batch []Message) error {
	var all []flagged
	for i := 0; i < len(batch); {
		// Records that lie close together are read at once.
		j := i + 1
		for j < len(batch) && batch[j].UID > batch[j-1].UID && batch[j].UID-batch[j-1].UID <= 8 {
			j++
		}
		near := batch[i:j]
		for r, err := range p.ledger.Records(ctx, v.state.ID, near[0].UID, near[len(near)-1].UID) {
			if err != nil {
				return Saved(err)
			}
			k, ok := slices.BinarySearchFunc(near, r.UID, func(m Message, uid UID) int { return cmp.Compare(m.UID, uid) })
			switch {
			case !ok:
			case r.Outcome.Arrived():
				all = append(all, flagged{r, near[k].Flags})
			case r.Outcome == Excluded && p.rule(v.folder) == "": // a rule may be about flags
				v.look(r.UID)
			}
		}
		i = j
	}
	return p.followAll(ctx, all)
}

// followAll changes copies as their flags changed at the source, many with one
// call. What people changed at the target stays, unless the same flag changed at
// the source. A copy that stands for several messages has the flags of all.
func (p *pass) followAll(ctx context.Context, all []flagged) error {
	if p.Heal || !p.state.Cutover.IsZero() {
		return nil
	}
	type group struct {
		change Change
		all    []flagged
	}
	var groups []*group // in the order of the source
	byName := map[string]*group{}
	now := map[place][]Flag{}
	for _, x := range all {
		now[x.rec.place()] = x.flags
	}
	for _, x := range all {
		var c Change
		if x.rec.Flags != nil {
			if c.AddFlags, c.RemoveFlags = difference(x.rec.Flags, x.flags); len(c.AddFlags)+len(c.RemoveFlags) == 0 {
				continue
			}
			if len(c.RemoveFlags) > 0 {
				others, err := p.sharing(ctx, x.rec)
				if err != nil {
					return err
				}
				for i, o := range others {
					if flags, ok := now[o.place()]; ok {
						others[i].Flags = flags
					}
				}
				c.RemoveFlags = missing(c.RemoveFlags, flagsOf(others))
			}
		} // else: what the copy was written with is not known
		name := fmt.Sprintf("%q %q", c.AddFlags, c.RemoveFlags)
		if byName[name] == nil {
			byName[name] = &group{change: c}
			groups = append(groups, byName[name])
		}
		byName[name].all = append(byName[name].all, x)
	}
	for _, g := range groups {
		if err := p.changeAll(ctx, g.change, g.all); err != nil {
			return err
		}
	}
	return nil
}

// changeAll makes one change to copies and saves that.
func (p *pass) changeAll(ctx context.Context, c Change, all []flagged) error {
	var ids []MessageID
	var before, after []Record
	for _, x := range all {
		ids = append(ids, x.rec.Target)
		x.rec.Flags = between(x.rec.Flags, x.flags)
		before = append(before, x.rec)
		x.rec.Flags = known(x.flags)
		after = append(after, x.rec)
	}
	if len(c.AddFlags)+len(c.RemoveFlags) == 0 {
		return p.save(ctx, after...)
	}
	if err := p.save(ctx, before...); err != nil {
		return err
	}
	err := p.retry(ctx, func() error {
		_, err := p.target.Update(ctx, c, ids...)
		return err
	})
	switch {
	case err == nil, errors.Is(err, ErrNotFound): // people may delete what they got
	case classify(err).Class != Permanent:
		return fmt.Errorf("change flags: %w", err)
	case len(all) > 1:
		for i := range all {
			if err := p.changeAll(ctx, c, all[i:i+1]); err != nil {
				return err
			}
		}
		return nil
	default:
		after[0].Notes = with(after[0].Notes, NoteFlagsKept)
	}
	return p.save(ctx, after...)
}

// known returns flags that are not nil.
func known(flags []Flag) []Flag { return append([]Flag{}, flags...) }

// with returns notes with more of them, each once.
func with(notes []string, more ...string) []string {
	notes = slices.Clone(notes)
	for _, n := range more {
		if !slices.Contains(notes, n) {
			notes = append(notes, n)
		}
	}
	return notes
}

// unsettled among the flags of a record says that the copy may have them or
// not: it was being changed. No server has such a flag.
const unsettled Flag = "\x00"

// between returns the flags of a copy that is being changed from some flags to
// others.
func between(before, after []Flag) []Flag {
	if before == nil {
		return known(after)
	}
	came, went := difference(before, after)
	if len(came)+len(went) == 0 {
		return before
	}
	return append(append(known(after), missing(before, after)...), unsettled)
}

// difference returns which flags a copy has to get and to lose. A target may
// know only which of answering and forwarding came last, so that one of them is
// named again when the other goes.
func difference(before, after []Flag) (get, lose []Flag) {
	lose = missing(before, after)
	if slices.Contains(before, unsettled) {
		before = nil
	}
	get = missing(after, before)
	verbs := func(f Flag) bool {
		return strings.EqualFold(string(f), string(Answered)) || strings.EqualFold(string(f), string(Forwarded))
	}
	if i := slices.IndexFunc(after, verbs); i >= 0 && slices.ContainsFunc(lose, verbs) && !slices.ContainsFunc(get, verbs) {
		get = append(get, after[i])
	}
	return get, lose
}

// missing returns the flags of some that others lack. \Deleted is about the
// source alone, and \Recent about a session.
func missing(some, others []Flag) (fs []Flag) {
	for _, f := range some {
		same := func(g Flag) bool { return strings.EqualFold(string(f), string(g)) }
		if !slices.ContainsFunc(others, same) && !slices.ContainsFunc([]Flag{Deleted, `\Recent`, unsettled}, same) && !slices.ContainsFunc(fs, same) {
			fs = append(fs, f)
		}
	}
	return fs
}
