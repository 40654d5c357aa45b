package graph

import (
	"context"
	"hash/fnv"
	"strings"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"golang.org/x/sync/semaphore"

	"github.com/mailhaul/mailhaul/migrate"
)

// A palette is the mailbox's master list of categories, from which Outlook
// offers them with a colour. A category works without being in it.
type palette struct {
	turn   *semaphore.Weighted // of one, who reads or changes what follows
	listed bool
	names  map[string]bool // lower case
	closed bool            // the app may not change it
}

const (
	maxColours     = 200 // categories of a mailbox that get a colour
	paletteColours = int(models.PRESET24_CATEGORYCOLOR-models.PRESET0_CATEGORYCOLOR) + 1
)

// paint puts the categories into the master list that are not there, each with
// a colour that follows from its name. What fails is left for the next message:
// colours are no reason to lose one, or to wait.
func (t *Target) paint(ctx context.Context, categories []string) {
	if len(categories) == 0 {
		return
	}
	p := &t.palette
	if p.turn.Acquire(ctx, 1) != nil {
		return
	}
	defer p.turn.Release(1)
	if p.closed {
		return
	}
	if !p.listed && !p.off(t.listPalette(ctx)) {
		p.listed = true
	}
	for _, name := range categories {
		low := strings.ToLower(name)
		if !p.listed || p.closed || p.names[low] || len(p.names) >= maxColours {
			continue
		}
		c := models.NewOutlookCategory()
		c.SetDisplayName(&name)
		c.SetColor(new(colourOf(low)))
		_, err := t.user.Outlook().MasterCategories().Post(ctx, c, nil)
		if taken := refused(err).code == "ErrorNameAlreadyExists"; taken || !p.off(err) {
			p.names[low] = true
		}
	}
}

// off says whether err came in the way, and closes the palette if it always will.
func (p *palette) off(err error) bool {
	if err == nil {
		return false
	}
	p.closed = classOf(err) != migrate.Transient
	return true
}

func (t *Target) listPalette(ctx context.Context) error {
	t.palette.names = map[string]bool{}
	list := t.user.Outlook().MasterCategories()
	page, err := list.Get(ctx, nil)
	for err == nil {
		for _, c := range page.GetValue() {
			if name := c.GetDisplayName(); name != nil {
				t.palette.names[strings.ToLower(*name)] = true
			}
		}
		next := page.GetOdataNextLink()
		if next == nil || len(t.palette.names) >= maxColours {
			return nil
		}
		page, err = list.WithUrl(*next).Get(ctx, nil)
	}
	return err
}

// colourOf returns the same colour on every run, and in every mailbox.
func colourOf(name string) models.CategoryColor {
	h := fnv.New32a()
	h.Write([]byte(name))
	return models.PRESET0_CATEGORYCOLOR + models.CategoryColor(int(h.Sum32()%uint32(paletteColours)))
}
