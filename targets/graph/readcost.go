package graph

import (
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

// ReadCost says what a verification costs of the limits, of which Microsoft has
// none on octets that are read, and none of looks, since its lists tell what
// they would. Folders that do not stand still cost more.
func ReadCost(w verify.Work) (c pace.Cost) {
	const (
		mailbox = 4 // the inbox when it is opened, and three folders by which trash is known
		folder  = 5 // its count before and after, its last page, and its way up to the top, of which others know a part
	)
	c[pace.Requests] = mailbox + folder*w.Folders + w.Listed/listPage + w.Opens
	return c
}
