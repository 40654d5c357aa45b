package document

import (
	"time"

	"github.com/mailhaul/mailhaul/migrate/locale"
	"github.com/mailhaul/mailhaul/migrate/privacy"
)

// A Cover is what each document for a client has to know, whatever is in it.
type Cover struct {
	Name     string // of the client's project
	Source   string // host of the old system
	Target   string // "gmail" or "graph"
	Endpoint string // where the target is reached, if that is not its vendor's own

	Program string // name and version of what made the document
	Config  string // digest of its configuration

	Language *locale.Language
	Zone     *time.Location
	Brand    Brand
	Made     time.Time
	Privacy  privacy.Policy
}
