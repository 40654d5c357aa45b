package imap

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

// generated opens a mailbox of n messages with UIDs step apart, and lists its
// folder.
func generated(tb testing.TB, options sourcetest.GeneratedOptions) (*Source, *sourcetest.Generated, migrate.Folder) {
	tb.Helper()
	g := sourcetest.NewGenerated(tb, options)
	s := opener(Config{Host: g.Host, Port: g.Port, TLS: None, User: "joe", Secret: password})(tb).(*Source)
	tb.Cleanup(func() { s.Close() })
	fs, err := s.Folders(tb.Context())
	if err != nil || len(fs) != 1 {
		tb.Fatal(fs, err)
	}
	return s, g, fs[0]
}

// changes collects what Flags yields.
func changes(tb testing.TB, s *Source, f migrate.Folder, below migrate.UID, since uint64) (ms []migrate.Message) {
	tb.Helper()
	for batch, err := range s.Flags(tb.Context(), f, below, since) {
		if err != nil {
			tb.Fatal(err)
		}
		ms = append(ms, batch...)
	}
	return ms
}

// runs collects what UIDs yields.
func runs(tb testing.TB, s *Source, f migrate.Folder, below migrate.UID) (rs []migrate.UIDRange) {
	tb.Helper()
	for r, err := range s.UIDs(tb.Context(), f, below) {
		if err != nil {
			tb.Fatal(err)
		}
		rs = append(rs, r)
	}
	return rs
}

func TestAMillionMessagesThatAreAsTheyWereAreAFewShortAnswers(t *testing.T) {
	s, g, f := generated(t, sourcetest.GeneratedOptions{Messages: 1_000_000})
	if f.Messages != 1_000_000 || f.UIDNext != 1_000_001 || f.ModSeq != 1 {
		t.Errorf("%+v", f)
	}
	before := g.Commands()
	if _, err := s.Folders(t.Context()); err != nil || g.Commands()-before != 1 {
		t.Errorf("%d commands to look for changes, %v", g.Commands()-before, err)
	}
	before = g.Commands()
	if got := changes(t, s, f, f.UIDNext, f.ModSeq); len(got) != 0 || g.Commands()-before > 4 {
		t.Errorf("%d changes after %d commands", len(got), g.Commands()-before)
	}
	before = g.Commands()
	if got := runs(t, s, f, f.UIDNext); fmt.Sprint(got) != "[{1 1000000}]" || g.Commands()-before > 6 {
		t.Errorf("%v after %d commands", got, g.Commands()-before)
	}
}

func TestOfAMillionMessagesThoseThatChangedAreTold(t *testing.T) {
	s, g, f := generated(t, sourcetest.GeneratedOptions{Messages: 1_000_000})
	uids := []migrate.UID{1, 262_144, 262_145, 700_000, 1_000_000}
	g.SetFlags([]migrate.Flag{migrate.Flagged, "$Later"}, uids...)
	g.Add(10)
	var want []migrate.Message
	for _, uid := range uids {
		want = append(want, migrate.Message{UID: uid, Flags: []migrate.Flag{migrate.Flagged, "$Later"}})
	}
	before := g.Commands()
	if got := changes(t, s, f, f.UIDNext, f.ModSeq); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if n := g.Commands() - before; n > 12 {
		t.Errorf("%d commands", n)
	}
	if got := changes(t, s, f, 700_000, f.ModSeq); fmt.Sprint(got) != fmt.Sprint(want[:3]) {
		t.Errorf("below 700,000: %v", got)
	}
}

