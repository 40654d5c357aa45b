package migrate

// The engine keeps these promises, whatever crashes:
//
//  1. A message is written only after its intent is durable. A killed run
//     leaves each write either recorded or in doubt, never unknown.
//  2. A doubt is resolved by looking (Target.Find), never by writing again on
//     a guess. What cannot be decided becomes Failed and is reported.
//  3. A message has one outcome, which changes only from Pending; from Excluded
//     when the rule that excluded it is gone; to Moved or Removed when the
//     source has it no more and its copy went the same way; and from Gone,
//     Moved and Removed when the source lists it again. What was lost at the
//     target is made Pending by others.
//  4. Every message that the source lists is recorded before anything is done
//     with it, so that listed = sum of outcomes at any instant.
//  5. The source is read by one goroutine per mailbox, which never waits for
//     the target inside a call to the source.
//  6. Memory does not depend on the number of messages, and hardly on their
//     size: batches, queues and the spool are bounded.
//  7. A message is changed only as Transform allows, and its record names each
//     change. Which form of it is being written is durable before it is.
//  8. What the source has no more is known before anything new is written, so
//     that a message which was moved, or whose UID has changed, is known by its
//     content and not written again. Each copy is taken over once.
//  9. A copy follows what changed at the source since it was written, and
//     nothing else; after the cutover it follows nothing.
// 10. Trouble with one message stops that message, with one mailbox that
//     mailbox. Only trouble of our own machine (checkpoints, spool) stops all.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/mailhaul/mailhaul/migrate/transform"
)

// An Engine runs passes over mailboxes. All fields but Rules, Log, Newest,
// Deletions, Confirmed and Heal are required.
type Engine struct {
	Checkpoints Checkpoints
	Spool       *Spool
	Retry       Retry
	Rules       Rules
	Transform   transform.Config
	Jobs        int           // mailboxes at once
	Grace       time.Duration // how long writes in flight may take once the run is told to stop
	Progress    *Progress
	Log         *slog.Logger // is told what happens to each mailbox; may be nil

	Newest bool // the newest messages of each folder go first

	// Deletions says what becomes of copies of messages that are deleted at the
	// source; "" is Keep. Many at once are removed only if Confirmed.
	Deletions Deletions
	Confirmed bool

	// Heal makes passes copy only what was lost at the target. Nothing else is
	// recorded, read or written, and how complete the latest pass was stays as
	// it is.
	Heal bool
}

// A Mailbox is a source account and the target account it moves to.
type Mailbox struct {
	Source, Target string // addresses
	OpenSource     func(context.Context) (Source, error)
	OpenTarget     func(context.Context) (Target, error)
}

// Rules say what is left out. A nil rule leaves out nothing. Both return the
// name of the rule that applies, or "".
type Rules struct {
	Folder  func(Folder) string
	Message func(*Message) string // of the message's metadata
	Version string                // names them: with another one, all messages are looked at again
}

// Deletions is what becomes of copies of messages that the source deleted.
type Deletions string

const (
	Keep   Deletions = "keep"   // they stay
	Report Deletions = "report" // they stay; Tally.Left counts them
	Trash  Deletions = "trash"  // they are put into the target's trash
)

// A Result is how the pass over a mailbox ended. Err is nil if every folder
// was walked; single messages may have failed all the same.
type Result struct {
	Mailbox Mailbox
	Err     error
}

// localError is trouble of this machine, which stops the run.
type localError struct{ err error }

func (e *localError) Error() string { return e.err.Error() }
func (e *localError) Unwrap() error { return e.err }

// Saved marks an error of the checkpoints as trouble of this machine, which
// stops all mailboxes and is not tried again.
func Saved(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return &localError{fmt.Errorf("checkpoints: %w", err)}
}

// Run makes one pass over each mailbox and says how each ended, in the order
// given. When ctx ends no new work starts, writes in flight get the grace
// period, and what they came to is recorded. The error is trouble of this
// machine, or the cause that ended ctx.
func (e *Engine) Run(ctx context.Context, mailboxes []Mailbox) ([]Result, error) {
	results := make([]Result, len(mailboxes))
	progress := make([]*MailboxProgress, len(mailboxes))
	for i, m := range mailboxes {
		results[i] = Result{Mailbox: m, Err: ErrNotStarted}
		progress[i] = e.Progress.Add(m.Source, m.Target)
		progress[i].LogTo(e.Log)
	}
	err := Each(ctx, e.Jobs, len(mailboxes), func(ctx context.Context, i int) error {
		results[i].Err = e.pass(ctx, mailboxes[i], progress[i])
		return results[i].Err
	})
	return results, err
}

// Each calls fn for each of n mailboxes, of jobs at once. An error stops no
// other mailbox, unless it is trouble of this machine. When ctx ends no further
// mailbox begins. The error is that trouble, or the cause that ended ctx.
func Each(ctx context.Context, jobs, n int, fn func(ctx context.Context, i int) error) error {
	g, all := errgroup.WithContext(ctx)
	g.SetLimit(max(1, jobs))
	for i := range n {
		g.Go(func() error {
			if all.Err() != nil {
				return context.Cause(all)
			}
			if local := (*localError)(nil); errors.As(fn(all, i), &local) {
				return local
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil || ctx.Err() == nil {
		return err
	}
	return context.Cause(ctx)
}

// ErrNotStarted is the error of a mailbox that was not begun.
var ErrNotStarted = errors.New("not started")

// Explain returns what a person should read of an error: what happened, and
// what to do about it, if that is known.
func Explain(err error) (reason, hint string) {
	if e, ok := errors.AsType[*Error](err); ok {
		hint = e.Hint
	}
	return err.Error(), hint
}
