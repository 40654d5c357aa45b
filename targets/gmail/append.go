package gmail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	api "google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"

	"github.com/mailhaul/mailhaul/migrate"
)

// Names of what a copy at Gmail lacks, in migrate.Stored.Notes.
const (
	NoteFlags     = "flags-dropped"       // Gmail has no \Answered, no $Forwarded, no keywords
	NoteDate      = "date-is-import-time" // it is a draft, or its Date field is missing or not a date
	NoteSentTwice = "sent-by-insert"      // import refused the label SENT, insert took it
	NoteSentLabel = "sent-label-refused"  // the message is in a user label instead of SENT
	NoteSentKept  = "sent-label-kept"     // the message left Sent and Gmail does not take the label away, so it is there too
	NoteNotPlaced = "not-placed"          // the message is elsewhere, and a copy of it in Spam, Trash or Drafts does not move it there

	// The Date field is further from the time when the source received the
	// message than Config.DateTolerance; Gmail goes by the field.
	NoteDateFar = "date-differs"

	// NoteInserted says that the message went by RouteInsert: Gmail joins it to
	// no conversation, and sets SENT too if it is from the user's own address.
	NoteInserted = "inserted"
)

// SingleRequest is how many octets a message may have that goes in one request
// (developers.google.com/workspace/gmail/api/guides/uploads); larger ones go in
// chunks.
const SingleRequest = 5 << 20

// Append imports or inserts m with the labels of folder and flags. Drafts are
// created as drafts, and sent mail that import refuses is inserted, or placed
// in a label.
func (t *Target) Append(ctx context.Context, folder migrate.FolderID, m *migrate.Message) (migrate.Stored, error) {
	limit := int64(MaxMessageSize)
	if folder == draft {
		limit = MaxDraftSize
	}
	if m.Size > limit {
		return migrate.Stored{}, &migrate.Error{
			Op: costImport.op, Class: migrate.Permanent, Refused: true,
			Err:  fmt.Errorf("the message has %d octets", m.Size),
			Hint: fmt.Sprintf("Gmail takes messages of %d MiB and drafts of %d MiB at most. Keep it as a file.", MaxMessageSize>>20, MaxDraftSize>>20),
		}
	}
	notes, err := t.notesOn(folder, m)
	if err != nil {
		return migrate.Stored{}, unsent(costImport.op, err)
	}
	id, note, err := t.put(ctx, folder, m)
	if err := t.streak.judge(err); err != nil {
		return migrate.Stored{}, err
	}
	t.memory.put(string(id), fact{digest: m.Digest})
	if note != "" {
		notes = append(notes, note)
	}
	return migrate.Stored{ID: id, Notes: notes}, nil
}

// put stores m. The note is empty, or one on SENT.
func (t *Target) put(ctx context.Context, folder migrate.FolderID, m *migrate.Message) (id migrate.MessageID, note string, err error) {
	switch folder {
	case draft:
		id, err = t.createDraft(ctx, m)
	case sent:
		return t.appendSent(ctx, m)
	default:
		id, err = t.writeUnder(ctx, folder, m)
	}
	return id, "", err
}

// appendSent sets SENT, which Gmail documents for inserted mail only, and
// which import was seen to take and to refuse.
func (t *Target) appendSent(ctx context.Context, m *migrate.Message) (id migrate.MessageID, note string, err error) {
	id, err = t.write(ctx, labelIDs(sent, m), m)
	if !refusesSent(err) {
		return id, "", err
	}
	if t.route != RouteInsert {
		id, err = t.insert(ctx, labelIDs(sent, m), m)
		if !refusesSent(err) {
			return id, NoteSentTwice, err
		}
	}
	label, err := t.sentLabel(ctx)
	if err != nil {
		return "", "", err
	}
	id, err = t.writeUnder(ctx, label, m)
	return id, NoteSentLabel, err
}

func refusesSent(err error) bool {
	e, ok := errors.AsType[*migrate.Error](err)
	return ok && e.Class == migrate.Permanent && strings.Contains(strings.ToLower(e.Err.Error()), "invalid label: sent")
}

// writeUnder stores m with the label of folder, made again if need be.
func (t *Target) writeUnder(ctx context.Context, folder migrate.FolderID, m *migrate.Message) (id migrate.MessageID, err error) {
	err = t.labelled(ctx, folder, func(label migrate.FolderID) (err error) {
		id, err = t.write(ctx, labelIDs(label, m), m)
		return err
	})
	return id, err
}

// write stores m by the route of the mailbox.
func (t *Target) write(ctx context.Context, labels []string, m *migrate.Message) (migrate.MessageID, error) {
	if t.route == RouteInsert {
		return t.insert(ctx, labels, m)
	}
	return t.importTo(ctx, labels, m)
}

