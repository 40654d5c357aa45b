package checkpointtest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

// byDigest returns what a mailbox has with the content s.
func byDigest(t *testing.T, l migrate.Ledger, s string) []migrate.Record {
	t.Helper()
	rs, err := l.ByDigest(t.Context(), digest(s), false)
	must(t, err)
	return rs
}

// neighbour returns a digest that differs from that of s in its last octet only.
func neighbour(s string) migrate.Digest {
	d := digest(s)
	d[len(d)-1] ^= 1
	return d
}

func equalContentIsFound(t *testing.T, open Open) {
	c, reopen := open(t)
	l := mailbox(t, c, "a")
	f := folder(t, l, "INBOX")
	must(t, l.AddListed(t.Context(), append(pending(f, 1), migrate.Record{Folder: f, UID: 2, Outcome: migrate.Copied, Target: "neighbour", Digest: neighbour("x")})...))

	for o := range migrate.Outcomes {
		r := migrate.Record{Folder: f, UID: 1, Outcome: o, Target: migrate.MessageID(fmt.Sprint("id ", o)), Digest: digest("x"), Size: 9, Notes: []string{"n"}}
		must(t, l.Save(t.Context(), r))
		var want []migrate.Record
		if o.Arrived() {
			want = append(want, r)
		}
		l = mailbox(t, reopen(), "a")
		sameRecords(t, o.String(), byDigest(t, l, "x"), want)
	}
	must(t, l.Save(t.Context(), migrate.Record{Folder: f, UID: 1, Outcome: migrate.Copied, Target: "m", Digest: digest("x")}))
	must(t, l.Save(t.Context(), migrate.Record{Folder: f, UID: 1, Outcome: migrate.Copied, Target: "m", Digest: digest("y")}))
	same(t, "found with content that was replaced", len(byDigest(t, l, "x")), 0)
	same(t, "found with content that replaced it", len(byDigest(t, l, "y")), 1)
}

func equalContentInDoubtIsFound(t *testing.T, open Open) {
	c, _ := open(t)
	l := mailbox(t, c, "a")
	f, other := folder(t, l, "INBOX"), folder(t, l, "Sent")
	must(t, l.AddListed(t.Context(), migrate.Record{Folder: f, UID: 9, Doubt: true, Digest: neighbour("x")}))
	var doubts []migrate.Record
	for i, r := range append(pending(f, 1, 2), pending(other, 1)...) {
		r.Digest = digest("x")
		must(t, l.AddListed(t.Context(), r))
		same(t, "found without a doubt", len(byDigest(t, l, "x")), i)
		r.Doubt = true
		must(t, l.Save(t.Context(), r))
		doubts = append(doubts, r)
		rs := byDigest(t, l, "x")
		same(t, "found in doubt", len(rs), i+1)
		for _, r := range rs {
			if !slices.ContainsFunc(doubts, func(d migrate.Record) bool {
				return d.Folder == r.Folder && d.UID == r.UID && r.Doubt && r.Digest == d.Digest
			}) {
				t.Errorf("found %+v, which is not in doubt", r)
			}
		}
	}
	same(t, "found in doubt in another mailbox", len(byDigest(t, mailbox(t, c, "b"), "x")), 0)

	copied := doubts[2]
	copied.Doubt, copied.Outcome, copied.Target = false, migrate.Copied, "m"
	must(t, l.Save(t.Context(), copied))
	sameRecords(t, "found once one has arrived", byDigest(t, l, "x"), []migrate.Record{copied})
	for _, r := range []*migrate.Record{&copied, &doubts[0]} {
		r.Doubt, r.Outcome, r.Target = false, migrate.Failed, ""
		must(t, l.Save(t.Context(), *r))
	}
	sameRecords(t, "found once the others have failed", byDigest(t, l, "x"), doubts[1:2])
}

