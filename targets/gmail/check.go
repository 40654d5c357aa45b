package gmail

import (
	"context"
	"errors"

	api "google.golang.org/api/gmail/v1"

	"github.com/mailhaul/mailhaul/migrate"
)

// nowhere is the id of no message: real ones hold the time.
const nowhere = "0000000000000000"

// Check proves that the token may do all that a migration does, which Open
// alone does not: reading takes less than [Scope]. It asks for a change to a
// message that does not exist, and changes nothing. The notes are about the
// login as a whole.
func (t *Target) Check(ctx context.Context) (notes []string, err error) {
	err = t.modifyOne(ctx, nowhere, &api.ModifyMessageRequest{RemoveLabelIds: []string{unread}})
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Permanent {
		return nil, err
	}
	// Gmail had no objection to the token, only to the message.
	if t.route == RouteInsert {
		notes = append(notes, "Messages are inserted, which joins them to no conversation: import would make one of different messages that share a Message-ID, or was not chosen.")
	}
	return notes, nil
}
