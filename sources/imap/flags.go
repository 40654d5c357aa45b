package imap

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/mailhaul/mailhaul/migrate"
)

const (
	flagsBatch = 2000 // messages that one FETCH asks for: flags are short
	maxUntold  = 10   // messages that are passed over because the server breaks off over each
)

var flagsOnly = imap.FetchOptions{UID: true, Flags: true}

// Flags yields the UID and flags, and nothing else, of the messages of f with
// UID < below whose flags changed after f stood at since: of all of them if
// since is 0, if the server keeps no count of changes, or if the count began
// anew (since > f.ModSeq). UIDs ascend, within a batch and from batch to
// batch; none comes twice. Every change that was made before the call is told;
// flags that did not change may be told as well. A server that began to count
// anew and has come past since again, as after its indexes were rebuilt, tells
// too little; since 0 does not depend on it.
//
// Batches are of bounded size, and no command is under way while the caller
// has one. An error comes at most once, as the last step, with the classes of
// List; the batches before it hold. It is Permanent if the server would not
// tell the flags of some messages; those of all others were yielded then.
func (s *Source) Flags(ctx context.Context, f migrate.Folder, below migrate.UID, since uint64) iter.Seq2[[]migrate.Message, error] {
	return func(yield func([]migrate.Message, error) bool) {
		if since > f.ModSeq {
			since = 0
		}
		var untold []imap.UID
		for runs, err := range s.search(ctx, f, 1, below, since) {
			for err == nil && len(runs) > 0 {
				n := flagsBatch
				if s.suspected(f, imap.UID(runs[0].First)) {
					n = 1
				}
				batch := head(runs, n)
				lo, hi := imap.UID(batch[0].First), imap.UID(batch[len(batch)-1].Last)
				var ms []migrate.Message
				var missed []imap.UID
				ms, missed, err = s.flags(ctx, f, batch)
				if dubious(err) && lo == hi { // it may have been chance
					ms, missed, err = s.flags(ctx, f, batch)
				}
				switch {
				case !dubious(err):
				case lo != hi:
					s.suspect(f, lo, hi)
					if answered(err) {
						err = nil
						continue
					}
				case len(untold) < maxUntold:
					missed, err = []imap.UID{lo}, nil
				}
				untold = append(untold, missed...)
				runs = after(runs, hi)
				if len(ms) > 0 && !yield(ms, nil) {
					return
				}
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
		if len(untold) > 0 {
			yield(nil, &migrate.Error{Op: "flags", Class: migrate.Permanent, Err: fmt.Errorf("the server has messages whose flags it does not tell: %d, beginning with UID %d", len(untold), untold[0]),
				Hint: "Look at them at the source: a keyword may have characters that IMAP does not allow."})
		}
	}
}

// flags returns the flags of those of runs that exist, and the UIDs of those
// whose flags do not come.
func (s *Source) flags(ctx context.Context, f migrate.Folder, runs []migrate.UIDRange) (ms []migrate.Message, untold []imap.UID, err error) {
	if ms, err = s.fetchFlags(ctx, f, runs); err != nil {
		return nil, nil, err
	}
	missing := lacking(runs, ms)
	if len(missing) == 0 {
		return ms, nil, nil
	}
	// They are expunged, or go-imap took a notice without flags for the answer.
	s.reopen()
	exist, err := s.find(ctx, f, missing, 0)
	if err != nil {
		return nil, nil, err
	}
	if len(exist) == 0 {
		return ms, nil, nil
	}
	again, err := s.fetchFlags(ctx, f, exist)
	if err != nil {
		return nil, nil, err
	}
	untold, _ = lacking(exist, again).Nums()
	ms = append(ms, again...)
	slices.SortFunc(ms, byUID)
	return ms, untold, nil
}

func byUID(a, b migrate.Message) int { return cmp.Compare(a.UID, b.UID) }

// lacking returns those of runs that are not in ms.
func lacking(runs []migrate.UIDRange, ms []migrate.Message) (set imap.UIDSet) {
	for uid := range each(runs) {
		if len(ms) > 0 && ms[0].UID == migrate.UID(uid) {
			ms = ms[1:]
		} else {
			set.AddNum(uid)
		}
	}
	return set
}

// fetchFlags returns in ascending order what of runs comes with its flags.
func (s *Source) fetchFlags(ctx context.Context, f migrate.Folder, runs []migrate.UIDRange) (ms []migrate.Message, err error) {
	var set imap.UIDSet
	for _, r := range runs {
		set.AddRange(imap.UID(r.First), imap.UID(r.Last))
	}
	err = s.inFolder(ctx, f, "flags", func(ss *session) error {
		cmd := ss.client.Fetch(set, &flagsOnly)
		for data := cmd.Next(); data != nil; data = cmd.Next() {
			var m migrate.Message
			told := false
			for item := data.Next(); item != nil; item = data.Next() {
				switch item := item.(type) {
				case imapclient.FetchItemDataUID:
					m.UID = migrate.UID(item.UID)
				case imapclient.FetchItemDataFlags:
					m.Flags, told = flags(item.Flags), true
				}
			}
			if told {
				ms = append(ms, m)
			}
		}
		return cmd.Close()
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(ms, byUID)
	return ms, nil
}
