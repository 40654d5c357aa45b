package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/canon"
)

// check is the verification of one mailbox.
//
// First the target's folders are listed and what is there is marked in the
// index. Then the records are walked in the order of the source, so that the
// source is read in its order and what was done can be saved. What the lists
// held and no record knows is judged at the end, since it may be the double of
// any message.
type check struct {
	*Verifier
	Mailbox
	progress *migrate.MailboxProgress
	source   Source
	target   Target
	state    migrate.Verification
	index    *index
	extras   *extras
	unions   map[uint64][]migrate.Flag // by entry.id; see mergedFlags
	authors  int                       // findings whose author was looked up
}

func (c *check) run(ctx context.Context) error {
	folders, err := c.Ledger.Folders(ctx)
	if err != nil {
		return migrate.Saved(err)
	}
	if err := c.begin(ctx, folders); err != nil {
		return err
	}
	c.progress.Phase("connecting")
	if err := c.retry(ctx, func() error { c.source, err = c.OpenSource(ctx); return err }); err != nil {
		return err
	}
	defer c.source.Close()
	if err := c.retry(ctx, func() error { c.target, err = c.OpenTarget(ctx); return err }); err != nil {
		return err
	}
	defer c.target.Close()
	if c.index, err = newIndex(ctx, c.Ledger, folders); err != nil {
		return migrate.Saved(err)
	}
	c.extras = newExtras()
	for f, err := range c.Ledger.Findings(ctx) { // of what was done before it was stopped
		if err != nil {
			return migrate.Saved(err)
		}
		c.extras.known[f.Target] = true
	}
	if err := c.list(ctx); err != nil {
		return err
	}
	if err := c.readExtras(ctx); err != nil {
		return err
	}
	live, err := c.live(ctx)
	if err != nil {
		return err
	}
	if err := c.mergedFlags(ctx, live); err != nil {
		return err
	}
	for i := range folders {
		c.progress.Phase(folders[i].Folder.String())
		if err := c.folder(ctx, i, live[folders[i].ID]); err != nil {
			return fmt.Errorf("folder %s: %w", folders[i].Folder, err)
		}
	}
	if err := c.saveExtras(ctx); err != nil {
		return err
	}
	c.state.Ended = time.Now()
	return migrate.Saved(c.Ledger.EndVerification(ctx, c.state))
}

// begin goes on with a verification that was stopped, unless it was another,
// or a pass began since.
func (c *check) begin(ctx context.Context, folders []migrate.FolderState) error {
	latest, err := c.Ledger.Verification(ctx)
	if err != nil {
		return migrate.Saved(err)
	}
	pass, err := c.Ledger.State(ctx)
	if err != nil {
		return migrate.Saved(err)
	}
	want := migrate.Verification{Depth: string(c.Depth), Started: time.Now()}
	if c.Depth == Sampled {
		want.Sample = c.Sample.String()
	}
	c.state = latest
	if c.Fresh || latest.Started.IsZero() || !latest.Ended.IsZero() || latest.Depth != want.Depth || latest.Sample != want.Sample || pass.Started.After(latest.Started) {
		c.state = want
		if err := c.Ledger.BeginVerification(ctx, want); err != nil {
			return migrate.Saved(err)
		}
	}
	var all []migrate.FolderVerification // in the order of folders
	for _, f := range folders {
		i := slices.IndexFunc(c.state.Folders, func(v migrate.FolderVerification) bool { return v.Folder == f.ID })
		if i < 0 {
			all = append(all, migrate.FolderVerification{Folder: f.ID, Next: 1})
		} else {
			all = append(all, c.state.Folders[i])
		}
	}
	c.state.Folders = all
	return nil
}

func (c *check) retry(ctx context.Context, fn func() error) error {
	return c.Retry.Do(ctx, c.progress.Wait, fn)
}

// live returns the folders of the source that still are the ones of records,
// by FolderState.ID.
func (c *check) live(ctx context.Context) (map[int64]migrate.Folder, error) {
	var folders []migrate.Folder
	err := c.retry(ctx, func() (err error) { folders, err = c.source.Folders(ctx); return err })
	if err != nil {
		return nil, fmt.Errorf("list folders of the source: %w", err)
	}
	live := map[int64]migrate.Folder{}
	for _, k := range c.index.folders {
		for _, f := range folders {
			if !f.NoSelect && !k.Gone && f.UIDValidity == k.Folder.UIDValidity && slices.Equal(f.Path, k.Folder.Path) {
				live[k.ID] = f
			}
		}
	}
	return live, nil
}

