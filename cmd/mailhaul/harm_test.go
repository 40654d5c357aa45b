package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/migratetest"
	"github.com/mailhaul/mailhaul/migrate/verify"
	"github.com/mailhaul/mailhaul/targets/gmail"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// inMemory is a generated mailbox as a source.
type inMemory struct {
	folders []migrate.Folder
	mail    [][]migratetest.Message // by folder; UIDs count from 1
}

func generated(messages int) *inMemory {
	box := migratetest.Large(migratetest.Spec{User: "ann@example.com", Seed: 7, Messages: messages, Separator: "/"})
	s := &inMemory{}
	for i, f := range box.Folders {
		mail := slices.Collect(box.All(i))
		s.mail = append(s.mail, mail)
		s.folders = append(s.folders, migrate.Folder{Path: f.Path, Role: f.Role, UIDValidity: 1, UIDNext: migrate.UID(len(mail) + 1), Messages: int64(len(mail))})
	}
	return s
}

func (s *inMemory) of(f migrate.Folder) []migratetest.Message {
	return s.mail[slices.IndexFunc(s.folders, func(g migrate.Folder) bool { return slices.Equal(f.Path, g.Path) })]
}

func (s *inMemory) Folders(context.Context) ([]migrate.Folder, error) { return s.folders, nil }

func (s *inMemory) List(_ context.Context, f migrate.Folder, from migrate.UID) iter.Seq2[[]migrate.Message, error] {
	return func(yield func([]migrate.Message, error) bool) {
		mail := s.of(f)
		for uid := int(from); uid <= len(mail); uid += 500 {
			var batch []migrate.Message
			for n := uid; n < min(uid+500, len(mail)+1); n++ {
				m := mail[n-1]
				batch = append(batch, migrate.Message{UID: migrate.UID(n), Flags: m.Flags, InternalDate: m.InternalDate, Size: int64(len(m.Octets)), MessageID: parseEntity(m.Octets, "text/plain", deepest).first("Message-ID")})
			}
			if !yield(batch, nil) {
				return
			}
		}
	}
}

func (s *inMemory) Read(_ context.Context, f migrate.Folder, ms []*migrate.Message, body func(*migrate.Message, io.Reader) error) error {
	for _, m := range ms {
		if err := body(m, bytes.NewReader(s.of(f)[m.UID-1].Octets)); err != nil {
			return err
		}
	}
	return nil
}

func (s *inMemory) Flags(context.Context, migrate.Folder, migrate.UID, uint64) iter.Seq2[[]migrate.Message, error] {
	return func(func([]migrate.Message, error) bool) {}
}

func (s *inMemory) UIDs(context.Context, migrate.Folder, migrate.UID) iter.Seq2[migrate.UIDRange, error] {
	return func(func(migrate.UIDRange, error) bool) {}
}

func (s *inMemory) Close() error { return nil }

// A store is a simulator whose mail a test can harm.
type store interface {
	drop(id string) error
	double(id string) (string, error)
	move(id, from, to string) error
	redate(id string, by time.Duration) error
	mark(id string) error // read if it is unread, and so on
	rewrite(id string, edit func([]byte) []byte) error
}

type gmailStore struct {
	*gmailsim.Server
	mail map[string]gmailsim.Message
}

const harmedUser = "ann@example.org"

func (s gmailStore) drop(id string) error             { return s.Drop(harmedUser, id) }
func (s gmailStore) double(id string) (string, error) { return s.Double(harmedUser, id) }
func (s gmailStore) move(id, from, to string) error {
	return s.Relabel(harmedUser, id, []string{from}, []string{to})
}
func (s gmailStore) redate(id string, by time.Duration) error {
	return s.SetDate(harmedUser, id, s.mail[id].InternalDate.Add(by))
}
func (s gmailStore) mark(id string) error {
	if s.mail[id].Unread {
		return s.Relabel(harmedUser, id, []string{"UNREAD"}, nil)
	}
	return s.Relabel(harmedUser, id, nil, []string{"UNREAD"})
}
func (s gmailStore) rewrite(id string, edit func([]byte) []byte) error {
	return s.Rewrite(harmedUser, id, edit)
}

