package assess

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// An Assessment is what is known of one mailbox. Of one of depth [Fast] only
// the fields up to the quotas are set.
type Assessment struct {
	Mailbox string
	Made    time.Time
	Depth   Depth
	Terms   string // what it took from Options; one with other terms is of no use to a later one
	Bounds  []int64
	Folders []Folder

	// What the source lets the mailbox hold; zero if it does not tell.
	QuotaOctets, QuotaMessages migrate.Quota

	// Of the messages in folders that were read, but for those that a rule
	// leaves out:
	Sizes     []Class // by size, ascending; those that hold any
	Drafts    []Class // likewise, of those in the folder of drafts
	Doubles   []Class // of them, messages whose Message-ID and size another one has that was counted
	Shared    int64   // messages, doubles not counted, that are in more than one folder
	Largest   []Large // at most ten
	Oldest    time.Time
	Newest    time.Time
	Months    []Period // in which any arrived, ascending
	Days      []Period // likewise, of the last 90 days
	Undated   int64    // messages without a date of arrival that can be
	Flags     []FlagCount
	MoreFlags int64 // how many flags are in use beyond those, at least
	Content   Content

	Excluded []Exclusion // messages that a rule leaves out, but for those in folders that one does

	parts []*survey // until it was saved
	file  string    // where they are since
}

// A Folder is what is known of one folder.
type Folder struct {
	Path           []string
	Role           migrate.Role
	NoSelect       bool
	Messages       int64 // that the source announced
	Bytes          int64 // of all of them; 0 if the source does not say and they were not listed
	State          State
	Rule           string // that leaves it out; empty if none does
	Err            string // why it could not be read; empty if it could
	Hint           string // what a person can do then
	Oldest, Newest time.Time
	Largest        int64 // octets of the largest message
}

// A State tells whether a folder has changed (RFC 3501 section 2.3.1.1, RFC 7162).
type State struct {
	UIDValidity uint32
	UIDNext     migrate.UID
	ModSeq      uint64
	Messages    int64
}

func stateOf(f migrate.Folder) State { return State{f.UIDValidity, f.UIDNext, f.ModSeq, f.Messages} }

// A Tally counts messages and their octets.
type Tally struct{ Messages, Bytes int64 }

func (t *Tally) add(o Tally) { t.Messages, t.Bytes = t.Messages+o.Messages, t.Bytes+o.Bytes }

// A Class is the messages of more octets than the class before it, and of at
// most Most. Most is a power of two, or one of Options.Bounds.
type Class struct {
	Most int64
	Tally
}

// A Large is a large message.
type Large struct {
	Folder []string
	UID    migrate.UID
	Size   int64
	Date   time.Time
}

// A Period is what arrived in the month, or on the day, that begins at Start
// in UTC.
type Period struct {
	Start time.Time
	Tally
}

// A FlagCount says how many messages have a flag, as most of them spell it.
type FlagCount struct {
	Flag     migrate.Flag
	Messages int64
}

// An Exclusion is what a rule leaves out.
type Exclusion struct {
	Rule string
	Tally
}

// Bounds on what is told.
const (
	largestMost = 10
	flagsMost   = 100
	daysMost    = 90
)

func newFolder(f migrate.Folder, rule string) Folder {
	return Folder{Path: f.Path, Role: f.Role, NoSelect: f.NoSelect, Rule: rule, State: stateOf(f),
		Messages: min(max(f.Messages, 0), maxFolder), Bytes: min(max(f.Bytes, 0), maxFolder)}
}

// again returns kept for another assessment that is to be made, if no folder
// has changed since, or else nil.
func (kept *Assessment) again(a *Assessment) *Assessment {
	same := slices.EqualFunc(kept.Folders, a.Folders, func(k, f Folder) bool {
		return slices.Equal(k.Path, f.Path) && k.Role == f.Role && k.NoSelect == f.NoSelect && k.Err == "" && k.State == f.State
	})
	if !same || a.Depth == Deep && kept.Depth != Deep {
		return nil
	}
	again := *kept
	again.Made, again.QuotaOctets, again.QuotaMessages = a.Made, a.QuotaOctets, a.QuotaMessages
	again.Days = slices.DeleteFunc(slices.Clone(kept.Days), func(d Period) bool { return dayOf(d.Start) <= dayOf(a.Made)-daysMost })
	return &again
}

// read says whether the messages of f are looked at.
func (f Folder) read() bool { return f.Rule == "" && !f.NoSelect }

func (f *Folder) describe(s *survey) {
	f.Oldest, f.Newest, f.Bytes = s.Oldest, s.Newest, s.Bytes
	if len(s.Largest) > 0 {
		f.Largest = s.Largest[0].Size
	}
}