// list marks in the index what the folders of the target hold. All that is
// known of a folder comes from one whole list of it.
func (c *check) list(ctx context.Context) error {
	c.progress.Phase("listing")
	var total, known int64
	for i := range c.index.folders {
		f := &c.state.Folders[i]
		f.Arrived = int64(c.index.start[i+1] - c.index.start[i])
		total += f.Arrived
		es := c.index.entries[c.index.start[i]:c.index.start[i+1]]
		done, _ := slices.BinarySearchFunc(es, f.Next, func(e entry, next migrate.UID) int { return int(int64(e.uid) - int64(next)) })
		known += int64(done)
	}
	c.progress.Update(func(s *migrate.MailboxSnapshot) { s.Total, s.Known = total, known })

	listed := map[migrate.FolderID]bool{"": true}
	for i := len(c.index.folders) - 1; i >= 0; i-- { // of folders that share a place the latest counts what is there
		place := c.index.folders[i].Target
		if listed[place] {
			continue
		}
		listed[place] = true
		var held int64
		var unknown []migrate.Held
		err := c.retry(ctx, func() error {
			held, unknown = 0, nil
			for batch, err := range c.target.List(ctx, place) {
				if errors.Is(err, migrate.ErrNotFound) {
					return nil // each message of it is looked for
				}
				if err != nil {
					return err
				}
				for _, h := range batch {
					held++
					if !c.index.mark(place, &h) {
						unknown = append(unknown, h)
					}
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("list the target's folder %s: %w", c.index.folders[i].Name, err)
		}
		c.state.Folders[i].Held = held
		for _, h := range unknown {
			c.extras.add(h, c.index.folders[i])
		}
	}
	return nil
}

// mergedFlags finds out what flags messages show that several records share:
// those of all of them.
func (c *check) mergedFlags(ctx context.Context, live map[int64]migrate.Folder) error {
	if !c.target.Capabilities().Labels || !c.reached(Metadata) {
		return nil
	}
	shared := map[uint64]bool{}
	for i := range c.index.entries {
		if e := &c.index.entries[i]; e.merged {
			shared[e.id] = true
		}
	}
	if len(shared) == 0 {
		return nil
	}
	c.progress.Phase("flags of merged messages")
	c.unions = map[uint64][]migrate.Flag{}
	for i, k := range c.index.folders {
		f, ok := live[k.ID]
		if !ok {
			continue
		}
		next := migrate.UID(1)
		err := c.retry(ctx, func() error {
			for batch, err := range c.source.List(ctx, f, next) {
				if err != nil {
					return err
				}
				for j := range batch {
					m := &batch[j]
					next = m.UID + 1
					e := c.index.of(i, m.UID)
					if e == nil || !shared[e.id] {
						continue
					}
					flags := c.target.Shown(k.Target, m.Flags)
					if e.merged {
						flags = c.target.Shown("", m.Flags)
					}
					c.unions[e.id] = append(c.unions[e.id], flags...)
				}
			}
			return nil
		})
		if err != nil && !gone(err) {
			return fmt.Errorf("list %s: %w", f, err)
		}
	}
	return nil
}

// gone says that a folder of the source cannot be listed any more, which stops
// nothing else.
func gone(err error) bool {
	e, ok := errors.AsType[*migrate.Error](err)
	return errors.Is(err, migrate.ErrFolderGone) || ok && e.Class == migrate.Permanent
}

// parallel runs fn for each of n things, as many at once as the target bears.
func (c *check) parallel(ctx context.Context, n int, fn func(ctx context.Context, i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, c.target.Capabilities().Parallel))
	for i := range n {
		g.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fn(ctx, i)
		})
	}
	return g.Wait()
}

// form reads a message back.
func (c *check) form(ctx context.Context, id migrate.MessageID) (held migrate.Held, f *canon.Form, err error) {
	err = c.retry(ctx, func() error {
		h, body, err := c.target.Open(ctx, id)
		if err != nil {
			return err
		}
		defer body.Close()
		count := &counter{r: body}
		if f, err = canon.Sum(count); err != nil {
			return fmt.Errorf("read back: %w", err)
		}
		held = h
		c.progress.Update(func(s *migrate.MailboxSnapshot) { s.Bytes += count.n })
		return nil
	})
	return held, f, err
}

func (c *check) look(ctx context.Context, id migrate.MessageID) (h migrate.Held, err error) {
	err = c.retry(ctx, func() (err error) { h, err = c.target.Look(ctx, id); return err })
	return h, err
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
