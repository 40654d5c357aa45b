package imap

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/mailhaul/mailhaul/migrate"
)

// batchSize is how many messages one FETCH asks for. go-imap deadlocks when a
// body is fetched while a listing of more than a few hundred is under way; a
// batch is over before it is handed out.
const batchSize = 500

// List asks for the UIDs that exist, window by window, and then for the
// metadata of at most 500 of them at a time. Flags that change meanwhile are
// as they are when their batch is fetched.
func (s *Source) List(ctx context.Context, f migrate.Folder, from migrate.UID) iter.Seq2[[]migrate.Message, error] {
	return func(yield func([]migrate.Message, error) bool) {
		for runs, err := range s.search(ctx, f, from, f.UIDNext, 0) {
			if err != nil {
				yield(nil, err)
				return
			}
			for len(runs) > 0 {
				uids := slices.Collect(each(head(runs, batchSize)))
				ms, n, err := s.batch(ctx, f, uids)
				if err == nil {
					ms, err = s.complete(ctx, f, uids[:n], ms)
				}
				if err != nil {
					yield(nil, err)
					return
				}
				if len(ms) > 0 && !yield(ms, nil) {
					return
				}
				runs = after(runs, uids[n-1])
			}
		}
	}
}

// suspect is a range of messages over which a server broke off a batch. A file
// that Dovecot cannot read makes it hang up, at every attempt.
type suspect struct {
	folder      string
	first, last imap.UID
}

// maxSuspects is how many of them are remembered, the latest ones: a scan that
// begins anew after each has to get past all.
const maxSuspects = 100

func (s *Source) suspect(f migrate.Folder, first, last imap.UID) {
	s.suspects = append(s.suspects, suspect{key(f.Path), first, last})
	s.suspects = s.suspects[max(0, len(s.suspects)-maxSuspects):]
}

func (s *Source) suspected(f migrate.Folder, uid imap.UID) bool {
	return slices.ContainsFunc(s.suspects, func(x suspect) bool {
		return x.first <= uid && uid <= x.last && x.folder == key(f.Path)
	})
}

// batch fetches the metadata of the next messages and says how many they were:
// one at a time where a batch failed before, so that the message that is to
// blame is listed with what can be had of it, and fails alone when it is read.
func (s *Source) batch(ctx context.Context, f migrate.Folder, uids []imap.UID) (ms []migrate.Message, n int, err error) {
	if s.suspected(f, uids[0]) {
		for _, options := range []*imap.FetchOptions{&metadata, &metadata, &unread, &undated} {
			if ms, err = s.metadata(ctx, f, uids[:1], options, !options.RFC822Size); !dubious(err) {
				break
			}
		}
		return ms, 1, err
	}
	n = min(batchSize, len(uids))
	if ms, err = s.metadata(ctx, f, uids[:n], &metadata, false); dubious(err) {
		s.suspect(f, uids[0], uids[n-1])
		if answered(err) {
			return s.batch(ctx, f, uids)
		}
	}
	return ms, n, err
}

// complete adds to ms those of uids that did not come and still exist, with
// what can be had of them: what exists must never go unlisted. A server may
// send its answer in a form that go-imap does not assign to the command.
func (s *Source) complete(ctx context.Context, f migrate.Folder, uids []imap.UID, ms []migrate.Message) ([]migrate.Message, error) {
	if len(ms) == len(uids) {
		return ms, nil
	}
	s.reopen()
	exist, err := s.find(ctx, f, imap.UIDSet{{Start: uids[0], Stop: uids[len(uids)-1]}}, 0)
	if err != nil {
		return nil, err
	}
	for uid := range each(exist) {
		i, came := slices.BinarySearchFunc(ms, migrate.UID(uid), func(m migrate.Message, uid migrate.UID) int { return cmp.Compare(m.UID, uid) })
		if _, asked := slices.BinarySearch(uids, uid); came || !asked {
			continue
		}
		m, err := s.metadata(ctx, f, []imap.UID{uid}, &metadata, false)
		if err == nil && len(m) == 0 {
			m, err = s.metadata(ctx, f, []imap.UID{uid}, &metadata, true)
		}
		if err != nil && !answered(err) {
			if dubious(err) {
				s.suspect(f, uids[0], uids[len(uids)-1])
			}
			return nil, err
		}
		if len(m) == 0 {
			m = []migrate.Message{{UID: migrate.UID(uid)}}
		}
		ms = slices.Insert(ms, i, m[0])
	}
	return ms, nil
}

