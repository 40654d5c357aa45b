package graph

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/mailhaul/mailhaul/migrate"
)

// probeDate is when the message of the probe claims to be from.
var probeDate = time.Date(2009, time.March, 1, 8, 14, 57, 0, time.UTC)

const probeMessage = "Received: from localhost by localhost; Sun, 1 Mar 2009 08:14:57 +0000\r\n" +
	"Date: Sun, 1 Mar 2009 08:14:57 +0000\r\n" +
	"From: mailhaul <probe@mailhaul.invalid>\r\n" +
	"To: mailhaul <probe@mailhaul.invalid>\r\n" +
	"Message-ID: <probe@mailhaul.invalid>\r\n" +
	"Subject: Probe of the import route\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: text/plain; charset=us-ascii\r\n" +
	"\r\n" +
	"Written and removed again before a migration.\r\n"

// probePrefix begins the names of the folders of probes, which end in a UUID.
const probePrefix = "mailhaul probe "

// clearing bounds the removal of what a probe wrote, which an interruption does
// not keep from it.
const clearing = 10 * time.Second

// probe returns the route that this mailbox offers instead of RouteAuto or
// RouteImport: import, if it takes imports and keeps their key and, for
// RouteAuto, their date. It imports one message into a hidden folder and
// removes both. What a probe that was killed left is removed by Place.
func (t *Target) probe(ctx context.Context, asked Route) (route Route, err error) {
	f := models.NewMailFolder()
	f.SetDisplayName(new(probePrefix + uuid.NewString()))
	f.SetIsHidden(new(true))
	made, err := t.user.MailFolders().Post(ctx, f, nil)
	if err != nil {
		return "", named("probe: make a folder", err)
	}
	if made.GetId() == nil {
		return "", &migrate.Error{Op: "probe: make a folder", Err: errNoID}
	}
	folder := *made.GetId()
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), clearing)
		defer cancel()
		gone := t.user.MailFolders().ByMailFolderId(folder).PermanentDelete().Post(ctx, nil)
		if err == nil && gone != nil {
			err = named("probe: remove the folder", gone)
		}
	}()
	key := uuid.NewString()
	mime := encoded([]byte(keyLine(key) + probeMessage))
	id, err := t.importMIME(ctx, migrate.FolderID(folder), mime)
	if err != nil {
		// The mailbox answered before, so any verdict now is about the call.
		verdict := refused(err).status != 0 && refused(err).status != 401 && classOf(err) != migrate.Transient
		if verdict && asked == RouteAuto {
			t.noImport = named("import", err)
			return RouteJSON, nil
		}
		err = named("probe: import", err)
		if classOf(err) == migrate.Permanent {
			err = noImport(err)
		}
		return "", err
	}
	got, err := t.user.Messages().ByMessageId(string(id)).Get(ctx, &users.ItemMessagesMessageItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.ItemMessagesMessageItemRequestBuilderGetQueryParameters{Select: []string{"receivedDateTime", "isDraft", "internetMessageHeaders"}},
	})
	if err != nil {
		return "", named("probe: read back", err)
	}
	received, draft := got.GetReceivedDateTime(), got.GetIsDraft()
	dated := received != nil && received.Equal(probeDate)
	sound := draft != nil && !*draft && importedAs(got) == key
	switch {
	case sound && (dated || asked == RouteImport):
		return RouteImport, nil
	case asked == RouteImport:
		return "", noImport(errNotKept)
	case sound:
		t.noImport = errNoDate
	default:
		t.noImport = errNotKept
	}
	return RouteJSON, nil
}

// clearProbes removes the folders that probes have left which were killed.
func (t *Target) clearProbes(ctx context.Context, tr *tree) error {
	for key, n := range tr.root.children {
		id, ok := strings.CutPrefix(n.name, probePrefix)
		if !ok || !n.closed || uuid.Validate(id) != nil {
			continue
		}
		err := t.user.MailFolders().ByMailFolderId(string(n.id)).PermanentDelete().Post(ctx, nil)
		if err != nil && refused(err).status != http.StatusNotFound {
			return named("remove the folder of a probe", err)
		}
		delete(tr.root.children, key)
		delete(tr.byID, n.id)
	}
	return nil
}

var (
	errNotKept = errors.New("an import became a draft, or lost its header field " + keyField)
	errNoDate  = errors.New("an import lost its date")
)

func noImport(why error) error {
	return &migrate.Error{Op: "probe: import", Class: migrate.Fatal, Err: why,
		Hint: `This mailbox cannot be written by importMime. Set route = "auto" or "json" under [graph].`}
}
