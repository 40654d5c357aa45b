package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/sources/imap"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// people change a mailbox of a real Dovecot at random.
type people struct {
	*testing.T
	*rand.Rand
	dovecot   *sourcetest.Server
	folders   [][]string
	backups   map[string]*sourcetest.Backup
	delivered int                     // messages, each with content of its own
	restored  int                     // messages that came back
	made      int                     // folders
	sent      map[migrate.Digest]bool // messages that were in Sent at some time
	story     []string
}

const peopleUser = "large@example.com"

func newPeople(t *testing.T, dovecot *sourcetest.Server, seed uint64) *people {
	p := &people{T: t, Rand: rand.New(rand.NewPCG(seed, 2)), dovecot: dovecot, backups: map[string]*sourcetest.Backup{}}
	p.folders = [][]string{{"INBOX"}, {"Trash"}, {"Sent"}, {"Junk"}, {"Clients"}, {"Clients", "One"}, {"Größe & Maß"}}
	for _, f := range p.folders[1:] {
		dovecot.Create(peopleUser, f)
	}
	for range 40 {
		p.deliver(p.folder())
	}
	return p
}

func (p *people) folder() []string { return p.folders[p.IntN(len(p.folders))] }

// own returns a folder that mail programs do not need, nil if there is none.
func (p *people) own() []string {
	if len(p.folders) == 4 {
		return nil
	}
	return p.folders[4+p.IntN(len(p.folders)-4)]
}

func (p *people) deliver(path []string) {
	p.delivered++
	id := fmt.Sprintf("<%d.%d@example.com>", p.delivered, p.Uint32())
	text := fmt.Sprintf("From: bob@example.net\r\nTo: %s\r\nSubject: number %d\r\nMessage-ID: %s\r\nDate: Mon, 2 Jan 2023 15:04:05 +0000\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n",
		peopleUser, p.delivered, id, strings.Repeat("words ", p.IntN(400)))
	p.dovecot.Append(peopleUser, path, sourcetest.Letter{Content: text, ID: id, Flags: p.flags(), Date: time.Date(2023, 1, 2, 15, 4, 5, 0, time.UTC)})
}

func (p *people) flags() (fs []migrate.Flag) {
	for _, f := range []migrate.Flag{migrate.Seen, migrate.Flagged, "Todo"} {
		if p.IntN(3) == 0 {
			fs = append(fs, f)
		}
	}
	return fs
}

// some returns a few messages of a folder.
func (p *people) some(path []string) []migrate.UID {
	uids := p.dovecot.UIDs(peopleUser, path)
	p.Shuffle(len(uids), func(i, j int) { uids[i], uids[j] = uids[j], uids[i] })
	return uids[:min(len(uids), 1+p.IntN(4))]
}

