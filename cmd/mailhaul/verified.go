package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

// verification is what the latest verification of a mailbox counted and found,
// as "verify --json" and "status --json" write it.
type verification struct {
	Depth    verify.Depth         `json:"depth"`
	Sample   string               `json:"sample,omitempty"`
	Started  time.Time            `json:"started"`
	Ended    time.Time            `json:"ended,omitzero"` // absent while it runs, or was stopped
	Outdated bool                 `json:"outdated"`       // a pass began since
	Counts   comparison           `json:"counts"`
	Folders  []folderVerification `json:"folders"`

	counted []migrate.FolderVerification
}

type folderVerification struct {
	Path        []string   `json:"path"`
	UIDValidity uint32     `json:"uidvalidity"`
	Counts      comparison `json:"counts"`

	id int64 // migrate.FolderState.ID
}

// comparison counts messages as migrate.FolderVerification explains, and
// findings by kind. Arrived is Present and those missing, deleted and misplaced.
type comparison struct {
	Arrived   int64                  `json:"arrived"`
	Present   int64                  `json:"present"`
	Merged    int64                  `json:"merged"`
	Held      int64                  `json:"held"`
	New       int64                  `json:"new"`
	Compared  int64                  `json:"compared"`
	Explained int64                  `json:"explained"`
	Unread    int64                  `json:"unread"`
	Found     map[migrate.Kind]int64 `json:"found"`
}

// findingKinds are in the order in which they are shown. Extra mail
// is none that a person must look at.
var findingKinds = [...]migrate.Kind{migrate.KindMissing, migrate.KindDeleted, migrate.KindMisplaced, migrate.KindDoubled,
	migrate.KindExtra, migrate.KindFlags, migrate.KindDate, migrate.KindContent}

func newComparison() comparison {
	c := comparison{Found: map[migrate.Kind]int64{}}
	for _, k := range findingKinds {
		c.Found[k] = 0
	}
	return c
}

// counts returns what was counted and found in one folder.
func counts(f migrate.FolderVerification, found map[migrate.Kind]int64) comparison {
	c := newComparison()
	c.add(comparison{f.Arrived, f.Present, f.Merged, f.Held, f.New, f.Compared, f.Explained, f.Unread, found})
	return c
}

func (c *comparison) add(d comparison) {
	c.Arrived, c.Present, c.Merged, c.Held, c.New = c.Arrived+d.Arrived, c.Present+d.Present, c.Merged+d.Merged, c.Held+d.Held, c.New+d.New
	c.Compared, c.Explained, c.Unread = c.Compared+d.Compared, c.Explained+d.Explained, c.Unread+d.Unread
	for k, n := range d.Found {
		c.Found[k] += n
	}
}

// different is how many findings need a person.
func (c *comparison) different() (n int64) {
	for k, found := range c.Found {
		if k != migrate.KindExtra {
			n += found
		}
	}
	return n
}

// readVerification reads the latest verification of a mailbox, nil if there was
// none.
func readVerification(ctx context.Context, l verify.Ledger) (*verification, error) {
	latest, err := l.Verification(ctx)
	if err != nil || latest.Started.IsZero() {
		return nil, err
	}
	pass, err := l.State(ctx)
	if err != nil {
		return nil, err
	}
	folders, err := l.Folders(ctx)
	if err != nil {
		return nil, err
	}
	found := map[int64]map[migrate.Kind]int64{}
	for f, err := range l.Findings(ctx) {
		if err != nil {
			return nil, err
		}
		if found[f.Folder] == nil {
			found[f.Folder] = map[migrate.Kind]int64{}
		}
		found[f.Folder][f.Kind]++
	}
	v := &verification{Depth: verify.Depth(latest.Depth), Sample: latest.Sample, Started: latest.Started, Ended: latest.Ended,
		Outdated: pass.Started.After(latest.Started), Counts: newComparison(), Folders: []folderVerification{}, counted: latest.Folders}
	for _, counted := range latest.Folders {
		i := slices.IndexFunc(folders, func(f migrate.FolderState) bool { return f.ID == counted.Folder })
		if i < 0 {
			return nil, fmt.Errorf("a verification counted folder %d, which does not exist", counted.Folder)
		}
		f := folderVerification{Path: folders[i].Folder.Path, UIDValidity: folders[i].Folder.UIDValidity, Counts: counts(counted, found[counted.Folder]), id: counted.Folder}
		v.Counts.add(f.Counts)
		v.Folders = append(v.Folders, f)
	}
	return v, nil
}

// String says in short when it was and what it found.
func (v *verification) String() string {
	if v == nil {
		return "not verified"
	}
	s := v.Started.Local().Format("2006-01-02 15:04 ") + v.reached() + ": " + count(v.Counts.different(), "difference", "differences")
	if v.Outdated {
		s += ", a pass since"
	}
	return s
}

// reached is the depth of a verification, and whether it came to its end.
func (v *verification) reached() string {
	depth := string(v.Depth)
	if v.Sample != "" {
		depth += " " + v.Sample
	}
	if v.Ended.IsZero() {
		depth += ", stopped"
	}
	return depth
}

// check returns an error unless the sums of v close: in each folder as many
// messages arrived as the records of tallies say, and each of them is where it
// belongs, or a finding says where it went. A verification that was stopped has
// no sums yet.
func (v *verification) check(tallies []migrate.Tally) error {
	if v.Ended.IsZero() {
		return nil
	}
	for _, t := range tallies {
		if err := t.Check(); err != nil {
			return err
		}
		arrived := t.Arrived()
		var c comparison
		for _, f := range v.Folders {
			if f.id == t.ID {
				c = f.Counts
			}
		}
		if c.Arrived != arrived {
			return fmt.Errorf("%s, folder %s: %d messages arrived by their records, but %d were compared", t.Mailbox, t.Folder, arrived, c.Arrived)
		}
		missing, deleted, misplaced := c.Found[migrate.KindMissing], c.Found[migrate.KindDeleted], c.Found[migrate.KindMisplaced]
		if c.Arrived != c.Present+missing+deleted+misplaced {
			return fmt.Errorf("%s, folder %s: %d messages arrived, but %d are present, %d missing, %d deleted and %d misplaced",
				t.Mailbox, t.Folder, c.Arrived, c.Present, missing, deleted, misplaced)
		}
	}
	return nil
}