func (t *Target) importTo(ctx context.Context, labels []string, m *migrate.Message) (migrate.MessageID, error) {
	if m.Size > SingleRequest {
		return t.resumable(ctx, costImport, m, "messages/import?fields=id&internalDateSource=dateHeader&neverMarkSpam=true&processForCalendar=false", &api.Message{LabelIds: labels})
	}
	return t.send(ctx, costImport, m, func(ctx context.Context, r io.Reader, options []googleapi.MediaOption) (string, error) {
		// The defaults are sent as well: they differ between import and insert.
		stored, err := t.service.Users.Messages.Import(t.user, &api.Message{LabelIds: labels}).
			InternalDateSource("dateHeader").NeverMarkSpam(true).ProcessForCalendar(false).
			Media(r, options...).Fields("id").Context(ctx).Do()
		return messageID(stored), err
	})
}

func (t *Target) insert(ctx context.Context, labels []string, m *migrate.Message) (migrate.MessageID, error) {
	if m.Size > SingleRequest {
		return t.resumable(ctx, costInsert, m, "messages?fields=id&internalDateSource=dateHeader", &api.Message{LabelIds: labels})
	}
	return t.send(ctx, costInsert, m, func(ctx context.Context, r io.Reader, options []googleapi.MediaOption) (string, error) {
		stored, err := t.service.Users.Messages.Insert(t.user, &api.Message{LabelIds: labels}).
			InternalDateSource("dateHeader").Media(r, options...).Fields("id").Context(ctx).Do()
		return messageID(stored), err
	})
}

func (t *Target) createDraft(ctx context.Context, m *migrate.Message) (migrate.MessageID, error) {
	if m.Size > SingleRequest {
		return t.resumable(ctx, costDraft, m, "drafts?fields=message/id", &api.Draft{})
	}
	return t.send(ctx, costDraft, m, func(ctx context.Context, r io.Reader, options []googleapi.MediaOption) (string, error) {
		created, err := t.service.Users.Drafts.Create(t.user, &api.Draft{}).
			Media(r, options...).Fields("message/id").Context(ctx).Do()
		if created == nil {
			return "", err
		}
		return messageID(created.Message), err
	})
}

func messageID(m *api.Message) string {
	if m == nil {
		return ""
	}
	return m.Id
}

// A sender sends one request and returns the id in the answer, the only part
// of it that is relied on.
type sender func(ctx context.Context, r io.Reader, options []googleapi.MediaOption) (id string, err error)

var errNoID = errors.New("the answer names no message")

// send sends m's content in one request.
func (t *Target) send(ctx context.Context, c cost, m *migrate.Message, do sender) (migrate.MessageID, error) {
	body, err := m.Body.Open()
	if err != nil {
		return "", unsent(c.op, err)
	}
	content := &content{body: body}
	defer content.Close()
	var id string
	err = t.call(ctx, c.carrying(m.Size), func(ctx context.Context) (err error) {
		id, err = do(ctx, content, []googleapi.MediaOption{googleapi.ContentType("message/rfc822"), googleapi.ChunkSize(0)})
		if err == nil && id == "" {
			err = errNoID
		}
		return err
	})
	return migrate.MessageID(id), err
}

// content keeps a body from being closed while it is read: after an early
// answer the client's writer may still be at it.
type content struct {
	mu     sync.Mutex
	body   io.ReadCloser
	closed bool
}

func (c *content) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, io.ErrClosedPipe
	}
	return c.body.Read(p)
}

func (c *content) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return c.body.Close()
}

// labelIDs returns the labels that stand for folder and the flags of m.
func labelIDs(folder migrate.FolderID, m *migrate.Message) []string {
	var ids []string
	if folder != archive {
		ids = append(ids, string(folder))
	}
	if !m.HasFlag(migrate.Seen) {
		ids = append(ids, unread)
	}
	if m.HasFlag(migrate.Flagged) {
		ids = append(ids, starred)
	}
	return ids
}

// notesOn names what a copy of m in folder cannot have. Of the date of a message
// that is gone nothing is known.
func (t *Target) notesOn(folder migrate.FolderID, m *migrate.Message) (notes []string, err error) {
	switch {
	case folder == draft:
		notes = append(notes, NoteDate)
	case m.Body != nil:
		date, ok, err := dateOf(m)
		switch {
		case err != nil:
			return nil, err
		case !ok:
			notes = append(notes, NoteDate)
		case !m.InternalDate.IsZero() && date.Sub(m.InternalDate).Abs() > t.dateTolerance:
			notes = append(notes, NoteDateFar)
		}
	}
	if t.route == RouteInsert && folder != draft {
		notes = append(notes, NoteInserted)
	}
	if dropsFlags(folder, m) {
		notes = append(notes, NoteFlags)
	}
	return notes, nil
}

// dropsFlags says whether m has flags that its copy cannot have. A draft can
// have no label but DRAFT.
func dropsFlags(folder migrate.FolderID, m *migrate.Message) bool {
	for _, f := range m.Flags {
		switch strings.ToLower(string(f)) {
		case `\seen`, `\recent`:
		case `\flagged`, `\draft`:
			if (folder == draft) != (strings.EqualFold(string(f), string(migrate.Draft))) {
				return true
			}
		default:
			return true
		}
	}
	return false
}