// dubious says whether a message may be to blame for an error.
func dubious(err error) bool {
	_, ok := errors.AsType[*migrate.Error](err)
	return ok && !errors.Is(err, migrate.ErrUnreachable) && !errors.Is(err, migrate.ErrFolderGone)
}

var (
	// HEADER.FIELDS asks for less than ENVELOPE, and is answered faster.
	metadata = imap.FetchOptions{UID: true, Flags: true, InternalDate: true, RFC822Size: true, BodySection: messageID}
	// unread asks for what a server knows without reading the message.
	unread = imap.FetchOptions{UID: true, Flags: true, InternalDate: true}
	// undated is for an INTERNALDATE that is no date, which go-imap cannot bear.
	undated = imap.FetchOptions{UID: true, Flags: true, RFC822Size: true, BodySection: messageID}

	messageID = []*imap.FetchItemBodySection{{Specifier: imap.PartSpecifierHeader, HeaderFields: []string{"Message-ID"}, Peek: true}}
)

// metadata fetches what is known of the messages uids, which are all that
// exist between the first and the last. An answer without a size counts if
// sizeless: a server may also tell of flags that someone changes meanwhile (RFC
// 3501 section 7.4.2), and go-imap takes what comes first for the answer.
func (s *Source) metadata(ctx context.Context, f migrate.Folder, uids []imap.UID, options *imap.FetchOptions, sizeless bool) (ms []migrate.Message, err error) {
	err = s.inFolder(ctx, f, "fetch", func(ss *session) error {
		cmd := ss.client.Fetch(imap.UIDSet{{Start: uids[0], Stop: uids[len(uids)-1]}}, options)
		for data := cmd.Next(); data != nil; data = cmd.Next() {
			m, l, err := ss.message(data)
			if err != nil {
				l.abandon(cmd)
				return err
			}
			if m.UID != 0 && (m.Size >= 0 || sizeless) && len(ms) < len(uids) {
				m.Size = max(m.Size, 0)
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

// message reads the metadata of one message; its size is negative if it did not
// come. With an error comes the literal in which it happened.
func (s *session) message(data *imapclient.FetchMessageData) (m migrate.Message, l *literal, err error) {
	m.Size = -1
	for item := data.Next(); item != nil; item = data.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			m.UID = migrate.UID(item.UID)
		case imapclient.FetchItemDataFlags:
			m.Flags = flags(item.Flags)
		case imapclient.FetchItemDataInternalDate:
			m.InternalDate = item.Time
		case imapclient.FetchItemDataRFC822Size:
			m.Size = item.Size
		case imapclient.FetchItemDataBodySection:
			if item.Literal == nil {
				continue
			}
			l := &literal{session: s, r: item.Literal, left: item.Literal.Size()}
			if l.left > longestField {
				return m, l, errTooMuch
			}
			field, err := io.ReadAll(l)
			if err != nil {
				return m, l, err
			}
			m.MessageID = parseMessageID(string(field))
		}
	}
	return m, nil, nil
}

// flags leaves out \Recent, which is the session's and not the message's (RFC
// 3501 section 2.3.2).
func flags(fs []imap.Flag) (out []migrate.Flag) {
	for _, f := range fs {
		if !strings.EqualFold(string(f), `\Recent`) {
			out = append(out, migrate.Flag(f))
		}
	}
	return out
}

// longestField is how large the Message-ID fields of a message may be. One
// that is damaged may be all header.
const longestField = 16 << 20

// parseMessageID returns the value of the first of some header fields,
// unfolded, at most a line of it (RFC 5322 sections 2.1.1 and 2.2.3).
func parseMessageID(fields string) string {
	_, value, _ := strings.Cut(fields, ":")
	var id []string
	for line := range strings.Lines(value) {
		if len(id) > 0 && !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "\t") {
			break
		}
		id = append(id, strings.TrimSpace(line))
	}
	unfolded := strings.TrimSpace(strings.Join(id, " "))
	return unfolded[:min(len(unfolded), 998)]
}