func TestAllFlagsAreToldWhereNothingElseHelps(t *testing.T) {
	const n = 4_321
	for name, test := range map[string]struct {
		caps  []string
		since func(migrate.Folder) uint64
		prior func(*sourcetest.Generated)
	}{
		"since 0":              {nil, func(migrate.Folder) uint64 { return 0 }, nil},
		"no CONDSTORE":         {[]string{"ESEARCH"}, func(migrate.Folder) uint64 { return 7 }, nil},
		"no extension at all":  {[]string{"X-NONE"}, func(migrate.Folder) uint64 { return 7 }, nil},
		"the count began anew": {nil, func(f migrate.Folder) uint64 { return f.ModSeq + 1 }, nil},
		"all of them did change": {nil, func(f migrate.Folder) uint64 { return f.ModSeq }, func(g *sourcetest.Generated) {
			var uids []migrate.UID
			for uid := range n {
				uids = append(uids, migrate.UID(uid+1))
			}
			g.SetFlags([]migrate.Flag{migrate.Seen}, uids...)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s, g, f := generated(t, sourcetest.GeneratedOptions{Messages: n, Caps: test.caps})
			if test.prior != nil {
				test.prior(g)
			}
			next := migrate.UID(1)
			for batch, err := range s.Flags(t.Context(), f, f.UIDNext, test.since(f)) {
				if err != nil {
					t.Fatal(err)
				}
				if len(batch) == 0 || len(batch) > 4000 {
					t.Errorf("a batch of %d", len(batch))
				}
				for _, m := range batch {
					if m.UID != next || fmt.Sprint(m.Flags) != `[\Seen]` || m.Size != 0 {
						t.Fatalf("%+v, want UID %d", m, next)
					}
					next++
				}
				// The caller reads bodies between two batches.
				read := 0
				err := s.Read(t.Context(), f, []*migrate.Message{&batch[0]}, func(*migrate.Message, io.Reader) error { read++; return nil })
				if err != nil || read != 1 {
					t.Fatalf("read %d bodies, %v", read, err)
				}
			}
			if next != n+1 {
				t.Errorf("%d messages of %d", next-1, n)
			}
		})
	}
}

func TestEveryOtherUIDOfAFolderIsToldInWindows(t *testing.T) {
	for name, caps := range map[string][]string{"ESEARCH": nil, "SEARCH": {"CONDSTORE"}} {
		t.Run(name, func(t *testing.T) {
			s, g, f := generated(t, sourcetest.GeneratedOptions{Messages: 300_000, Step: 2, Caps: caps})
			g.Expunge(1, 5, 599_999)
			next := migrate.UID(3)
			for _, r := range runs(t, s, f, f.UIDNext) {
				if r.First != next || r.Last != next {
					t.Fatalf("%v, want %d", r, next)
				}
				if next += 2; next == 5 {
					next += 2
				}
			}
			if next != 599_999 {
				t.Errorf("the last one is before %d", next)
			}
			var changed []migrate.UID
			for uid := migrate.UID(500_001); len(changed) < 3000; uid += 2 {
				changed = append(changed, uid)
			}
			g.SetFlags(nil, changed...)
			before := g.Commands()
			if got := changes(t, s, f, f.UIDNext, f.ModSeq); len(got) != 3000 || g.Commands()-before > 12 {
				t.Errorf("%d of 3,000 changes after %d commands", len(got), g.Commands()-before)
			}
			if got := runs(t, s, f, 10); fmt.Sprint(got) != "[{3 3} {7 7} {9 9}]" {
				t.Errorf("below 10: %v", got)
			}
		})
	}
}

func TestAGeneratedMessageIsReadAsItWasListed(t *testing.T) {
	for _, size := range []int{0, 3000, rangeSize + 1} {
		s, _, f := generated(t, sourcetest.GeneratedOptions{Messages: 3, Size: size, Step: 7})
		seen := map[string]bool{}
		for batch, err := range s.List(t.Context(), f, 1) {
			if err != nil {
				t.Fatal(err)
			}
			for i := range batch {
				m := &batch[i]
				err := s.Read(t.Context(), f, []*migrate.Message{m}, func(_ *migrate.Message, r io.Reader) error {
					content, err := io.ReadAll(r)
					if int64(len(content)) != m.Size || len(content) < size || m.MessageID == "" || !strings.HasPrefix(string(content), "Message-ID: "+m.MessageID+"\r\n") {
						t.Errorf("%d octets of %+v", len(content), m)
					}
					seen[string(content)] = true
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		if len(seen) != 3 {
			t.Errorf("%d different messages", len(seen))
		}
	}
}
