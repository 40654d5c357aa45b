package verify

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/canon"
)

// extras are the messages that the target lists and no record knows: mail that
// came to the new account by itself, or doubles of what was moved.
type extras struct {
	known  map[migrate.MessageID]bool // those that findings speak of already
	all    map[migrate.MessageID]*extra
	keys   map[string]*extra         // by Held.Key
	ids    map[string][]*extra       // by Message-ID in lower case
	equals map[canon.Digest][]*extra // by content
	claims map[*extra]bool           // of the batch that is not saved yet
}

type extra struct {
	migrate.Held
	folder  migrate.FolderState // one that it is in
	claimed bool                // by a message that it was found to be a copy of
}

func newExtras() *extras {
	return &extras{map[migrate.MessageID]bool{}, map[migrate.MessageID]*extra{}, map[string]*extra{}, map[string][]*extra{}, map[canon.Digest][]*extra{}, map[*extra]bool{}}
}

func (x *extras) add(h migrate.Held, f migrate.FolderState) {
	if x.all[h.ID] == nil && !x.known[h.ID] {
		x.all[h.ID] = &extra{Held: h, folder: f}
	}
}

// readExtras finds out what is needed to tell doubles from other mail: at
// depth Content their content, at Metadata what a look at them tells.
func (c *check) readExtras(ctx context.Context) error {
	var all []*extra
	for _, e := range c.extras.all {
		all = append(all, e)
		if e.Key != "" {
			c.extras.keys[strings.ToLower(e.Key)] = e
		}
	}
	if !c.reached(Metadata) {
		return nil
	}
	c.progress.Phase("messages that were not copied")
	var mu sync.Mutex
	return c.parallel(ctx, len(all), func(ctx context.Context, i int) (err error) {
		e := all[i]
		held, form := e.Held, (*canon.Form)(nil)
		switch {
		case c.Depth == Content:
			held, form, err = c.form(ctx, e.ID)
		case !e.Complete:
			held, err = c.look(ctx, e.ID)
		}
		if err != nil {
			if passable(err) { // it is no double of ours that anybody could show
				return nil
			}
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if held.Complete {
			e.Held = held
		}
		if form != nil {
			c.extras.equals[form.Content()] = append(c.extras.equals[form.Content()], e)
		} else if e.MessageID != "" {
			id := strings.ToLower(e.MessageID)
			c.extras.ids[id] = append(c.extras.ids[id], e)
		}
		return nil
	})
}

// passable says that an error concerns one message alone.
func passable(err error) bool {
	e, ok := errors.AsType[*migrate.Error](err)
	return errors.Is(err, migrate.ErrNotFound) || ok && e.Class == migrate.Permanent
}

// doubles looks for one more copy of t: what has its key, its content, or,
// where content is not read, its Message-ID and date. If t itself is missing
// it is not doubled but was written anew, as programs do that move mail by
// copying it.
func (x *extras) doubles(m Mailbox, f migrate.FolderState, t *task, content bool) {
	if len(x.all) == 0 {
		return
	}
	missing := slices.IndexFunc(t.findings, func(f migrate.Finding) bool { return f.Kind == migrate.KindMissing })
	key := f.Key(m.Source, t.rec.UID)
	claim := func(e *extra) {
		switch {
		case e == nil || e.claimed || x.claims[e] || e.Key != "" && !strings.EqualFold(e.Key, key): // it is one of another
			return
		case missing >= 0:
			t.findings[missing] = migrate.Finding{Kind: migrate.KindMisplaced, Target: e.ID, Detail: "was written anew in " + e.folder.Name}
			missing = -1
		default:
			t.findings = append(t.findings, migrate.Finding{Kind: migrate.KindDoubled, Target: e.ID, Detail: "one more copy in " + e.folder.Name})
		}
		x.claims[e] = true
	}
	claim(x.keys[key])
	switch {
	case content && t.equal != (canon.Digest{}):
		for _, e := range x.equals[t.equal] {
			claim(e)
		}
	case !content && t.msg != nil && t.msg.MessageID != "":
		for _, e := range x.ids[strings.ToLower(t.msg.MessageID)] {
			if missing >= 0 || t.shown != 0 && e.Date.Unix() == t.shown {
				claim(e)
			}
		}
	}
}

// saveExtras records what is left: mail of the new account itself.
func (c *check) saveExtras(ctx context.Context) error {
	byFolder := map[int64][]migrate.Finding{}
	for _, e := range c.extras.all {
		if !e.claimed {
			byFolder[e.folder.ID] = append(byFolder[e.folder.ID], migrate.Finding{Kind: migrate.KindExtra, Folder: e.folder.ID, Target: e.ID, MessageID: e.MessageID, Date: e.Date})
		}
	}
	for _, f := range c.state.Folders {
		found := byFolder[f.Folder]
		slices.SortFunc(found, func(a, b migrate.Finding) int { return strings.Compare(string(a.Target), string(b.Target)) })
		if len(found) == 0 {
			continue
		}
		if err := c.Ledger.SaveVerified(ctx, f, nil, found...); err != nil {
			return migrate.Saved(err)
		}
	}
	return nil
}
