package imap

import (
	"context"
	"fmt"
	"iter"

	"github.com/emersion/go-imap/v2"

	"github.com/mailhaul/mailhaul/migrate"
)

// window is how many UIDs one SEARCH spans at first. It doubles while nothing
// is found, so that a folder with few messages and huge UIDs ends soon. If
// every other UID exists, the answer takes some 10 MB of memory.
const window = 1 << 18

// UIDs yields the UIDs of f that exist and are less than below, as runs that
// ascend and do not touch. It yields an error at most once, as its last step,
// with the classes of List. Only when it ends without one are the UIDs that it
// did not yield known not to exist: the last step makes sure that the folder
// is still the one that was searched, and that the server did not find fewer
// messages than it has. Messages that arrive or vanish meanwhile may or may
// not be among them.
func (s *Source) UIDs(ctx context.Context, f migrate.Folder, below migrate.UID) iter.Seq2[migrate.UIDRange, error] {
	return func(yield func(migrate.UIDRange, error) bool) {
		var run migrate.UIDRange // may go on in the next window
		found := int64(0)
		for runs, err := range s.search(ctx, f, 1, below, 0) {
			if err != nil {
				yield(migrate.UIDRange{}, err)
				return
			}
			for _, r := range runs {
				found += int64(r.Last-r.First) + 1
				switch {
				case run.Last == 0:
					run = r
				case r.First == run.Last+1:
					run.Last = r.Last
				case !yield(run, nil):
					return
				default:
					run = r
				}
			}
		}
		if run.Last != 0 && !yield(run, nil) {
			return
		}
		// A server may show a folder that was deleted as an empty one.
		s.reopen()
		err := s.inFolder(ctx, f, "search", func(ss *session) error { return ss.accountFor(found, min(below, f.UIDNext)) })
		if err != nil {
			yield(migrate.UIDRange{}, err)
		}
	}
}

// accountFor makes sure that the folder that was just opened has no more
// messages than those that were found and those with UIDs from next on. An
// answer that the server forgot to send is no empty folder.
func (s *session) accountFor(found int64, next migrate.UID) error {
	lost := int64(s.opened.NumMessages) - found
	if s.opened.UIDNext == 0 || lost <= max(0, int64(s.opened.UIDNext)-int64(next)) {
		return nil
	}
	return &migrate.Error{Op: "search", Class: migrate.Permanent, Err: fmt.Errorf("the server announces %d messages and finds %d", s.opened.NumMessages, found),
		Hint: "Rebuild the folder's index at the source, and look at it with a mail program."}
}

// search yields the UIDs with from <= UID < below that exist, window by window,
// as runs in ascending order. If since is not 0, those alone whose flags
// changed after the folder stood there, unless the server keeps no count of
// changes.
func (s *Source) search(ctx context.Context, f migrate.Folder, from, below migrate.UID, since uint64) iter.Seq2[[]migrate.UIDRange, error] {
	return func(yield func([]migrate.UIDRange, error) bool) {
		lo, end, width := uint64(max(from, 1)), uint64(below), uint64(window)
		// What changed before the call has to be seen: Dovecot searches what it
		// knew when the command before this one ended.
		s.reopen()
		if lo >= end { // nothing to search, but the folder has to be the one meant
			if err := s.inFolder(ctx, f, "search", func(*session) error { return nil }); err != nil {
				yield(nil, err)
			}
			return
		}
		for lo < end {
			hi := min(lo+width, end) - 1
			runs, err := s.find(ctx, f, imap.UIDSet{{Start: imap.UID(lo), Stop: imap.UID(hi)}}, since)
			switch {
			case since > 0 && answered(err):
				since = 0 // RFC 7162 section 3.1.2.2: a folder without modification sequences
				continue
			case err != nil:
				yield(nil, err)
				return
			}
			lo = hi + 1
			if len(runs) == 0 {
				width *= 2
				continue
			}
			width = window
			if !yield(runs, nil) {
				return
			}
		}
	}
}

