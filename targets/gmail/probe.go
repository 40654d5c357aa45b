package gmail

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	api "google.golang.org/api/gmail/v1"

	"github.com/mailhaul/mailhaul/migrate"
)

// A Route is a way for messages into a mailbox.
type Route string

const (
	RouteAuto   Route = "auto"   // import if a probe shows that it keeps messages apart, insert if not
	RouteImport Route = "import" // joins messages to their conversations, and takes equal messages for one
	RouteInsert Route = "insert" // does neither
)

// probeID is the Message-ID that the messages of a probe share.
const probeID = "probe@mailhaul.invalid"

// probeMessages differ in the body, and in the header. All that a rule might
// compare besides is equal.
func probeMessages() [3]string {
	const header = "From: mailhaul <probe@mailhaul.invalid>\r\n" +
		"To: mailhaul <probe@mailhaul.invalid>\r\n" +
		"Date: Sun, 1 Mar 2009 08:14:57 +0000\r\n" +
		"Subject: Probe before a migration\r\n" +
		"Message-ID: <" + probeID + ">\r\n"
	return [3]string{
		header + "\r\nWritten and removed again.\r\n",
		header + "\r\nWritten, and removed again.\r\n",
		header + "X-Probe: another field\r\n\r\nWritten and removed again.\r\n",
	}
}

// Probe returns RouteImport if this mailbox keeps different messages apart
// that share a Message-ID when they are imported, else RouteInsert. It imports
// three short messages, read and under no label, and removes them: for good
// where the token allows that, which [Scope] does not, and else into Trash,
// which Gmail empties after 30 days. What a probe that was killed left is
// removed by the next one in this mailbox. It costs about 200 units. Errors are
// those that say nothing about the route.
func (t *Target) Probe(ctx context.Context) (route Route, err error) {
	since, err := t.Position(ctx)
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			t.clearProbe(ctx, since)
		}
	}()
	left, err := t.probesLeft(ctx)
	if err != nil {
		return "", err
	}
	for _, id := range left {
		if _, err := t.removeProbe(ctx, id); err != nil {
			return "", err
		}
	}
	var ids []string
	apart := true
	for _, text := range probeMessages() {
		id, err := t.importTo(ctx, nil, &migrate.Message{Size: int64(len(text)), Body: octets(text)})
		if e, ok := errors.AsType[*migrate.Error](err); ok && e.Class == migrate.Permanent {
			apart = false // nothing is known of what import does, and insert compares nothing
			break
		}
		if err != nil {
			return "", err
		}
		apart = apart && !slices.Contains(ids, string(id))
		ids = append(ids, string(id))
	}
	for _, id := range ids {
		// A merged message may have got a new id, so that the old one is gone.
		there, err := t.removeProbe(ctx, id)
		if err != nil {
			return "", err
		}
		apart = apart && there
	}
	if apart {
		return RouteImport, nil
	}
	return RouteInsert, nil
}

// clearProbe removes what a probe that failed has left since then, as far as
// that can be done at once.
func (t *Target) clearProbe(ctx context.Context, since migrate.Position) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if t.awaitSettled(ctx) != nil {
		return
	}
	ids, _, err := t.addedSince(ctx, since, "")
	for _, id := range ids {
		if err == nil {
			_, err = t.removeProbe(ctx, id)
		}
	}
}

// probesLeft returns the messages of earlier probes, as far as the search
// index knows them, without those in Trash.
func (t *Target) probesLeft(ctx context.Context) (ids []string, err error) {
	var page *api.ListMessagesResponse
	err = t.call(ctx, costMessagesList, func(ctx context.Context) (err error) {
		page, err = t.service.Users.Messages.List(t.user).Q("rfc822msgid:" + probeID).MaxResults(50).
			Fields("messages/id").Context(ctx).Do()
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, m := range page.Messages {
		ids = append(ids, m.Id)
	}
	return ids, nil
}

// removeProbe removes a message of a probe, and says whether it was there.
// Whatever an answer said, no other message is touched.
func (t *Target) removeProbe(ctx context.Context, id string) (there bool, err error) {
	meta, err := t.metadata(ctx, id)
	if gone(err) || err == nil && !slices.Equal(meta.messageIDs, []string{probeID}) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	err = t.call(ctx, costDelete, func(ctx context.Context) error {
		return t.service.Users.Messages.Delete(t.user, id).Context(ctx).Do()
	})
	if e, ok := errors.AsType[*migrate.Error](err); ok && e.Class == migrate.Fatal && e.Refused {
		err = t.modifyOne(ctx, migrate.MessageID(id), &api.ModifyMessageRequest{AddLabelIds: []string{string(trash)}})
	}
	if gone(err) {
		err = nil // a call whose answer was lost did it
	}
	return true, err
}

// octets is a Body in memory.
type octets string

func (o octets) Open() (io.ReadSeekCloser, error) {
	return octetsReader{strings.NewReader(string(o))}, nil
}

type octetsReader struct{ *strings.Reader }

func (octetsReader) Close() error { return nil }
