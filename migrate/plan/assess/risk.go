package assess

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// What may be trouble. Each is the key of texts.
const (
	MessageTooLarge   = "message-too-large"  // the target takes none so large
	MessageLarge      = "message-large"      // or only if an administrator lets it
	DraftTooLarge     = "draft-too-large"    // it takes none so large as a draft
	FolderRenamed     = "folder-renamed"     // the name must change
	FolderReserved    = "folder-reserved"    // the target keeps the name for itself
	FolderCollision   = "folder-collision"   // two names that it cannot tell apart
	FolderCount       = "folder-count"       // more folders than it can hold
	FolderDepth       = "folder-depth"       // deeper than it can hold
	FolderFull        = "folder-full"        // more messages than a folder of it may have
	FolderUnread      = "folder-unread"      // cannot be read at the source
	MailboxFull       = "mailbox-full"       // more octets than a mailbox may have
	SourceFull        = "source-full"        // the quota at the source is used up, or nearly
	MailboxEmpty      = "mailbox-empty"      // there is no message
	MailboxUnopened   = "mailbox-unopened"   // cannot be opened at the source
	TargetMissing     = "target-missing"     // there is no such user at the target
	TargetUnlicensed  = "target-unlicensed"  // or it has no mailbox
	ClockSkew         = "clock-skew"         // of this machine
	TrashExpires      = "trash-expires"      // the target deletes what is in trash or junk by itself
	FlaggedDeleted    = "flagged-deleted"    // messages that the source is to remove
	Keywords          = "keywords"           // users' own flags, which the target has no place for
	Doubled           = "doubled"            // several copies of a message, each of which is moved
	Merged            = "merged"             // or which become one with several labels
	NoArrival         = "no-arrival"         // no date of arrival that can be
	NoDate            = "no-date"            // no Date field that can be read
	NoFrom            = "no-from"            // no From field with one address
	BlockedAttachment = "blocked-attachment" // a type of file that the target may refuse
	Sealed            = "sealed"             // signed or encrypted
	SealedTooLarge    = "sealed-too-large"   // which the target would have to rebuild
	Malformed         = "malformed"          // other defects that the target may refuse
)

// A Severity says how much a risk matters.
type Severity string

const (
	Minor   Severity = "minor"   // to be known
	Serious Severity = "serious" // something will not be as it was
	Severe  Severity = "severe"  // mail stays behind or is refused, or a mailbox cannot be moved
)

// A Target is what a target can hold, and what is known of it and of this
// migration beside the assessments. 0 and nil stand for what is not known, or
// not limited.
type Target struct {
	Labels       bool  // a message may be in several folders: equal ones are stored once
	MaxMessage   int64 // octets of the largest message that it takes, one of Options.Bounds
	UsualMessage int64 // of the largest that it takes as it is set up for all; likewise
	MaxDraft     int64 // of the largest that it takes into the folder of drafts; likewise
	FolderMost   int64 // messages that a folder may have
	MailboxMost  int64 // octets that a mailbox may have
	Keywords     bool  // it has a place for users' own flags
	Expires      bool  // it deletes what was in trash and junk for a while
	Names        Names

	Unopened   []Trouble     // mailboxes that could not be assessed
	Missing    []Trouble     // that have no user at the target
	Unlicensed []Trouble     // whose user has no licence
	Skew       time.Duration // how far the clock of this machine is ahead
}

// A Trouble is a mailbox, and what is the matter with it.
type Trouble struct{ Mailbox, Reason, Hint string }

// A Risk is one kind of trouble, with all that it touches.
type Risk struct {
	Key       string
	Severity  Severity
	Mailboxes []Touched // most messages first, then most folders
	Messages  int64     // of all; an estimate if Sample is there
	Bytes     int64     // of these; 0 if that is not known
	Folders   int64
	Sample    *Sample
	Examples  []Example // at most ten
}

// Touched is what a risk touches in one mailbox.
type Touched struct {
	Mailbox  string
	Messages int64 // an estimate, if the Risk has a Sample
	Folders  int64
}

// An Example is one of what a risk touches.
type Example struct {
	Mailbox string
	Folder  []string // nil if it is about the mailbox
	Text    string   // what is the matter, as the source has it; may be empty
	Size    int64    // octets of the message, or of the mailbox; 0 if it is about neither
}