type graphStore struct {
	*graphsim.Server
	mail map[string]graphsim.Message
}

func (s graphStore) drop(id string) error             { return s.Drop(harmedUser, id) }
func (s graphStore) double(id string) (string, error) { return s.Double(harmedUser, id) }
func (s graphStore) move(id, _, to string) error      { return s.Move(harmedUser, id, to) }
func (s graphStore) redate(id string, by time.Duration) error {
	return s.SetReceived(harmedUser, id, s.mail[id].ReceivedDateTime.Add(by))
}
func (s graphStore) mark(id string) error {
	m := s.mail[id]
	return s.Mark(harmedUser, id, graphsim.Marks{Read: !m.IsRead, Flagged: m.Flag == "flagged", Categories: m.Categories})
}
func (s graphStore) rewrite(id string, edit func([]byte) []byte) error {
	return s.Rewrite(harmedUser, id, edit)
}

// A harmed is what verification must find, by message at the target.
type harmed struct {
	kind  migrate.Kind
	depth verify.Depth // that finds it
	id    migrate.MessageID
}

// TestEveryHarmInALargeMailboxIsFound seeds harms into half of a mailbox, in
// the gate 10,000 at each vendor: each is found, and none is invented.
func TestEveryHarmInALargeMailboxIsFound(t *testing.T) {
	source := generated(messages())
	for name, open := range map[string]func(t *testing.T) (func(context.Context) (migrate.Target, error), func() store){
		"gmail": func(t *testing.T) (func(context.Context) (migrate.Target, error), func() store) {
			sim, url := serveGmail(t, nil)
			return func(ctx context.Context) (migrate.Target, error) {
					return gmail.Open(ctx, gmail.Config{User: harmedUser, Endpoint: url, TokenSource: gmail.Static(func() (string, error) { return "test", nil }), Route: gmail.RouteImport, Settle: -1})
				}, func() store {
					s := gmailStore{sim, map[string]gmailsim.Message{}}
					for _, m := range sim.Messages(harmedUser) {
						s.mail[m.ID] = m
					}
					return s
				}
		},
		"importmime": func(t *testing.T) (func(context.Context) (migrate.Target, error), func() store) {
			return openHarmedGraph(t, graph.RouteImport)
		},
		"json": func(t *testing.T) (func(context.Context) (migrate.Target, error), func() store) {
			return openHarmedGraph(t, graph.RouteJSON)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target, harm := open(t)
			checkpoints := copyAll(t, source, target)
			ledger, err := checkpoints.Verifications(t.Context(), "ann@example.com", harmedUser)
			if err != nil {
				t.Fatal(err)
			}
			want := seed(t, ledger, harm(), source, name == "json")
			for _, d := range []verify.Depth{verify.Content, verify.Metadata, verify.Counts} {
				expectHarms(t, source, target, ledger, d, want)
			}
		})
	}
}

func openHarmedGraph(t *testing.T, route graph.Route) (func(context.Context) (migrate.Target, error), func() store) {
	sim, url := serveGraph(t, nil)
	return func(ctx context.Context) (migrate.Target, error) {
			return graph.Open(ctx, graph.Config{User: harmedUser, Endpoint: url, Token: graph.StaticToken("test"), Route: route, Probed: true})
		}, func() store {
			s := graphStore{sim, map[string]graphsim.Message{}}
			for _, m := range sim.Messages(harmedUser) {
				s.mail[m.ImmutableID] = m
			}
			return s
		}
}

