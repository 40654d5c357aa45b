package gmail

import (
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
)

// A Profile is what Google grants a Cloud project: limits for each mailbox,
// limits that all mailboxes share, and what they may spend in a day without
// charges, which Google does not enforce.
type Profile struct {
	Name    string
	User    []pace.Limit
	Project []pace.Limit
	Daily   []pace.Limit
}

// Profiles returns the published profiles, the safe one first. Which one a
// project has is shown in the Cloud console only.
func Profiles() []Profile {
	project := []pace.Limit{perMinute("1,200,000 units per minute and project", 1_200_000)}
	// When Google's day begins is not published: no 24 hours hold more.
	daily := []pace.Limit{{Name: "80,000,000 units per day and project, then charges", Unit: pace.Points, Amount: 80_000_000, Per: 24 * time.Hour}}
	return []Profile{
		// Projects new from 2026-05-01.
		{"new", []pace.Limit{perMinute("6,000 units per minute and user", 6_000)}, project, daily},
		// Projects in use between November 2025 and April 2026.
		{"legacy", []pace.Limit{perMinute("15,000 units per minute and user", 15_000)}, project, nil},
	}
}

// perMinute spends a minute's units as a steady rate, since a live run that
// spent them faster was refused after 18 seconds. The rate is 1.25 % below the
// limit and the burst half a second's, so that no minute of Google's clock
// sees more than the limit, even if calls that left on time arrive late.
func perMinute(name string, units int64) pace.Limit {
	return pace.Limit{Name: name, Unit: pace.Points, Amount: units - units/80, Per: time.Minute, Burst: units / 120}
}
