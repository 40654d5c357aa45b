package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/canon"
	"github.com/mailhaul/mailhaul/migrate/transform"
)

// Records whose messages the source does not list any more are walked in
// batches of this size; messages are read and compared in groups, read in calls
// of at most so many octets.
const (
	batchRecords  = 256
	groupMessages = 64
	groupBytes    = 16 << 20
)

// attempts is how often the source may break off a message before it is left
// unread.
const attempts = 3

// A task is a message that arrived, on its way through a comparison.
type task struct {
	rec    migrate.Record
	entry  *entry
	msg    *migrate.Message // nil if the source has it no more
	picked bool             // its content is to be compared
	read   bool             // the source gave what follows
	form   *canon.Form      // of what was meant to be written; if picked, until it was compared
	equal  canon.Digest     // canonical digest of its content
	head   migrate.Head
	dates  []time.Time    // in its header
	digest migrate.Digest // of the source's octets now; if picked
	meant  canon.Digest   // of the octets that were meant to be written; if picked

	replica   *migrate.Replica // what was read back; nil if nothing was
	shown     int64            // its date at the target, in Unix seconds; 0 if it was not compared
	present   bool
	compared  bool
	explained bool
	unread    bool
	findings  []migrate.Finding
}

// folder walks the records of the i-th folder, beside the messages of f if the
// source still has that folder.
func (c *check) folder(ctx context.Context, i int, f migrate.Folder) error {
	k, done := c.index.folders[i], &c.state.Folders[i]
	var picked map[migrate.UID]bool
	if c.Depth == Sampled {
		var err error
		if picked, err = c.Sample.pick(ctx, c.Ledger, k.ID, uint64(c.state.Started.UnixNano())); err != nil {
			return migrate.Saved(err)
		}
	}
	const end = ^migrate.UID(0)
	if f.UIDValidity != 0 && done.Next < end {
		err := c.retry(ctx, func() error {
			for batch, err := range c.source.List(ctx, f, done.Next) {
				if err != nil {
					return err
				}
				if len(batch) == 0 {
					continue
				}
				if err := c.batch(ctx, i, f, batch, batch[len(batch)-1].UID, picked); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil && !gone(err) {
			return err
		}
	}
	for done.Next < end { // what the source does not list any more
		n, to := 0, end
		for r, err := range c.Ledger.Records(ctx, k.ID, done.Next, end) {
			if err != nil {
				return migrate.Saved(err)
			}
			if n++; n == batchRecords {
				to = r.UID
				break
			}
		}
		if err := c.batch(ctx, i, f, nil, to, picked); err != nil {
			return err
		}
	}
	return nil
}

// batch compares the records of the i-th folder up to a UID, and saves what
// came of it. An error of the source or the target leaves nothing done.
func (c *check) batch(ctx context.Context, i int, f migrate.Folder, batch []migrate.Message, to migrate.UID, picked map[migrate.UID]bool) error {
	done := &c.state.Folders[i]
	k := c.index.folders[i]
	var tasks []*task
	records := 0
	for r, err := range c.Ledger.Records(ctx, k.ID, done.Next, to) {
		if err != nil {
			return migrate.Saved(err)
		}
		at, ok := slices.BinarySearchFunc(batch, r.UID, func(m migrate.Message, u migrate.UID) int { return int(int64(m.UID) - int64(u)) })
		if ok {
			records++
		}
		if !r.Outcome.Arrived() {
			continue
		}
		t := &task{rec: r, entry: c.index.of(i, r.UID)}
		if t.entry == nil {
			return migrate.Saved(errors.New("the records changed while they were read"))
		}
		if ok {
			t.msg = &batch[at]
		}
		t.picked = !t.entry.merged && (c.Depth == Content || c.Depth == Sampled && picked[r.UID])
		tasks = append(tasks, t)
	}
	for group := range slices.Chunk(tasks, groupMessages) {
		if err := c.readSource(ctx, f, group, func(t *task) bool { return t.picked }); err != nil {
			return err
		}
		if err := c.parallel(ctx, len(group), func(ctx context.Context, n int) error { return c.compare(ctx, group[n]) }); err != nil {
			return err
		}
		for _, t := range group {
			if t.form != nil {
				t.equal, t.form = t.form.Content(), nil
			}
		}
	}
	if err := c.dates(ctx, f, tasks); err != nil {
		return err
	}
	return c.save(ctx, f, i, tasks, to, int64(len(batch)-records))
}

// readSource reads those messages of tasks that want it and the source has.
// One that it cannot deliver is left unread.
func (c *check) readSource(ctx context.Context, f migrate.Folder, tasks []*task, want func(*task) bool) error {
	var group []*task
	var bytes int64
	flush := func() error {
		defer func() { group, bytes = nil, 0 }()
		err := c.readGroup(ctx, f, group)
		for _, t := range group { // one of them may be to blame
			for try := 0; err != nil && try < attempts && !t.read; try++ {
				if ctx.Err() != nil {
					return err
				}
				if errors.Is(err, migrate.ErrFolderGone) {
					return nil
				}
				if e := c.readGroup(ctx, f, []*task{t}); e == nil || gone(e) {
					break
				} else if errors.Is(e, migrate.ErrUnreachable) {
					return e
				}
			}
		}
		return nil
	}
	for _, t := range tasks {
		if t.msg == nil || t.read || !want(t) {
			continue
		}
		group, bytes = append(group, t), bytes+t.msg.Size
		if bytes >= groupBytes {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if len(group) == 0 {
		return nil
	}
	return flush()
}

// readGroup reads messages with one call.
func (c *check) readGroup(ctx context.Context, f migrate.Folder, group []*task) error {
	of := map[*migrate.Message]*task{}
	var ms []*migrate.Message
	for _, t := range group {
		if !t.read {
			of[t.msg] = t
			ms = append(ms, t.msg)
		}
	}
	return c.source.Read(ctx, f, ms, func(m *migrate.Message, r io.Reader) error {
		t := of[m]
		if t == nil {
			return errors.New("the source delivered a message that was not asked for")
		}
		var h migrate.HeadReader
		sum := sha256.New()
		r = io.TeeReader(r, io.MultiWriter(&h, sum))
		if t.picked {
			var err error
			meant := sha256.New()
			if t.form, err = canon.Sum(io.TeeReader(transform.Reader(t.rec.Notes, m.InternalDate, r), meant)); err != nil {
				return err
			}
			meant.Sum(t.meant[:0])
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return err
		}
		sum.Sum(t.digest[:0])
		var dates []string
		t.head, dates = h.Head()
		for _, text := range dates {
			if d, ok := canon.ParseDate(text); ok {
				t.dates = append(t.dates, d)
			}
		}
		t.read = true
		return nil
	})
}

// dates reads the header of messages whose date at the target is not the one
// at which the source received them: it may be another date of theirs.
func (c *check) dates(ctx context.Context, f migrate.Folder, tasks []*task) error {
	suspect := func(t *task) bool {
		return slices.ContainsFunc(t.findings, func(f migrate.Finding) bool { return f.Kind == migrate.KindDate })
	}
	if err := c.readSource(ctx, f, tasks, suspect); err != nil {
		return err
	}
	for _, t := range tasks {
		if !t.read || !suspect(t) {
			continue
		}
		t.findings = slices.DeleteFunc(t.findings, func(f migrate.Finding) bool {
			return f.Kind == migrate.KindDate && slices.ContainsFunc(t.dates, func(d time.Time) bool { return near(d, f.Date, exact) })
		})
	}
	return nil
}

// maxAuthors bounds the messages of a mailbox that are read only to name the
// author in a finding.
const maxAuthors = 1000

// save adds up what came of a batch and saves it with its findings.
func (c *check) save(ctx context.Context, f migrate.Folder, i int, tasks []*task, to migrate.UID, fresh int64) error {
	clear(c.extras.claims)
	for _, t := range tasks {
		c.extras.doubles(c.Mailbox, c.index.folders[i], t, c.Depth == Content)
	}
	err := c.readSource(ctx, f, tasks, func(t *task) bool {
		if len(t.findings) == 0 || c.authors >= maxAuthors {
			return false
		}
		c.authors++
		return true
	})
	if err != nil {
		return err
	}
	next := c.state.Folders[i]
	var replicas []migrate.Replica
	var findings []migrate.Finding
	var different int64
	for _, t := range tasks {
		if t.replica != nil {
			replicas = append(replicas, *t.replica)
		}
		count := func(n *int64, is bool) {
			if is {
				*n++
			}
		}
		count(&next.Present, t.present)
		count(&next.Merged, t.present && t.entry.merged)
		count(&next.Compared, t.compared)
		count(&next.Explained, t.explained)
		count(&next.Unread, t.unread)
		for _, found := range t.findings {
			found.Folder, found.UID, found.MessageID = next.Folder, t.rec.UID, t.rec.MessageID
			found.From, found.Subject = t.head.From, t.head.Subject
			if found.Target == "" {
				found.Target = t.rec.Target
			}
			found.Date = t.date()
			if t.msg != nil {
				found.MessageID = t.msg.MessageID
			}
			findings = append(findings, found)
			different++
		}
	}
	next.New += fresh
	next.Next = to
	if to != ^migrate.UID(0) {
		next.Next++
	}
	if err := c.Ledger.SaveVerified(ctx, next, replicas, findings...); err != nil {
		return migrate.Saved(err)
	}
	for e := range c.extras.claims {
		e.claimed = true
	}
	c.state.Folders[i] = next
	c.progress.Update(func(s *migrate.MailboxSnapshot) { s.Done += int64(len(tasks)); s.Failed += different })
	return nil
}