// copyAll makes one pass.
func copyAll(t *testing.T, source *inMemory, target func(context.Context) (migrate.Target, error)) *sqlite.Store {
	t.Helper()
	checkpoints, err := sqlite.Open(filepath.Join(t.TempDir(), "mailhaul.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { checkpoints.Close() })
	engine := &migrate.Engine{Checkpoints: checkpoints, Spool: migrate.NewSpool(t.TempDir(), 16<<20, 1<<30), Retry: migrate.DefaultRetry, Progress: new(migrate.Progress)}
	results, err := engine.Run(t.Context(), []migrate.Mailbox{{Source: "ann@example.com", Target: harmedUser,
		OpenSource: func(context.Context) (migrate.Source, error) { return source, nil }, OpenTarget: target}})
	if err != nil || results[0].Err != nil {
		t.Fatal(err, results[0].Err)
	}
	return checkpoints
}

// seed harms every second message and returns what there is to find.
func seed(t *testing.T, ledger verify.Ledger, s store, source *inMemory, rebuilt bool) (want []harmed) {
	t.Helper()
	folders, err := ledger.Folders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	type placed struct {
		migrate.Record
		place migrate.FolderState
	}
	at := map[migrate.MessageID][]placed{}
	var ids []migrate.MessageID
	for _, f := range folders {
		for r, err := range ledger.Records(t.Context(), f.ID, 1, ^migrate.UID(0)) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Outcome.Arrived() {
				if at[r.Target] == nil {
					ids = append(ids, r.Target)
				}
				at[r.Target] = append(at[r.Target], placed{r, f})
			}
		}
	}
	var trash string
	for _, f := range folders {
		if f.Folder.Role == migrate.RoleTrash {
			trash = string(f.Target)
		}
	}
	random := rand.New(rand.NewPCG(3, 4))
	counted := map[string]int{}
	for i, id := range ids {
		if i%2 == 1 {
			continue
		}
		// The first copy was written; others of the same content were placed.
		slices.SortStableFunc(at[id], func(a, b placed) int { return int(a.Outcome) - int(b.Outcome) })
		first := at[id][0]
		mail := source.of(first.place.Folder)[first.UID-1]
		role, notes := first.place.Folder.Role, strings.Join(first.Notes, " ")
		add := func(k migrate.Kind, d verify.Depth, id migrate.MessageID) { want = append(want, harmed{k, d, id}) }
		var err error
		for done := false; !done; {
			done = true
			what := random.IntN(8)
			switch what {
			case 0:
				err = s.drop(string(id))
				for range at[id] {
					add(migrate.KindMissing, verify.Counts, id)
				}
			case 1:
				var twin string
				twin, err = s.double(string(id))
				d := verify.Metadata
				if _, keyed := s.(graphStore); keyed {
					d = verify.Counts
				} else if mid := parseEntity(mail.Octets, "text/plain", deepest).first("Message-ID"); mid == "" {
					d = verify.Content
				}
				add(migrate.KindDoubled, d, migrate.MessageID(twin))
			case 2, 3:
				from, to := string(first.place.Target), string(folders[random.IntN(len(folders))].Target)
				kind := migrate.KindMisplaced
				if what == 3 {
					to, kind = trash, migrate.KindDeleted
				}
				// A label that Gmail sets by itself, or that it has already
				if done = to != "" && to != from && from != "(none)" && to != "(none)" && role != migrate.RoleDrafts && to != "DRAFT" && len(at[id]) == 1 && (to == trash) == (kind == migrate.KindDeleted); !done {
					continue
				}
				err = s.move(string(id), from, to)
				add(kind, verify.Counts, id)
			case 4:
				if done = role != migrate.RoleDrafts; !done {
					continue
				}
				err = s.mark(string(id))
				add(migrate.KindFlags, verify.Metadata, id)
			case 5:
				if done = !strings.Contains(notes, "date-is-import-time"); !done {
					continue
				}
				err = s.redate(string(id), -1234567*time.Minute)
				add(migrate.KindDate, verify.Metadata, id)
			default:
				if done = !strings.Contains(notes, "attached"); !done { // else anything is explained if the original is there
					continue
				}
				done = false
				err = s.rewrite(string(id), func(octets []byte) []byte {
					var changed []byte
					if changed, done = spoil(random, octets, rebuilt, what == 6); !done {
						return octets
					}
					return changed
				})
				if done {
					add(migrate.KindContent, verify.Content, id)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			if done {
				counted[fmt.Sprint(what)]++
			}
		}
	}
	t.Logf("%d of %d messages are harmed: %v", len(want), len(ids), counted)
	return want
}

// spoil changes a letter that people see in a message, or an octet of a file,
// or cuts the end of that off. It returns false if there is nothing of the kind.
func spoil(random *rand.Rand, octets []byte, text, cut bool) (changed []byte, done bool) {
	body := octets
	coded := false
	if !text {
		var leaves []*entity
		for _, l := range parseEntity(octets, "text/plain", 0).leaves() {
			if !strings.HasPrefix(l.mediaType, "message/") && len(l.content) > 0 {
				leaves = append(leaves, l)
			}
		}
		if len(leaves) == 0 {
			return nil, false
		}
		l := leaves[random.IntN(len(leaves))]
		body, coded = l.body, strings.EqualFold(l.first("Content-Transfer-Encoding"), "base64")
	}
	start := cap(octets) - cap(body)
	if cut && coded && len(body) > 400 {
		end := start + len(body)*2/3/78*78
		return append(bytes.Clone(octets[:end]), octets[start+len(body):]...), true
	}
	// Of base64 the last letters may stand for nothing.
	for range 1000 {
		n := random.IntN(max(len(body)-8, 1))
		if n >= len(body) {
			break
		}
		c := body[n]
		if !(c >= 'a' && c <= 'y') || n > 1 && !coded && (body[n-1] == '=' || body[n-2] == '=' || body[n-1] == '&' || body[n-1] == '\\') {
			continue
		}
		changed = bytes.Clone(octets)
		changed[start+n] = 'z'
		return changed, true
	}
	return nil, false
}

// expectHarms verifies at a depth and compares with what it must find there.
func expectHarms(t *testing.T, source *inMemory, target func(context.Context) (migrate.Target, error), ledger verify.Ledger, d verify.Depth, want []harmed) {
	t.Helper()
	v := &verify.Verifier{Depth: d, Retry: migrate.DefaultRetry, Progress: new(migrate.Progress)}
	results, err := v.Run(t.Context(), []verify.Mailbox{{Source: "ann@example.com", Target: harmedUser, Ledger: ledger,
		OpenSource: func(context.Context) (verify.Source, error) { return source, nil },
		OpenTarget: func(ctx context.Context) (verify.Target, error) {
			t, err := target(ctx)
			if err != nil {
				return nil, err
			}
			return t.(verify.Target), nil
		}}})
	if err != nil || results[0].Err != nil {
		t.Fatal(err, results[0].Err)
	}
	order := []verify.Depth{verify.Counts, verify.Metadata, verify.Content}
	due := map[string]int{}
	for _, h := range want {
		if slices.Index(order, h.depth) <= slices.Index(order, d) {
			due[fmt.Sprint(h.kind, " ", h.id)]++
		}
	}
	invented := 0
	for f, err := range ledger.Findings(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Kind == migrate.KindExtra && d != verify.Content {
			continue // a double that this depth does not know
		}
		key := fmt.Sprint(f.Kind, " ", f.Target)
		if due[key]--; due[key] < 0 {
			if invented++; invented <= 10 {
				t.Errorf("%s: invented: %s, UID %d of folder %d: %s", d, key, f.UID, f.Folder, f.Detail)
			}
		}
	}
	missed := 0
	for key, n := range due {
		if n > 0 {
			if missed++; missed <= 10 {
				t.Errorf("%s: missed: %s", d, key)
			}
		}
	}
	t.Logf("%s: %d harms are due, %d were missed, %d invented", d, len(due), missed, invented)
}