// examplesMost is how many there are of a risk.
const examplesMost = 10

// Skews that matter: logins fail when clocks differ by minutes.
const skewMost = time.Minute

// fullFrom is how full a mailbox of the source is that may soon take no more.
const fullFrom = 0.9

// Risks returns what is trouble in these mailboxes with that target, the
// severest first.
func Risks(all []*Assessment, t Target) []Risk {
	b := book{}
	for _, x := range t.Unopened {
		b.trouble(MailboxUnopened, Severe, x)
	}
	for _, x := range t.Missing {
		b.trouble(TargetMissing, Severe, x)
	}
	for _, x := range t.Unlicensed {
		b.trouble(TargetUnlicensed, Severe, x)
	}
	if t.Skew.Abs() > skewMost {
		b.of(ClockSkew, Serious).example(Example{Text: t.Skew.Round(time.Second).String()})
	}
	for _, a := range all {
		b.sizes(a, t)
		b.quota(a)
		b.folders(a, t)
		b.flags(a, t)
	}
	b.contents(all)
	return b.risks()
}

// A book gathers risks by their keys.
type book map[string]*Risk

func (b book) of(key string, s Severity) *Risk {
	if b[key] == nil {
		b[key] = &Risk{Key: key, Severity: s}
	}
	return b[key]
}

func (b book) trouble(key string, s Severity, t Trouble) {
	r := b.of(key, s)
	r.touch(t.Mailbox, Tally{}, 0)
	r.example(Example{Mailbox: t.Mailbox, Text: t.Reason})
}

// touch adds to what a risk touches in a mailbox.
func (r *Risk) touch(mailbox string, t Tally, folders int64) {
	r.Messages, r.Bytes, r.Folders = r.Messages+t.Messages, r.Bytes+t.Bytes, r.Folders+folders
	if last := len(r.Mailboxes) - 1; last >= 0 && r.Mailboxes[last].Mailbox == mailbox {
		r.Mailboxes[last].Messages += t.Messages
		r.Mailboxes[last].Folders += folders
		return
	}
	r.Mailboxes = append(r.Mailboxes, Touched{mailbox, t.Messages, folders})
}

func (r *Risk) example(e Example) {
	if len(r.Examples) < examplesMost {
		r.Examples = append(r.Examples, e)
	}
}

// sizes finds what is too large.
func (b book) sizes(a *Assessment, t Target) {
	most := cmp.Or(t.MaxMessage, math.MaxInt64)
	for _, x := range []struct {
		key        string
		s          Severity
		classes    []Class
		in         []string // the folder that holds them; nil for any
		over, most int64
	}{
		{MessageTooLarge, Severe, a.Sizes, nil, t.MaxMessage, math.MaxInt64},
		{MessageLarge, Serious, a.Sizes, nil, t.UsualMessage, most},
		{DraftTooLarge, Severe, a.Drafts, a.drafts(), t.MaxDraft, most},
	} {
		var found Tally
		for _, c := range x.classes {
			if x.over > 0 && c.Most > x.over && c.Most <= x.most {
				found.add(c.Tally)
			}
		}
		if found.Messages == 0 {
			continue
		}
		r := b.of(x.key, x.s)
		r.touch(a.Mailbox, found, 0)
		for _, l := range a.Largest {
			if l.Size > x.over && l.Size <= x.most && (x.in == nil || slices.Equal(l.Folder, x.in)) {
				r.example(Example{Mailbox: a.Mailbox, Folder: l.Folder, Size: l.Size})
			}
		}
	}
	if all := a.Total(); t.MailboxMost > 0 && all.Bytes > t.MailboxMost {
		r := b.of(MailboxFull, Serious)
		r.touch(a.Mailbox, all, 0)
		r.example(Example{Mailbox: a.Mailbox, Size: all.Bytes})
	}
}

// quota finds what the source may have no more room for.
func (b book) quota(a *Assessment) {
	full := max(a.QuotaOctets.Full(), a.QuotaMessages.Full())
	if full < fullFrom {
		return
	}
	r := b.of(SourceFull, Serious)
	if full >= 1 {
		r.Severity = Severe
	}
	r.touch(a.Mailbox, Tally{}, 0)
	r.example(Example{Mailbox: a.Mailbox, Text: fmt.Sprintf("%.0f %%", math.Floor(100*full)), Size: a.QuotaOctets.Used})
}

