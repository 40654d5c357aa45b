package gmail

import (
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

// ReadCost returns what reading back costs, at most: a page for each folder,
// and one for each 500 messages.
func ReadCost(w verify.Work) (c pace.Cost) {
	pages := w.Folders + w.Listed/pageSize
	c[pace.Requests] = pages + w.Looks + w.Opens
	c[pace.Points] = pages*costMessagesList.units + (w.Looks+w.Opens)*costGet.units
	return c
}
