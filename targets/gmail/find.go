package gmail

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mailhaul/mailhaul/migrate"
)

const (
	// maxCandidates bounds how many messages one Find asks about: 40,000 units,
	// seven minutes of a new project's quota, and as much for those that look
	// so much like the one it seeks that they are read.
	maxCandidates = 2000
	maxPages      = 1000 // of one listing
)

// Find looks for m among the messages that carry its Message-ID in Gmail's
// search index, and then, because the index lags and not every message has a
// Message-ID, among those that the mailbox's history says were added since.
// A message counts as found only if its content is that of m below header
// fields that Gmail put on top. It may lack the label of
// folder, which a person may have taken away since, if it is plain that those
// fields are Gmail's: mail to oneself arrives as the sent copy below other
// fields, and is another message.
//
// Its cost grows with the messages that other processes added to folder since
// the position: 20 units for each, once. With more than maxCandidates of them,
// or a history that was cut off, it may be undecided.
func (t *Target) Find(ctx context.Context, folder migrate.FolderID, m *migrate.Message, since migrate.Position) (migrate.Stored, error) {
	s := search{t: t, folder: folder, m: m, seen: make(map[string]bool)}
	if m.Digest == (migrate.Digest{}) {
		return migrate.Stored{}, s.undecided("the content of the message is not known")
	}
	if q := searchTerm(m.MessageID); q != "" {
		ids, _, err := t.listMessages(ctx, q, "", 1)
		if err != nil {
			return migrate.Stored{}, err
		}
		if stored, err := s.among(ctx, ids); stored.ID != "" || err != nil {
			return stored, err
		}
	}
	if err := t.awaitSettled(ctx); err != nil {
		return migrate.Stored{}, unsent("find", err)
	}
	ids, all, err := t.addedSince(ctx, since, folder)
	if gone(err) {
		// The history reaches back about a week only.
		ids, all, err = t.listMessages(ctx, "", t.labelOf(folder), maxCandidates/500)
	}
	if err != nil {
		return migrate.Stored{}, err
	}
	if stored, err := s.among(ctx, ids); stored.ID != "" || err != nil {
		return stored, err
	}
	if s.second != "" {
		return s.found(s.second, s.meta)
	}
	if !all {
		return migrate.Stored{}, s.undecided("too many messages have been added since")
	}
	return migrate.Stored{}, fmt.Errorf("find: %w", migrate.ErrNotFound)
}

// A search is one Find.
type search struct {
	t      *Target
	folder migrate.FolderID
	m      *migrate.Message
	seen   map[string]bool // candidates that were ruled out, or are second
	asked  int             // of them, those that Gmail was asked about
	second string          // one that is m below header fields that may be its own: the choice if there is no better one
	meta   metadata        // of that
}

// among returns the first message of ids that has the content of m; its ID is
// empty if none has.
func (s *search) among(ctx context.Context, ids []string) (migrate.Stored, error) {
	for _, id := range ids {
		if s.seen[id] {
			continue
		}
		s.seen[id] = true
		fact, known := s.t.memory.get(id)
		if !known {
			if s.asked++; s.asked > maxCandidates {
				return migrate.Stored{}, s.undecided("too many messages look like it")
			}
			meta, err := s.t.metadata(ctx, id)
			if gone(err) {
				continue
			}
			if err != nil {
				return migrate.Stored{}, err
			}
			fact.meta = meta
			s.t.memory.put(id, fact)
		}
		if fact.digest == s.m.Digest {
			return s.found(id, fact.meta)
		}
		if fact.digest != (migrate.Digest{}) || !plausible(fact.meta, s.m) {
			continue
		}
		found, err := s.t.compare(ctx, id, s.m)
		if err != nil && !gone(err) {
			return migrate.Stored{}, err
		}
		switch {
		case found == copied:
			return s.found(id, fact.meta)
		case found == ends && s.second == "" && s.placed(fact.meta):
			s.second, s.meta = id, fact.meta
		}
	}
	return migrate.Stored{}, nil
}

// placed says whether a message has the labels that Append gives in the folder.
func (s *search) placed(meta metadata) bool {
	switch s.folder {
	case archive:
		return !slices.ContainsFunc(meta.labels, isFolder)
	case sent:
		if s.t.route == RouteInsert {
			return false // all mail from the user's own address has SENT
		}
		s.t.placing.Lock()
		defer s.t.placing.Unlock()
		return slices.Contains(meta.labels, string(sent)) || slices.Contains(meta.labels, string(s.t.fallback))
	}
	return slices.Contains(meta.labels, string(s.t.labelNow(s.folder)))
}

// found says what the copy lacks.
func (s *search) found(id string, meta metadata) (migrate.Stored, error) {
	notes, err := s.t.notesOn(s.folder, s.m)
	if err != nil {
		return migrate.Stored{}, unsent("find", err)
	}
	if s.folder == sent && len(meta.labels) > 0 && !slices.Contains(meta.labels, string(sent)) {
		notes = append(notes, NoteSentLabel)
	}
	return migrate.Stored{ID: migrate.MessageID(id), Notes: notes}, nil
}

func (s *search) undecided(why string) error {
	return &migrate.Error{
		Op: "find", Class: migrate.Permanent, Refused: true,
		Err:  fmt.Errorf("%w: %s", migrate.ErrUndecided, why),
		Hint: "Look for the message in Gmail by its subject and date, then have it copied again if it is not there.",
	}
}

// plausible says whether a message may be m. It errs on the side of yes: the
// size is an estimate of a longer text, the source's envelope may hold one of
// two Message-IDs or a part of one, and Gmail may add one to mail without.
func plausible(meta metadata, m *migrate.Message) bool {
	if meta.size > 0 && (meta.size < m.Size/2 || meta.size > 2*m.Size+64<<10) {
		return false
	}
	id := bareID(m.MessageID)
	if id == "" || len(meta.messageIDs) == 0 {
		return true
	}
	return slices.ContainsFunc(meta.messageIDs, func(other string) bool {
		return strings.Contains(other, id) || strings.Contains(id, other)
	})
}

// bareID returns a Message-ID without brackets and white space.
func bareID(s string) string {
	return strings.Trim(strings.Join(strings.Fields(s), ""), "<>")
}