// folders finds names that must change, and what is too many.
func (b book) folders(a *Assessment, t Target) {
	touch := func(key string, s Severity, path []string, text string, messages Tally) {
		r := b.of(key, s)
		r.touch(a.Mailbox, messages, 1)
		r.example(Example{Mailbox: a.Mailbox, Folder: path, Text: text})
	}
	for _, r := range t.Names.Renamings(a.Folders) {
		touch(r.Risk, Minor, r.Path, "", Tally{})
	}
	for _, f := range a.Folders {
		all := Tally{f.Messages, f.Bytes}
		switch {
		case f.Rule != "":
			continue
		case f.Err != "":
			touch(FolderUnread, Severe, f.Path, f.Err, all)
			continue
		}
		if t.FolderMost > 0 && f.Messages > t.FolderMost {
			touch(FolderFull, Serious, f.Path, "", all)
		}
		if t.Expires && f.Messages > 0 && (f.Role == migrate.RoleTrash || f.Role == migrate.RoleJunk) {
			touch(TrashExpires, Serious, f.Path, "", all)
		}
	}
	if !slices.ContainsFunc(a.Folders, func(f Folder) bool { return f.Messages > 0 || !f.NoSelect && f.State.UIDValidity == 0 }) {
		b.of(MailboxEmpty, Serious).touch(a.Mailbox, Tally{}, 0)
	}
	n, siblings, deepest := crowd(a.Folders)
	if most := t.Names.Most; most > 0 && n > most {
		b.of(FolderCount, Severe).touch(a.Mailbox, Tally{}, int64(n-most))
	}
	if most := t.Names.Siblings; most > 0 && siblings > most {
		b.of(FolderCount, Severe).touch(a.Mailbox, Tally{}, int64(siblings-most))
	}
	if most := t.Names.Depth; most > 0 && len(deepest) > most {
		touch(FolderDepth, Severe, deepest, "", Tally{})
	}
}

// flags finds what flags and other metadata tell.
func (b book) flags(a *Assessment, t Target) {
	for _, f := range a.Flags {
		keyword := !strings.HasPrefix(string(f.Flag), `\`) && !strings.HasPrefix(string(f.Flag), "$")
		switch {
		case strings.EqualFold(string(f.Flag), string(migrate.Deleted)):
			b.of(FlaggedDeleted, Minor).touch(a.Mailbox, Tally{Messages: f.Messages}, 0)
		case keyword && !t.Keywords:
			r := b.of(Keywords, Minor)
			r.touch(a.Mailbox, Tally{Messages: f.Messages}, 0)
			r.example(Example{Mailbox: a.Mailbox, Text: string(f.Flag)})
		}
	}
	var doubles Tally
	for _, c := range a.Doubles {
		doubles.add(c.Tally)
	}
	if doubles.Messages > 0 {
		key := Doubled
		if t.Labels {
			key = Merged
		}
		b.of(key, Minor).touch(a.Mailbox, doubles, 0)
	}
	if a.Undated > 0 {
		b.of(NoArrival, Minor).touch(a.Mailbox, Tally{Messages: a.Undated}, 0)
	}
}

// risks returns what was gathered, in order.
func (b book) risks() (all []Risk) {
	order := []Severity{Severe, Serious, Minor}
	for _, r := range b {
		slices.SortStableFunc(r.Mailboxes, func(x, y Touched) int {
			return cmp.Or(cmp.Compare(y.Messages, x.Messages), cmp.Compare(y.Folders, x.Folders), cmp.Compare(x.Mailbox, y.Mailbox))
		})
		all = append(all, *r)
	}
	slices.SortFunc(all, func(x, y Risk) int {
		return cmp.Or(cmp.Compare(slices.Index(order, x.Severity), slices.Index(order, y.Severity)),
			cmp.Compare(y.Messages, x.Messages), cmp.Compare(len(y.Mailboxes), len(x.Mailboxes)), cmp.Compare(x.Key, y.Key))
	})
	return all
}
