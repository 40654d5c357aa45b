package graph

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"

	"github.com/mailhaul/mailhaul/migrate"
)

const (
	listPage      = 200 // messages
	listWholePage = 20  // messages with their texts
	listPasses    = 3
	listMost      = 2_000 // pages and messages more than twice those that the folder counts
)

// List implements [verify.Target]. Its lists are complete.
//
// It lists by createdDateTime, which nothing changes but a move here, if that:
// what arrives comes last, and few migrated messages share one. Should messages
// leave meanwhile, others move up onto pages that were read already. So a folder
// whose count changed is listed again, for what was not seen before. What no
// pass has seen, Look shows.
func (t *Target) List(ctx context.Context, folder migrate.FolderID) iter.Seq2[[]migrate.Held, error] {
	return func(yield func([]migrate.Held, error) bool) {
		l := &listing{t: t, folder: t.folderURL(folder), size: listPage, seen: map[listedID]bool{}, yield: yield}
		if err := l.run(ctx); err != nil && err != errStopped {
			yield(nil, sought("list a folder", err))
		}
	}
}

func (t *Target) folderURL(id migrate.FolderID) string {
	return "/v1.0" + t.root + "/mailFolders/" + url.PathEscape(string(id))
}

// A listing is one call of List.
type listing struct {
	t      *Target
	folder string
	size   int  // of pages
	whole  bool // without $select
	seen   map[listedID]bool
	yield  func([]migrate.Held, error) bool
}

// A listedID stands for a message's id, which is much longer.
type listedID [16]byte

func listedIDOf(id string) listedID {
	sum := sha256.Sum256([]byte(id))
	return listedID(sum[:])
}

var errStopped = errors.New("the caller wants no more")

func (l *listing) run(ctx context.Context) error {
	for pass := 1; ; {
		before, err := l.count(ctx)
		if err != nil {
			return err
		}
		known := len(l.seen)
		shown, pages, err := l.pass(ctx, 2*before+listMost)
		switch tooLarge := refused(err).status == http.StatusGatewayTimeout || errors.Is(err, errTooLong); {
		case tooLarge && l.size > 1:
			l.size = max(1, l.size/4)
			continue
		case errors.Is(err, errIncomplete) && !l.whole:
			l.size, l.whole = min(l.size, listWholePage), true
			continue
		case err != nil || pages == 1 || pass == listPasses:
			return err
		}
		after, err := l.count(ctx)
		// The folder also counts what is no message.
		if err != nil || after == before && (after == shown || len(l.seen) == known) {
			return err
		}
		pass++
	}
}

// count returns how many items the folder holds, by its own account.
func (l *listing) count(ctx context.Context) (int, error) {
	var f struct{ TotalItemCount int }
	err := l.t.client.read(ctx, l.folder+"?$select=totalItemCount", &f)
	return f.TotalItemCount, err
}

// pass lists the folder once, and returns how many messages that showed, on
// how many pages. Their sum beyond most is an error.
func (l *listing) pass(ctx context.Context, most int) (shown, pages int, err error) {
	next := fmt.Sprintf("%s/messages?%s&$orderby=createdDateTime&$top=%d", l.folder, showing(l.whole), l.size)
	for next != "" {
		var page struct {
			Value []item
			Next  string `json:"@odata.nextLink"`
		}
		if err := l.t.client.read(ctx, next, &page); err != nil {
			return shown, pages, err
		}
		shown, pages, next = shown+len(page.Value), pages+1, page.Next
		if shown+pages > most {
			return shown, pages, errors.New("the list of the folder has no end")
		}
		batch, err := l.batch(ctx, page.Value)
		if err != nil {
			return shown, pages, err
		}
		if len(batch) > 0 && !l.yield(batch, nil) {
			return shown, pages, errStopped
		}
	}
	return shown, pages, nil
}

// batch returns those that were not seen before.
func (l *listing) batch(ctx context.Context, items []item) (batch []migrate.Held, err error) {
	for _, it := range items {
		if !it.complete(l.whole) {
			return nil, errIncomplete
		}
	}
	for _, it := range items {
		id := listedIDOf(it.ID)
		if l.seen[id] {
			continue
		}
		l.seen[id] = true
		h, err := l.t.held(ctx, it)
		if err != nil {
			return nil, err
		}
		batch = append(batch, h)
	}
	return batch, nil
}
