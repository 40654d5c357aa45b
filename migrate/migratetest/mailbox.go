package migratetest

import (
	"iter"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// A Mailbox is a generated mailbox. It holds no messages: each is made when it
// is asked for, so that memory does not grow with their number.
type Mailbox struct {
	User    string // the address of its owner
	Folders []Folder

	seed uint64
}

// A Folder is a folder of a generated mailbox.
type Folder struct {
	Path     []string
	Role     migrate.Role
	Messages int

	first int // of the mailbox's messages
}

// A Message is a Mail in a folder.
type Message struct {
	Mail
	Flags        []migrate.Flag
	InternalDate time.Time // a little after Date, in UTC
}

// A Spec describes a large mailbox.
type Spec struct {
	User      string
	Seed      uint64
	Messages  int    // 20,000 make 319 MB; fewer keep the shape
	Separator string // of the server: where a folder's name has it, the name gets "-" instead; "" keeps all names
}

// share is a folder and how many of 20,000 messages it has.
type share struct {
	path     string // with "|" between its parts
	role     migrate.Role
	messages int
}

// Large returns a mailbox with folders of every awkward kind, among them one
// that is empty, one with a single message and, at 20,000, one with 8,000. Its
// first folder, the inbox, starts with one message of each kind but Huge if it
// is large enough for that. About 3 messages in 100 have the content of an earlier one.
func Large(s Spec) Mailbox {
	return build(s, 20_000, []share{
		{"INBOX", migrate.RoleInbox, 0}, // what is left
		{"Drafts", migrate.RoleDrafts, 40},
		{"Sent", migrate.RoleSent, 3_000},
		{"Junk", migrate.RoleJunk, 400},
		{"Trash", migrate.RoleTrash, 300},
		{"Archive", migrate.RoleArchive, 8_000},
		{"Archive|2019", "", 1_200},
		{"Archive|2020", "", 900},
		{"Clients", "", 0},
		{"Clients|Müller & Söhne GmbH", "", 600},
		{"Clients|Example Corp. (Ltd.)", "", 300},
		{"Clients|2019/20", "", 200},
		{"Clients|O'Brien \"Quotes\"", "", 150},
		{"Clients|trailing ", "", 60},
		{"Clients|back\\slash", "", 20},
		{"Projects", "", 10},
		{"Projects|One", "", 1},
		{"Projects|One|Two|Three|Four|Five|Six", "", 30},
		{"Größe", "", 120},
		{"Größe|Maß und Übergrößen", "", 80},
		{"ideas", "", 25},
		{"Ideas", "", 25},
		{"🚀 Launch", "", 100},
		{"🚀 Launch|👩‍💻", "", 20},
		{"日本語", "", 60},
		{"Проекты", "", 50},
		{"A name as long as the people who file everything under what it was about on that day in autumn", "", 15},
		{"Empty", "", 0},
	})
}

// Demo returns three mailboxes of different languages, 460 messages in all.
func Demo() []Mailbox {
	return []Mailbox{
		build(Spec{User: "anna.berg@example.com", Seed: 1, Messages: 220}, 220, []share{
			{"INBOX", migrate.RoleInbox, 0},
			{"Drafts", migrate.RoleDrafts, 3},
			{"Sent", migrate.RoleSent, 40},
			{"Trash", migrate.RoleTrash, 8},
			{"Archive", migrate.RoleArchive, 45},
			{"Archive|2024", "", 20},
			{"Clients", "", 0},
			{"Clients|Example Corp.", "", 18},
			{"Clients|North & South", "", 12},
			{"Empty", "", 0},
		}),
		build(Spec{User: "bruno.keller@example.com", Seed: 2, Messages: 140}, 140, []share{
			{"INBOX", migrate.RoleInbox, 0},
			{"Entwürfe", migrate.RoleDrafts, 2},
			{"Gesendet", migrate.RoleSent, 25},
			{"Spam", migrate.RoleJunk, 5},
			{"Papierkorb", migrate.RoleTrash, 4},
			{"Kunden", "", 10},
			{"Kunden|Größe \"XL\"", "", 9},
			{"Kunden|Müller", "", 11},
		}),
		build(Spec{User: "chiyo.tanabe@example.com", Seed: 3, Messages: 100}, 100, []share{
			{"INBOX", migrate.RoleInbox, 0},
			{"Drafts", migrate.RoleDrafts, 2},
			{"Sent", migrate.RoleSent, 15},
			{"案件", "", 14},
			{"案件|🚀 東京", "", 6},
			{"One", "", 1},
		}),
	}
}

// build makes the mailbox that shares describe, of so many messages in all,
// at the size that the spec asks for.
func build(s Spec, whole int, shares []share) Mailbox {
	b := Mailbox{User: s.User, seed: mix(s.Seed) &^ 0xffff_ffff}
	left := s.Messages
	for _, sh := range shares {
		if s.Separator != "" && s.Separator != "|" {
			sh.path = strings.ReplaceAll(sh.path, s.Separator, "-")
		}
		n := (sh.messages*s.Messages + whole - 1) / whole
		if sh.messages == 1 {
			n = 1
		}
		n = min(n, left)
		left -= n
		b.Folders = append(b.Folders, Folder{Path: strings.Split(sh.path, "|"), Role: sh.role, Messages: n})
	}
	b.Folders[0].Messages += left
	first := 0
	for i := range b.Folders {
		b.Folders[i].first = first
		first += b.Folders[i].Messages
	}
	return b
}

// All yields the messages of folder i from the oldest to the newest. Each call
// yields the same ones.
func (b Mailbox) All(i int) iter.Seq[Message] {
	return func(yield func(Message) bool) {
		f := b.Folders[i]
		for n := f.first; n < f.first+f.Messages; n++ {
			if !yield(b.message(f, n)) {
				return
			}
		}
	}
}

// message returns number n of the mailbox's messages, which is in f.
func (b Mailbox) message(f Folder, n int) Message {
	r := random(b.seed+uint64(n), "flags")
	original := b.original(n)
	seed := b.seed + uint64(original)
	kind := pick(seed)
	if tour := Kinds()[1:]; original < min(len(tour), b.Folders[0].Messages) {
		kind = tour[original]
	}
	m := Message{Mail: compose(kind, seed, b.date(original)), Flags: flags(r, f.Role)}
	m.InternalDate = m.Date.Add(time.Duration(r.IntN(600)) * time.Second).UTC()
	return m
}

// original is the number of the message whose content message n has: mostly
// its own, sometimes that of an earlier one.
func (b Mailbox) original(n int) int {
	for n >= len(recipes()) {
		r := random(b.seed+uint64(n), "copy")
		if r.IntN(100) >= 3 {
			break
		}
		n = r.IntN(n)
	}
	return n
}

// date spreads the messages of each folder over fifteen years.
func (b Mailbox) date(n int) time.Time {
	const span = 15 * 365 * 24 * time.Hour
	for _, f := range b.Folders {
		if n < f.first+f.Messages {
			step := span / time.Duration(f.Messages)
			return epoch.Add(step*time.Duration(n-f.first) + time.Duration(random(b.seed+uint64(n), "date").Int64N(int64(step))))
		}
	}
	panic("unreachable")
}

// flags returns flags as an office sets them.
func flags(r *rand.Rand, role migrate.Role) []migrate.Flag {
	var fs []migrate.Flag
	for _, c := range []struct {
		flag migrate.Flag
		of   int // how many in 1,000
	}{
		{migrate.Seen, 850}, {migrate.Answered, 120}, {migrate.Flagged, 40}, {migrate.Deleted, 5},
		{migrate.Forwarded, 30}, {"$Label1", 20}, {"NonJunk", 30}, {"project-x", 10},
	} {
		if r.IntN(1000) < c.of {
			fs = append(fs, c.flag)
		}
	}
	if role == migrate.RoleDrafts {
		fs = append(fs, migrate.Draft)
	}
	return fs
}
