package gmail

import (
	"context"
	"fmt"
	"slices"

	"github.com/mailhaul/mailhaul/migrate"
)

// Update changes labels. A label that is taken away neither hides nor deletes
// a message: without any it is in All Mail, the archive.
//
// Gmail hides what is in Spam or Trash everywhere else and deletes it after 30
// days. So a message goes there only from its last folder as far as labels
// tell, which say nothing of the archive; otherwise it only leaves
// RemoveFolder, with [NoteNotPlaced]. Any other folder takes it out of both
// again. With Trash it goes there at once, whatever AddFolder is; the labels
// that it keeps do not show, and come back with it.
//
// Sent: Gmail refuses to let SENT be set, so that the message gets the label of
// [NoteSentLabel], and maybe to let it be taken away: [NoteSentKept].
//
// Drafts: a draft can only go into Trash and has no flags, and no message
// becomes a draft; other moves wrap ErrUnmovable. A copy in Drafts of a message
// that is elsewhere is not there, with [NoteNotPlaced], and moves as all do.
//
// It costs 5 units for each message, or 50 for up to 1,000 of them; 25 for each
// where Spam, Trash or Drafts are concerned, except with Trash, and where Gmail
// refuses to set SENT.
func (t *Target) Update(ctx context.Context, change migrate.Change, ids ...migrate.MessageID) (notes []string, err error) {
	defer t.memory.forget(ids)
	several := len(ids) > 1
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	if change.Trash {
		change.AddFolder = trash
	}
	if change.RemoveFolder == change.AddFolder {
		change.RemoveFolder = ""
	}
	if change.Trash || change.RemoveFolder != draft && !slices.Contains([]migrate.FolderID{junk, trash, draft}, change.AddFolder) {
		return t.rearrange(ctx, change, ids, several)
	}
	var there []migrate.MessageID
	var changes []migrate.Change
	for _, id := range ids { // all of them before anything is changed
		meta, err := t.metadata(ctx, string(id))
		if several && gone(err) {
			continue
		}
		if err != nil {
			return nil, notFound(err)
		}
		its, more, err := t.delicate(change, meta.labels)
		if err != nil {
			return nil, err
		}
		there, changes, notes = append(there, id), append(changes, its), union(notes, more)
	}
	for i, its := range changes {
		more, err := t.rearrange(ctx, its, there[i:i+1], several)
		if err != nil {
			return nil, err
		}
		notes = union(notes, more)
	}
	return notes, nil
}

func union(notes, more []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(notes, more))))
}

// delicate returns what is left of a change that concerns Spam, Trash or Drafts
// for a message with these labels.
func (t *Target) delicate(change migrate.Change, labels []string) (its migrate.Change, notes []string, err error) {
	has := func(folder migrate.FolderID) bool { return slices.Contains(labels, string(folder)) }
	add, remove, isDraft := change.AddFolder, change.RemoveFolder, has(draft)
	discarded := isDraft && remove == draft && add == trash
	if isDraft && remove == draft && !discarded || !isDraft && remove != "" && add == draft {
		return change, nil, &migrate.Error{
			Op: "update", Class: migrate.Permanent, Refused: true,
			Err:  fmt.Errorf("%w: Gmail makes no draft of a message, and no message of a draft", migrate.ErrUnmovable),
			Hint: "Copy it anew into the other folder, and delete this one.",
		}
	}
	if isDraft {
		if dropsFlags(draft, &migrate.Message{Flags: change.AddFlags}) {
			notes = append(notes, NoteFlags)
		}
		change.AddFlags, change.RemoveFlags = nil, nil
	}
	left := t.labelsOf(remove)
	elsewhere := slices.ContainsFunc(labels, func(id string) bool {
		return isFolder(id) && !slices.Contains(left, id) && id != string(junk) && id != string(trash)
	})
	switch {
	case isDraft && add == draft:
		change.AddFolder = archive // which only takes it out of Spam and Trash
	case add == draft,
		(add == junk || add == trash) && !has(add) && !discarded && (remove == "" || remove == draft || elsewhere):
		change.AddFolder, notes = "", append(notes, NoteNotPlaced)
	}
	return change, notes, nil
}

// labelsOf returns the labels that a message in folder may have for it.
func (t *Target) labelsOf(folder migrate.FolderID) []string {
	switch folder {
	case "", archive, draft: // DRAFT is for Gmail alone to take away
		return nil
	case sent:
		t.placing.Lock()
		defer t.placing.Unlock()
		if t.fallback == "" {
			return []string{string(sent)}
		}
		return []string{string(sent), string(t.fallback)}
	}
	return []string{string(t.labelNow(folder))}
}

// rearrange makes a change that is possible.
func (t *Target) rearrange(ctx context.Context, change migrate.Change, ids []migrate.MessageID, several bool) (notes []string, err error) {
	if dropsFlags(change.AddFolder, &migrate.Message{Flags: change.AddFlags}) {
		notes = append(notes, NoteFlags)
	}
	r := relabelling{change.AddFolder, t.labelsOf(change.RemoveFolder), change.AddFlags, change.RemoveFlags, several}
	err = t.relabel(ctx, ids, r)
	switch {
	case !refusesSent(err):
		return notes, err
	case change.RemoveFolder == sent:
		r.remove = r.remove[1:]
		return append(notes, NoteSentKept), t.relabel(ctx, ids, r)
	}
	// Only insert and import set SENT. A copy that has it is where it belongs.
	for _, id := range ids {
		meta, err := t.metadata(ctx, string(id))
		if several && gone(err) {
			continue
		}
		if err != nil {
			return nil, notFound(err)
		}
		if r.add = archive; !slices.Contains(meta.labels, string(sent)) {
			if r.add, err = t.sentLabel(ctx); err != nil {
				return nil, err
			}
			notes = union(notes, []string{NoteSentLabel})
		}
		if err := t.relabel(ctx, []migrate.MessageID{id}, r); err != nil {
			return nil, err
		}
	}
	return notes, nil
}