// step lets somebody do something.
func (p *people) step() {
	p.Helper()
	f := p.folder()
	name := strings.Join(f, "/")
	tell := func(format string, args ...any) { p.story = append(p.story, fmt.Sprintf(format, args...)) }
	switch n := p.IntN(100); {
	case n < 32:
		p.deliver(f)
		tell("number %d comes to %s", p.delivered, name)
	case n < 54:
		to := p.folder()
		if uids := p.some(f); len(uids) > 0 && !slices.Equal(f, to) {
			p.dovecot.Move(peopleUser, f, to, uids...)
			tell("%v move from %s to %s", uids, name, strings.Join(to, "/"))
		}
	case n < 62:
		if uids := p.some(f); len(uids) > 0 {
			p.dovecot.Expunge(peopleUser, f, uids...)
			tell("%v in %s are deleted", uids, name)
		}
	case n < 80:
		if uids := p.some(f); len(uids) > 0 {
			add, remove := p.flags(), p.flags()
			if len(add) > 0 {
				p.dovecot.AddFlags(peopleUser, f, add, uids...)
			}
			if len(remove) > 0 {
				p.dovecot.RemoveFlags(peopleUser, f, remove, uids...)
			}
			tell("%v in %s get %v and lose %v", uids, name, add, remove)
		}
	case n < 84:
		p.made++
		path := []string{fmt.Sprint("Folder ", p.made)}
		if own := p.own(); own != nil && len(own) < 3 && p.IntN(2) == 0 {
			path = append(slices.Clone(own), path...)
		}
		p.dovecot.Create(peopleUser, path)
		p.folders = append(p.folders, path)
		tell("%s is made", strings.Join(path, "/"))
	case n < 89:
		if from := p.own(); from != nil {
			p.made++
			to := append(slices.Clone(from[:len(from)-1]), fmt.Sprint("Renamed ", p.made))
			if p.IntN(3) == 0 {
				to = to[len(to)-1:]
			}
			p.dovecot.Rename(peopleUser, from, to)
			for i, f := range p.folders {
				if len(f) >= len(from) && slices.Equal(f[:len(from)], from) {
					p.folders[i] = append(slices.Clone(to), f[len(from):]...)
				}
			}
			tell("%s becomes %s", strings.Join(from, "/"), strings.Join(to, "/"))
		}
	case n < 91:
		own := p.own()
		inside := func(f []string) bool { return len(f) > len(own) && slices.Equal(f[:len(own)], own) }
		if own != nil && !slices.ContainsFunc(p.folders, inside) {
			p.dovecot.Delete(peopleUser, own)
			p.folders = slices.DeleteFunc(p.folders, func(f []string) bool { return slices.Equal(f, own) })
			tell("%s is deleted", strings.Join(own, "/"))
		}
	case n < 94:
		p.dovecot.Invalidate(peopleUser, f)
		tell("%s gets another UIDVALIDITY", name)
	case n < 95:
		p.dovecot.ForgetIndexes(peopleUser, f)
		tell("the indexes of %s are lost", name)
	case p.backups[name] == nil || n < 97:
		p.backups[name] = p.dovecot.Backup(peopleUser, f)
		tell("%s is backed up", name)
	default:
		p.backups[name].Restore()
		p.restored += len(p.dovecot.UIDs(peopleUser, f))
		tell("%s is restored", name)
	}
}

// A followed is a message of the source as it is at the end.
type followed struct {
	folder migrate.FolderState
	flags  []migrate.Flag
	rec    migrate.Record
}

// there reads the whole source, and finds the record of each message. left are
// the records of messages that are at the target still.
func (p *people) there(config string) (all []followed, left []followed) {
	p.Helper()
	source, err := imap.Open(p.Context(), imap.Config{Host: p.dovecot.Host, Port: p.dovecot.Port, TLS: imap.None, User: peopleUser,
		Secret: func(context.Context) (string, error) { return sourcetest.Password, nil }})
	if err != nil {
		p.Fatal(err)
	}
	defer source.Close()
	folders, err := source.Folders(p.Context())
	if err != nil {
		p.Fatal(err)
	}
	store, err := sqlite.OpenReadOnly(filepath.Join(filepath.Dir(config), "mailhaul.db"))
	if err != nil {
		p.Fatal(err)
	}
	defer store.Close()
	ledger, err := store.Mailbox(p.Context(), peopleUser, target(peopleUser))
	if err != nil {
		p.Fatal(err)
	}
	states, err := ledger.Folders(p.Context())
	if err != nil {
		p.Fatal(err)
	}
	p.sent = map[migrate.Digest]bool{}
	for _, st := range states {
		records := map[migrate.UID]migrate.Record{}
		for r, err := range ledger.Records(p.Context(), st.ID, 1, ^migrate.UID(0)) {
			if err != nil {
				p.Fatal(err)
			}
			if st.Name == "Sent" {
				p.sent[r.Digest] = true
			}
			if records[r.UID] = r; r.Vanished && r.Outcome.Arrived() {
				left = append(left, followed{folder: st, rec: r})
			}
		}
		i := slices.IndexFunc(folders, func(f migrate.Folder) bool {
			return !f.NoSelect && !st.Gone && slices.Equal(f.Path, st.Folder.Path) && f.UIDValidity == st.Folder.UIDValidity
		})
		if i < 0 {
			continue
		}
		f := folders[i]
		folders = slices.Delete(folders, i, i+1)
		for batch, err := range source.List(p.Context(), f, 1) {
			if err != nil {
				p.Fatal(err)
			}
			var ms []*migrate.Message
			for i := range batch {
				ms = append(ms, &batch[i])
			}
			err := source.Read(p.Context(), f, ms, func(m *migrate.Message, r io.Reader) error {
				sum := sha256.New()
				io.Copy(sum, r)
				r1 := records[m.UID]
				if r1.Vanished || !r1.Outcome.Arrived() || !bytes.Equal(sum.Sum(nil), r1.Digest[:]) {
					p.Errorf("%s UID %d: %v, vanished %v: %s", f, m.UID, r1.Outcome, r1.Vanished, r1.Reason)
				}
				all = append(all, followed{st, m.Flags, r1})
				return nil
			})
			if err != nil {
				p.Fatal(err)
			}
		}
	}
	for _, f := range folders {
		if !f.NoSelect {
			p.Errorf("folder %s is not known", f)
		}
	}
	return all, left
}

