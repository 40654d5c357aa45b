// Package assess says what is in a mailbox before it is moved, and what of it
// will be trouble at the target. It reads the source alone, and changes nothing.
//
// Most of it is known from metadata. What only content tells is told from a
// sample, with its error, or from all messages if that is asked for. However
// large the mailbox, an assessment in the making holds 12 octets for each
// message, and what it holds of flags, dates and names is bounded.
package assess

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// A Depth is how much of a mailbox is read.
type Depth string

const (
	Fast   Depth = "fast"   // what the server says of each folder, and no message
	Listed Depth = "listed" // the metadata of all messages, and the content of a sample
	Deep   Depth = "deep"   // the content of all messages
)

// Options say how a mailbox is assessed.
type Options struct {
	Depth   Depth
	Rules   migrate.Rules // what they leave out is counted by its rule, and nowhere else
	Bounds  []int64       // sizes in octets up to which the target treats a message otherwise than above
	Blocked []string      // extensions of files that the target may refuse, in lower case: "exe"
	Sealed  int64         // octets of the largest signed or encrypted message that the target takes; 0 for any

	Retry    migrate.Retry
	Progress *migrate.MailboxProgress // is told of a message when it was listed, and read if it is to be
}

// Mailbox assesses the mailbox of that name, which s reads. Of kept, which is
// an earlier assessment of it or nil, it takes over the folders that have not
// changed: those with the same UIDVALIDITY, UIDNEXT, HIGHESTMODSEQ and number of
// messages. Where the server keeps no HIGHESTMODSEQ, their flags may be older. A
// folder that cannot be listed has Folder.Err and does not stop the others.
func Mailbox(ctx context.Context, name string, s migrate.Source, kept *Assessment, o Options) (*Assessment, error) {
	v := &visit{Options: o, source: s, now: time.Now().UTC(), bounds: bounds(o.Bounds), flags: map[migrate.Flag]migrate.Flag{}}
	var folders []migrate.Folder
	v.Progress.Phase("folders")
	err := v.retry(ctx, func() (err error) { folders, err = s.Folders(ctx); return err })
	if err != nil {
		return nil, fmt.Errorf("list folders of the source: %w", err)
	}
	a := &Assessment{Mailbox: name, Made: v.now, Depth: o.Depth, Terms: o.terms(), Bounds: o.Bounds}
	a.QuotaOctets, a.QuotaMessages = v.quota(ctx)
	for _, f := range folders {
		a.Folders = append(a.Folders, newFolder(f, v.rule(f)))
	}
	if o.Depth == Fast {
		return a, nil
	}
	v.Progress.Update(func(s *migrate.MailboxSnapshot) {
		for _, f := range a.Folders {
			if f.read() {
				s.Total += f.Messages
			}
		}
	})
	var earlier []*survey
	if kept != nil && kept.Mailbox == a.Mailbox && kept.Terms == a.Terms {
		if again := kept.again(a); again != nil {
			v.Progress.Update(func(s *migrate.MailboxSnapshot) { s.Listed, s.Known = s.Total, s.Total })
			return again, nil
		}
		earlier = kept.surveys()
	}
	for i, f := range folders {
		at := &a.Folders[i]
		if !at.read() {
			continue
		}
		survey, err := v.folder(ctx, f, earlier)
		switch {
		case alone(err):
			at.Err, at.Hint = migrate.Explain(err)
		case err != nil:
			return nil, fmt.Errorf("folder %s: %w", f, err)
		default:
			at.describe(survey)
			a.parts = append(a.parts, survey)
		}
	}
	if err := v.sample(ctx, a.parts); err != nil {
		return nil, err
	}
	a.sum()
	return a, nil
}

// A limited source tells how many octets and messages the mailbox may hold.
type limited interface {
	Quota(ctx context.Context) (octets, messages migrate.Quota, err error)
}

// quotaPatience is how long a source may think about it.
const quotaPatience = 30 * time.Second

// quota is not known where the source does not tell it, and that is all that
// comes of it.
func (v *visit) quota(ctx context.Context) (octets, messages migrate.Quota) {
	s, ok := v.source.(limited)
	if !ok {
		return octets, messages
	}
	ctx, cancel := context.WithTimeout(ctx, quotaPatience)
	defer cancel()
	octets, messages, err := s.Quota(ctx)
	if err != nil {
		return migrate.Quota{}, migrate.Quota{}
	}
	return octets, messages
}

// alone says whether an error concerns one folder, or one message, alone.
func alone(err error) bool {
	e, ok := errors.AsType[*migrate.Error](err)
	return errors.Is(err, migrate.ErrFolderGone) || ok && e.Class == migrate.Permanent
}

// terms are what two assessments must share for one to use parts of the other.
func (o Options) terms() string {
	return fmt.Sprintf("%q %d %q %d", o.Rules.Version, slices.Sorted(slices.Values(o.Bounds)), slices.Sorted(slices.Values(o.Blocked)), o.Sealed)
}

// A visit is an assessment in the making.
type visit struct {
	Options
	source migrate.Source
	now    time.Time
	bounds []int64                       // of classes of sizes, ascending
	flags  map[migrate.Flag]migrate.Flag // that are told apart, so that each is held once
}