// Total is all messages of the assessment that are to be moved. If the source
// tells no sizes its Bytes are 0.
func (a *Assessment) Total() (t Tally) {
	if a.Depth != Fast {
		for _, c := range a.Sizes {
			t.add(c.Tally)
		}
		return t
	}
	for _, f := range a.Folders {
		if f.read() {
			t.add(Tally{f.Messages, f.Bytes})
		}
	}
	return t
}

// Growth is what arrived on an average day of the last 90, or of all days if
// the mailbox is younger. What has left the mailbox since is not counted.
func (a *Assessment) Growth() (messages, bytes float64) {
	var t Tally
	for _, d := range a.Days {
		t.add(d.Tally)
	}
	days := min(daysMost, math.Ceil(a.Made.Sub(a.Oldest).Hours()/24))
	if days < 1 {
		return 0, 0
	}
	return float64(t.Messages) / days, float64(t.Bytes) / days
}

// sum adds up the surveys of the folders.
func (a *Assessment) sum() {
	drafts := a.drafts()
	sizes, months, days, excluded := map[int64]Tally{}, map[int]Tally{}, map[int]Tally{}, map[string]Tally{}
	flags := map[migrate.Flag]int64{}
	for _, s := range a.parts {
		merge(sizes, s.Sizes)
		if slices.Equal(s.Path, drafts) {
			a.Drafts = classes(s.Sizes)
		}
		merge(months, s.Months)
		merge(days, s.Days)
		merge(excluded, s.Excluded)
		for f, n := range s.Flags {
			flags[f] += n
		}
		if s.More {
			a.MoreFlags = 1
		}
		a.Undated += s.Undated
		a.Oldest, a.Newest = earliest(a.Oldest, s.Oldest), latest(a.Newest, s.Newest)
		a.Largest = append(a.Largest, s.Largest...)
	}
	a.Sizes = classes(sizes)
	for _, m := range slices.Sorted(maps.Keys(months)) {
		a.Months = append(a.Months, Period{time.Date(m/12, time.Month(m%12+1), 1, 0, 0, 0, 0, time.UTC), months[m]})
	}
	for _, d := range slices.Sorted(maps.Keys(days)) {
		if d > dayOf(a.Made)-daysMost {
			a.Days = append(a.Days, Period{time.Unix(int64(d)*86400, 0).UTC(), days[d]})
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(excluded)) {
		a.Excluded = append(a.Excluded, Exclusion{rule, excluded[rule]})
	}
	a.Flags = spelled(flags)
	if len(a.Flags) > flagsMost {
		a.MoreFlags += int64(len(a.Flags) - flagsMost)
		a.Flags = a.Flags[:flagsMost:flagsMost]
	}
	slices.SortStableFunc(a.Largest, func(x, y Large) int { return cmp.Compare(y.Size, x.Size) })
	a.Largest = slices.Clone(a.Largest[:min(largestMost, len(a.Largest))])
	a.Doubles, a.Shared = doubles(a.parts, a.Sizes)
	a.Content = seen(a.parts)
	a.Content.Of = a.Total().Messages
}

// drafts is the path of the folder of drafts, of several the first, to which
// targets give its place. It is nil if there is none.
func (a *Assessment) drafts() []string {
	i := slices.IndexFunc(a.Folders, func(f Folder) bool { return f.read() && f.Role == migrate.RoleDrafts })
	if i < 0 {
		return nil
	}
	return a.Folders[i].Path
}

// classes returns those of sizes by Class.Most.
func classes(sizes map[int64]Tally) (all []Class) {
	for _, most := range slices.Sorted(maps.Keys(sizes)) {
		all = append(all, Class{most, sizes[most]})
	}
	return all
}

// spelled puts flags together that differ in case alone, those of most messages
// first.
func spelled(flags map[migrate.Flag]int64) (all []FlagCount) {
	byCount := func(x, y FlagCount) int {
		return cmp.Or(cmp.Compare(y.Messages, x.Messages), cmp.Compare(x.Flag, y.Flag))
	}
	for f, n := range flags {
		all = append(all, FlagCount{f, n})
	}
	slices.SortFunc(all, byCount)
	at := map[string]int{}
	kept := all[:0]
	for _, f := range all {
		key := strings.ToLower(string(f.Flag))
		if i, ok := at[key]; ok {
			kept[i].Messages += f.Messages
			continue
		}
		at[key] = len(kept)
		kept = append(kept, f)
	}
	slices.SortFunc(kept, byCount)
	return kept
}

func merge[K comparable](into, from map[K]Tally) {
	for k, t := range from {
		sum := into[k]
		sum.add(t)
		into[k] = sum
	}
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// dayOf counts days since 1970 in UTC.
func dayOf(t time.Time) int { return int(t.Unix() / 86400) }