func has(flags []migrate.Flag, f migrate.Flag) bool {
	return (&migrate.Message{Flags: flags}).HasFlag(f)
}

// checkGmail compares what Gmail holds with the source.
func (p *people) checkGmail(config string, sim *gmailsim.Server) {
	p.Helper()
	all, left := p.there(config)
	held := map[string]gmailsim.Message{}
	for _, m := range sim.Messages(target(peopleUser)) {
		if probed(m) {
			continue
		}
		if _, twice := held[m.SHA256]; twice {
			p.Errorf("content %s is at Gmail twice", m.SHA256)
		}
		held[m.SHA256] = m
	}
	where, known := map[string]map[string]bool{}, map[string][]followed{}
	for i, x := range append(slices.Clone(all), left...) {
		digest := hex.EncodeToString(x.rec.Digest[:])
		if where[digest] == nil {
			where[digest] = map[string]bool{}
		}
		known[digest] = append(known[digest], x)
		label := gmailLabel(x.folder.Name)
		if i < len(all) || slices.Contains(held[digest].Labels, label) { // what was left behind may be anywhere
			where[digest][label] = true
		}
		if string(x.rec.Target) != held[digest].ID {
			p.Errorf("%s UID %d is recorded as %q, and is %q", x.folder.Folder, x.rec.UID, x.rec.Target, held[digest].ID)
		}
	}
	for digest, m := range held {
		xs := known[digest]
		switch {
		case xs == nil && !slices.Contains(m.Labels, "TRASH"):
			p.Errorf("%s is at Gmail under %v, and no record says so", m.ID, m.Labels)
			continue
		case xs == nil || len(where[digest]) == 0:
			continue
		}
		if p.sent[xs[0].rec.Digest] && !where[digest]["SENT"] {
			// Gmail may not let SENT go, and it stays on what goes into Spam or Trash.
			m.Labels = slices.DeleteFunc(slices.Clone(m.Labels), func(l string) bool { return l == "SENT" })
		}
		if problem := compareLabels(m.Labels, where[digest]); problem != "" {
			p.Errorf("%s UID %d (%v) is under %v: %s; want %v", xs[0].folder.Folder, xs[0].rec.UID, xs[0].rec.Outcome, m.Labels, problem, where[digest])
		}
		if len(xs) == 1 && !xs[0].rec.Vanished && (m.Unread == has(xs[0].flags, migrate.Seen) || m.Starred != has(xs[0].flags, migrate.Flagged)) {
			p.Errorf("%s UID %d: unread %v, starred %v, flags at the source %v", xs[0].folder.Folder, xs[0].rec.UID, m.Unread, m.Starred, xs[0].flags)
		}
	}
	p.written(len(held))
}