func (v *visit) retry(ctx context.Context, fn func() error) error {
	return v.Retry.Do(ctx, v.Progress.Wait, fn)
}

func (v *visit) rule(f migrate.Folder) string {
	if v.Rules.Folder == nil {
		return ""
	}
	return v.Rules.Folder(f)
}

// folder surveys one folder, unless an earlier survey still holds.
func (v *visit) folder(ctx context.Context, f migrate.Folder, earlier []*survey) (*survey, error) {
	i := slices.IndexFunc(earlier, func(k *survey) bool {
		return slices.Equal(k.Path, f.Path) && k.State == stateOf(f) && (k.Deep || v.Depth != Deep)
	})
	if i >= 0 {
		v.Progress.Update(func(s *migrate.MailboxSnapshot) { s.Listed, s.Known = s.Listed+f.Messages, s.Known+f.Messages })
		return earlier[i], nil
	}
	v.Progress.Phase(f.String())
	if f.UIDValidity == 0 {
		return nil, v.unknown(ctx, f)
	}
	s := v.newSurvey(f)
	next := migrate.UID(1)
	list := func() error {
		for batch, err := range v.source.List(ctx, f, next) {
			if err != nil {
				return err
			}
			if err := v.take(ctx, f, s, batch); err != nil {
				return err
			}
			next = batch[len(batch)-1].UID + 1
		}
		return nil
	}
	for more := true; more; {
		err := v.retry(ctx, func() error {
			before := next
			err := list()
			if more = next > before && transient(err); more {
				return nil // it got on: patience starts again
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

func transient(err error) bool {
	e, ok := errors.AsType[*migrate.Error](err)
	return ok && e.Class == migrate.Transient && !errors.Is(err, migrate.ErrFolderGone)
}

// unknown says why the source does not tell the state of a folder.
func (v *visit) unknown(ctx context.Context, f migrate.Folder) error {
	err := v.retry(ctx, func() error {
		for _, err := range v.source.List(ctx, f, 1) {
			return err
		}
		return nil
	})
	if err == nil {
		err = &migrate.Error{Op: "list", Class: migrate.Permanent, Err: errors.New("the source does not tell its UIDVALIDITY"), Hint: "Try again."}
	}
	return err
}

// take adds a batch of messages to a survey.
func (v *visit) take(ctx context.Context, f migrate.Folder, s *survey, batch []migrate.Message) error {
	var included []*migrate.Message
	before := s.Bytes
	for i := range batch {
		if m := &batch[i]; v.add(s, m) && s.Deep {
			included = append(included, m)
		}
	}
	err := v.read(ctx, f, included, func(_ *migrate.Message, found []string) { s.Content.add(found) })
	n := int64(len(batch))
	v.Progress.Update(func(p *migrate.MailboxSnapshot) {
		p.Listed, p.Done, p.Bytes = p.Listed+n, p.Done+n, p.Bytes+s.Bytes-before
	})
	return err
}

// sample reads those of the messages drawn from all folders that were not read
// before.
func (v *visit) sample(ctx context.Context, parts []*survey) error {
	if deep(parts) {
		return nil
	}
	v.Progress.Phase("sample")
	by := drawn(parts)
	for _, s := range parts {
		var ms []*migrate.Message
		tickets := by[s]
		for _, t := range tickets {
			if !t.Read {
				ms = append(ms, &migrate.Message{UID: t.UID, Size: t.Size, InternalDate: t.Date})
			}
		}
		f := migrate.Folder{Path: s.Path, UIDValidity: s.State.UIDValidity, UIDNext: s.State.UIDNext}
		err := v.read(ctx, f, ms, func(m *migrate.Message, found []string) {
			i := slices.IndexFunc(tickets, func(t *ticket) bool { return t.UID == m.UID })
			tickets[i].Read, tickets[i].Found = true, found
		})
		if err != nil {
			return fmt.Errorf("folder %s: %w", f, err)
		}
	}
	return nil
}

// read looks into messages of a folder. Those that are gone, or cannot be read,
// are passed over.
func (v *visit) read(ctx context.Context, f migrate.Folder, ms []*migrate.Message, see func(m *migrate.Message, found []string)) error {
	seen := map[migrate.UID]bool{}
	unseen := func(ms []*migrate.Message) []*migrate.Message {
		return slices.DeleteFunc(slices.Clone(ms), func(m *migrate.Message) bool { return seen[m.UID] })
	}
	for most := len(ms); len(ms) > 0; {
		group := ms[:min(most, len(ms))]
		err := v.retry(ctx, func() error {
			return v.source.Read(ctx, f, unseen(group), func(m *migrate.Message, r io.Reader) error {
				found, err := look(m.InternalDate, r, v.Blocked)
				if err == nil {
					if v.Sealed > 0 && m.Size > v.Sealed && slices.Contains(found, FoundWhole) {
						found = append(found, FoundTooSealed)
					}
					seen[m.UID] = true
					see(m, found)
				}
				return err
			})
		})
		switch {
		case errors.Is(err, migrate.ErrFolderGone):
			return nil
		case alone(err) && most > 1: // one of them is to blame
			ms, most = unseen(ms), 1
		case err != nil && !alone(err):
			return err
		default:
			ms = ms[len(group):]
		}
	}
	return nil
}