// reopen makes the next command open its folder anew.
func (s *Source) reopen() {
	if s.session != nil {
		s.session.selected = ""
	}
}

// inFolder runs fn with f open.
func (s *Source) inFolder(ctx context.Context, f migrate.Folder, op string, fn func(*session) error) error {
	return s.use(ctx, op, s.config.patience(), func(ss *session) error {
		name, err := s.name(ss, f)
		if err != nil {
			return err
		}
		if err := ss.examine(name, f); err != nil {
			return err
		}
		return fn(ss)
	})
}

// find returns those of set that exist, and if since is not 0, whose flags
// changed after the folder stood there (RFC 7162 section 3.1.5).
func (s *Source) find(ctx context.Context, f migrate.Folder, set imap.UIDSet, since uint64) (runs []migrate.UIDRange, err error) {
	criteria := imap.SearchCriteria{UID: []imap.UIDSet{set}}
	if since > 0 {
		criteria.ModSeq = &imap.SearchCriteriaModSeq{ModSeq: since + 1}
	}
	err = s.inFolder(ctx, f, "search", func(ss *session) error {
		found, err := ss.search(&criteria)
		runs = both(found, set)
		return err
	})
	return runs, err
}

// search runs a UID SEARCH. Its answer is short if the server has ESEARCH (RFC
// 4731), where one without ALL says that nothing was found. From a server that
// has it in name only, another answer is asked for.
func (s *session) search(criteria *imap.SearchCriteria) (imap.UIDSet, error) {
	if s.caps.Has(imap.CapESearch) {
		data, err := s.client.UIDSearch(criteria, &imap.SearchOptions{ReturnAll: true}).Wait()
		if set, _ := data.All.(imap.UIDSet); err != nil || data.All == nil || len(set) > 0 {
			return set, err
		}
		delete(s.caps, imap.CapESearch)
	}
	data, err := s.client.UIDSearch(criteria, nil).Wait()
	set, _ := data.All.(imap.UIDSet)
	return set, err
}

// both returns what is in a and in b, which ascend.
func both(a, b imap.UIDSet) (runs []migrate.UIDRange) {
	for len(a) > 0 && len(b) > 0 {
		if lo, hi := max(a[0].Start, b[0].Start), min(a[0].Stop, b[0].Stop); lo <= hi {
			runs = append(runs, migrate.UIDRange{First: migrate.UID(lo), Last: migrate.UID(hi)})
		}
		if a[0].Stop < b[0].Stop {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return runs
}

// head returns the first n UIDs of runs, or as many as a command can name: its
// line should not be longer than 8,192 octets (RFC 7162 section 4).
func head(runs []migrate.UIDRange, n int) (hs []migrate.UIDRange) {
	room := 8000
	for _, r := range runs {
		room -= 2 * len(fmt.Sprint(r.Last, ","))
		if n == 0 || room < 0 {
			break
		}
		r.Last = r.First + min(r.Last-r.First, migrate.UID(n)-1)
		n -= int(r.Last-r.First) + 1
		hs = append(hs, r)
	}
	return hs
}

// after returns what is left of runs after uid. It changes runs.
func after(runs []migrate.UIDRange, uid imap.UID) []migrate.UIDRange {
	for len(runs) > 0 && runs[0].Last <= migrate.UID(uid) {
		runs = runs[1:]
	}
	if len(runs) > 0 {
		runs[0].First = max(runs[0].First, migrate.UID(uid)+1)
	}
	return runs
}

// each yields the UIDs of runs.
func each(runs []migrate.UIDRange) iter.Seq[imap.UID] {
	return func(yield func(imap.UID) bool) {
		for _, r := range runs {
			for u := uint64(r.First); u <= uint64(r.Last); u++ {
				if !yield(imap.UID(u)) {
					return
				}
			}
		}
	}
}