// checkGraph compares what Exchange holds with the source.
func (p *people) checkGraph(config string, sim *graphsim.Server) {
	p.Helper()
	all, left := p.there(config)
	held := map[migrate.MessageID]graphsim.Message{}
	for _, m := range sim.Messages(target(peopleUser)) {
		held[migrate.MessageID(m.ImmutableID)] = m
	}
	uploads := len(held)
	for _, x := range all {
		m, ok := held[x.rec.Target]
		if !ok {
			p.Errorf("%s UID %d is not at Exchange, or is there for another message too", x.folder.Folder, x.rec.UID)
			continue
		}
		delete(held, x.rec.Target)
		if place := strings.Join(m.Folder, "/"); place != x.folder.Name {
			p.Errorf("%s UID %d is in %q, want %q", x.folder.Folder, x.rec.UID, place, x.folder.Name)
		}
		if octets, err := m.Octets(); m.Route == "importMime" && (err != nil || sha256.Sum256(withoutKey(octets)) != x.rec.Digest) {
			p.Errorf("%s UID %d is another message at Exchange", x.folder.Folder, x.rec.UID)
		}
		if m.IsRead != has(x.flags, migrate.Seen) || (m.Flag == "flagged") != has(x.flags, migrate.Flagged) || len(m.Categories) != len(keywords(x.flags)) {
			p.Errorf("%s UID %d: read %v, flag %s, categories %v, flags at the source %v", x.folder.Folder, x.rec.UID, m.IsRead, m.Flag, m.Categories, x.flags)
		}
	}
	for _, x := range left {
		if _, ok := held[x.rec.Target]; !ok {
			p.Errorf("%s UID %d was left behind, and is not there", x.folder.Folder, x.rec.UID)
		}
		delete(held, x.rec.Target)
	}
	for id, m := range held {
		if strings.Join(m.Folder, "/") != "Deleted Items" {
			p.Errorf("%s in %q is at Exchange, but no record says so", id, m.Folder)
		}
	}
	p.written(uploads)
}

// written says whether more messages were written than came new, but for one
// percent, and for those that were removed and came back.
func (p *people) written(uploads int) {
	p.Helper()
	p.Logf("%d messages came and %d came back; %d were written", p.delivered, p.restored, uploads)
	if most := p.delivered + p.delivered/100 + p.restored; uploads > most {
		p.Errorf("%d messages were written, want %d at most", uploads, most)
	}
}

func TestRandomStepsOfPeopleAreFollowed(t *testing.T) {
	t.Parallel()
	steps := 500
	if os.Getenv("MAILHAUL_REQUIRE") == "" {
		steps = 80
	}
	for i, test := range []struct {
		name, kind, lines string
		gmail             gmailsim.Options
		graph             graphsim.Options
	}{
		{name: "gmail", kind: "gmail", gmail: gmailsim.Options{BatchLost: gmailsim.MissingNotFound}},
		{name: "gmail, trash", kind: "gmail", lines: "deletions = \"trash\"\n", gmail: gmailsim.Options{SentLeaves: true, BatchLost: gmailsim.MissingStops}},
		{name: "importmime", kind: "graph", lines: "order = \"newest\"\n", graph: graphsim.Options{FilterDelayRequests: 50, FilterStale: true}},
		{name: "json, trash", kind: "graph", lines: "deletions = \"trash\"\n", graph: graphsim.Options{MoveRefusesSame: true, MoveResetsCreated: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dovecot := sourcetest.Dovecot(t, sourcetest.Options{Separator: "/"})
			p := newPeople(t, dovecot, uint64(i))
			s := &site{dovecot, map[string][]delivered{peopleUser: nil}}
			var mail *gmailsim.Server
			var graph *graphsim.Server
			url := ""
			if test.kind == "gmail" {
				mail = newGmail(t, test.gmail)
				url = serveTest(t, mail, nil)
			} else {
				graph = newGraph(t, test.graph)
				url = serveTest(t, graph, nil)
			}
			config := s.migration(t, test.kind, url)
			text, err := os.ReadFile(config)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(test.name, "json") {
				text = append(text, "route = \"json\"\n"...)
			}
			if err := os.WriteFile(config, append(text, "[run]\n"+test.lines...), 0o600); err != nil {
				t.Fatal(err)
			}
			pass := func() {
				t.Helper()
				if code, stdout, stderr := mailhaul(t.Context(), "run", "--confirm-deletions", "--config", config); code != exitDone {
					t.Fatalf("exit code %d: %s\n%s", code, stderr, stdout)
				}
			}
			for range steps {
				if p.step(); p.IntN(12) == 0 {
					pass()
					p.story = append(p.story, "a pass")
				}
			}
			pass()
			pass()
			if mail != nil {
				p.checkGmail(config, mail)
			} else {
				p.checkGraph(config, graph)
			}
			verifies(t, config)
			if t.Failed() {
				t.Log(strings.Join(p.story, "\n"))
			}
		})
	}
}