// A message that leaves doubt by arriving is found before, meanwhile and after.
func equalContentDoesNotSlipThrough(t *testing.T, open Open) {
	c, _ := open(t)
	l := mailbox(t, c, "a")
	f := folder(t, l, "INBOX")
	r := pending(f, 1)[0]
	r.Doubt, r.Digest = true, digest("x")
	must(t, l.AddListed(t.Context(), r))
	done := make(chan error, 1)
	go func() {
		for i := range 400 {
			r.Doubt, r.Outcome = i%2 == 1, migrate.Outcome((i+1)%2) // copied, pending, copied, ...
			if err := l.Save(t.Context(), r); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for {
		select {
		case err := <-done:
			must(t, err)
			return
		default:
			if n := len(byDigest(t, l, "x")); n != 1 {
				t.Errorf("found %d, want 1", n)
				must(t, <-done)
				return
			}
		}
	}
}

func equalContentStaysInMailbox(t *testing.T, open Open) {
	c, _ := open(t)
	a, b := mailbox(t, c, "a"), mailbox(t, c, "b")
	f := folder(t, a, "INBOX")
	must(t, a.AddListed(t.Context(), migrate.Record{Folder: f, UID: 1, Outcome: migrate.Copied, Target: "m", Digest: digest("x")}))
	same(t, "found in another mailbox", len(byDigest(t, b, "x")), 0)
	same(t, "found in its own mailbox", len(byDigest(t, a, "x")), 1)
}

func unreadMessagesAreNotEqual(t *testing.T, open Open) {
	c, _ := open(t)
	l := mailbox(t, c, "a")
	f := folder(t, l, "INBOX")
	must(t, l.AddListed(t.Context(), migrate.Record{Folder: f, UID: 1, Outcome: migrate.Adopted, Target: "m"}, migrate.Record{Folder: f, UID: 2, Doubt: true}))
	rs, err := l.ByDigest(t.Context(), migrate.Digest{}, false)
	must(t, err)
	same(t, "found", len(rs), 0)
}

func allEqualContentIsFound(t *testing.T, open Open) {
	c, reopen := open(t)
	l := mailbox(t, c, "a")
	f, other := folder(t, l, "INBOX"), folder(t, l, "Sent")
	all := func(s string) []migrate.Record {
		t.Helper()
		rs, err := l.ByDigest(t.Context(), digest(s), true)
		must(t, err)
		return rs
	}
	doubtful := migrate.Record{Folder: other, UID: 7, Doubt: true, Digest: digest("x")}
	must(t, l.AddListed(t.Context(), doubtful, migrate.Record{Folder: other, UID: 8, Outcome: migrate.Copied, Target: "y", Digest: neighbour("x"), Vanished: true}))
	sameRecords(t, "what is in doubt", all("x"), []migrate.Record{doubtful})

	// Those that arrived, and the vanished ones first, whatever their order.
	for uid := migrate.UID(1); uid <= 6; uid++ {
		r := migrate.Record{Folder: f, UID: uid, Outcome: migrate.Copied + migrate.Outcome(uid%3), Target: "m", Digest: digest("x"),
			Vanished: uid%2 == 0, Flags: []migrate.Flag{migrate.Seen}}
		must(t, l.AddListed(t.Context(), r))
	}
	must(t, l.AddListed(t.Context(), migrate.Record{Folder: f, UID: 9, Outcome: migrate.Moved, Digest: digest("x"), Vanished: true},
		migrate.Record{Folder: f, UID: 10, Outcome: migrate.Removed, Target: "r", Digest: digest("r"), Vanished: true}))
	same(t, "removed", len(all("r")), 1)
	same(t, "removed, when one that arrived is wanted", len(byDigest(t, l, "r")), 0)
	l = mailbox(t, reopen(), "a")
	rs := all("x")
	var vanished, there int
	for i, r := range rs {
		if r.Vanished {
			vanished++
		} else {
			there++
		}
		if r.Vanished != (i < 3) || !r.Outcome.Arrived() || len(r.Flags) != 1 {
			t.Errorf("%d: %+v", i, r)
		}
	}
	same(t, "vanished", vanished, 3)
	same(t, "there", there, 3)

	var many []migrate.Record
	for uid := migrate.UID(1); uid <= 1500; uid++ {
		many = append(many, migrate.Record{Folder: other, UID: 100 + uid, Outcome: migrate.Merged, Target: "z", Digest: digest("z"), Vanished: uid > 1490})
	}
	must(t, l.AddListed(t.Context(), many...))
	rs = all("z")
	same(t, "found of many", len(rs), 1000)
	if !rs[0].Vanished || !rs[9].Vanished || rs[10].Vanished {
		t.Error("those that have vanished do not come first")
	}
}
