package checkpointtest

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/proof"
	"github.com/mailhaul/mailhaul/migrate/report"
)

// reports returns the memory of a pair for reports.
func reports(t *testing.T, c Checkpoints, source string) report.Ledger {
	t.Helper()
	l, err := c.Reports(t.Context(), source, "new-"+source)
	must(t, err)
	return l
}

// notable returns the notable records of a mailbox.
func notable(t *testing.T, c Checkpoints, source string) (rs []migrate.Record) {
	t.Helper()
	for r, err := range reports(t, c, source).Notable(t.Context()) {
		must(t, err)
		rs = append(rs, r)
	}
	return rs
}

func recordSaysWhenItSettled(t *testing.T, open Open) {
	synctest.Test(t, func(t *testing.T) { // where time goes by at once
		c, _ := open(t)
		l := mailbox(t, c, "a")
		f := folder(t, l, "INBOX")
		r := migrate.Record{Folder: f, UID: 1, Outcome: migrate.Excluded}
		later := func() (now time.Time) {
			time.Sleep(time.Hour + time.Nanosecond)
			return time.Now().UTC().Truncate(time.Second)
		}
		wants := func(what string, want time.Time) {
			t.Helper()
			same(t, what, records(t, l, f)[0].Settled, want)
		}

		settled := later()
		must(t, l.AddListed(t.Context(), r))
		wants("listed with an outcome", settled)
		for o := range migrate.Outcomes {
			settled = later()
			r.Outcome = o
			must(t, l.Save(t.Context(), r))
			if o == migrate.Pending {
				settled = time.Time{}
			}
			wants("saved as "+o.String(), settled)
			later()
			r.Settled = time.Now() // is not believed
			must(t, l.Save(t.Context(), r))
			wants("saved once more as "+o.String(), settled)
		}
		r.Outcome = migrate.Pending
		must(t, l.Save(t.Context(), r))
		wants("made pending again", time.Time{})
		must(t, l.AddListed(t.Context(), migrate.Record{Folder: f, UID: 2}))
		same(t, "listed as pending", records(t, l, f)[1].Settled, time.Time{})
	})
}

func headsAreOfNotableRecords(t *testing.T, open Open) {
	c, reopen := open(t)
	l := mailbox(t, c, "a")
	f := folder(t, l, "INBOX")
	must(t, l.AddListed(t.Context(), pending(f, 1)...))
	for _, notes := range [][]string{nil, {"flag-dropped"}} {
		for o := range migrate.Outcomes {
			r := migrate.Record{Folder: f, UID: 1, Outcome: o, Notes: notes, MessageID: "<1@x>", Head: migrate.Head{From: "a@x", Subject: o.String()}}
			must(t, l.Save(t.Context(), r))
			c = reopen()
			l = mailbox(t, c, "a")
			want := []migrate.Record{r}
			if !r.Notable() {
				want[0].Head = migrate.Head{}
			}
			sameRecords(t, o.String(), records(t, l, f), want)
			if !r.Notable() {
				want = nil
			}
			sameRecords(t, "notable as "+o.String(), notable(t, c, "a"), want)
		}
	}
	// Also what was listed as notable, and with nothing to know it by.
	unread := migrate.Record{Folder: f, UID: 2, Outcome: migrate.Failed}
	must(t, l.AddListed(t.Context(), unread))
	sameRecords(t, "notable as listed", notable(t, c, "a"), []migrate.Record{unread})
}

func notableRecordsComeInOrder(t *testing.T, open Open) {
	c, _ := open(t)
	a, b := mailbox(t, c, "a"), mailbox(t, c, "b")
	one, other, two := folder(t, a, "INBOX"), folder(t, b, "INBOX"), folder(t, a, "Sent")
	const n = 1200
	var rs, others []migrate.Record
	for _, f := range []int64{two, one} {
		for uid := migrate.UID(n); uid > 0; uid-- {
			r := migrate.Record{Folder: f, UID: uid, Outcome: migrate.Failed, Head: migrate.Head{Subject: fmt.Sprint(f, uid)}}
			if rs = append(rs, r); uid%2 == 0 {
				rs[len(rs)-1].Outcome = migrate.Copied
				continue
			}
			r.Folder = other
			if f == one {
				others = append(others, r)
			}
		}
	}
	must(t, a.AddListed(t.Context(), rs...))
	must(t, b.AddListed(t.Context(), others...))
	slices.Reverse(rs)
	rs = slices.DeleteFunc(rs, func(r migrate.Record) bool { return !r.Notable() })
	sameRecords(t, "notable", notable(t, c, "a"), rs)
	slices.Reverse(others)
	sameRecords(t, "notable in the other mailbox", notable(t, c, "b"), others)

	seen := 0
	for r, err := range reports(t, c, "a").Notable(t.Context()) { // they may be saved meanwhile
		must(t, err)
		seen++
		r.Outcome = migrate.Pending
		must(t, a.Save(t.Context(), r))
	}
	same(t, "seen while they were saved", seen, n)
	same(t, "left after that", len(notable(t, c, "a")), 0)
}

func passesAreKept(t *testing.T, open Open) {
	c, reopen := open(t)
	l := mailbox(t, c, "a")
	must(t, l.SaveState(t.Context(), migrate.MailboxState{Position: "0"}))
	must(t, mailbox(t, c, "b").SaveState(t.Context(), migrate.MailboxState{Started: started, Error: "other"}))
	first := migrate.Pass{Started: started, Ended: started.Add(time.Hour), Complete: true}
	second := migrate.Pass{Started: started.Add(2 * time.Hour), Error: "login refused"}
	earlier := migrate.Pass{Started: started.Add(-time.Hour)} // the clock was set
	for _, s := range []migrate.MailboxState{
		{Started: first.Started},
		{Started: first.Started, Ended: first.Ended, Complete: true},
		{Started: second.Started, Position: "1"},
		{Started: second.Started, Error: second.Error, Cutover: started},
		{Started: earlier.Started},
	} {
		must(t, l.SaveState(t.Context(), s))
		l = mailbox(t, reopen(), "a")
	}
	c = reopen()
	ps, err := reports(t, c, "a").Passes(t.Context())
	must(t, err)
	for i := range ps {
		ps[i].Started, ps[i].Ended = ps[i].Started.In(started.Location()), ps[i].Ended.In(started.Location())
	}
	for _, p := range []*migrate.Pass{&first, &second, &earlier} {
		p.Ended = p.Ended.In(started.Location())
	}
	same(t, "passes", ps, []migrate.Pass{first, second, earlier})
}

func excludedAreCountedByRule(t *testing.T, open Open) {
	c, _ := open(t)
	l, other := mailbox(t, c, "a"), mailbox(t, c, "b")
	one, two, foreign := folder(t, l, "INBOX"), folder(t, l, "Sent"), folder(t, other, "INBOX")
	rules := func() map[string]int64 {
		t.Helper()
		n, err := reports(t, c, "a").Excluded(t.Context())
		must(t, err)
		return n
	}
	same(t, "none", rules(), map[string]int64{})
	excluded := func(folder int64, uid migrate.UID, rule string) migrate.Record {
		return migrate.Record{Folder: folder, UID: uid, Outcome: migrate.Excluded, Reason: rule, Notes: []string{fmt.Sprint(uid)}}
	}
	must(t, l.AddListed(t.Context(), excluded(one, 0, "old"), excluded(one, 2, "old"), excluded(one, 3, ""), excluded(two, 1<<32-1, "old"),
		migrate.Record{Folder: one, UID: 6, Outcome: migrate.Excluded}, migrate.Record{Folder: one, UID: 4, Outcome: migrate.Failed, Reason: "old"}, migrate.Record{Folder: two, UID: 5}))
	must(t, other.AddListed(t.Context(), excluded(foreign, 1, "old"), excluded(foreign, 2, "large")))
	same(t, "by rule", rules(), map[string]int64{"old": 3, "": 2})
}

func copiesAreCountedByTheHour(t *testing.T, open Open) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := open(t)
		l, other := mailbox(t, c, "a"), mailbox(t, c, "b")
		one, two, foreign := folder(t, l, "INBOX"), folder(t, l, "Sent"), folder(t, other, "INBOX")
		start := time.Now().UTC().Truncate(time.Hour)
		add := func(l migrate.Ledger, at time.Duration, rs ...migrate.Record) {
			t.Helper()
			time.Sleep(time.Until(start.Add(at)))
			must(t, l.AddListed(t.Context(), rs...))
		}
		copied := func(folder int64, uid migrate.UID, size int64) migrate.Record {
			return migrate.Record{Folder: folder, UID: uid, Outcome: migrate.Copied, Size: size}
		}
		add(l, time.Hour, copied(one, 0, 1<<40), migrate.Record{Folder: one, UID: 9, Size: 9})
		add(l, 2*time.Hour-time.Nanosecond, copied(two, 1<<32-1, 2))
		add(other, 2*time.Hour, copied(foreign, 1, 1000))
		add(l, 4*time.Hour, copied(one, 2, 4), migrate.Record{Folder: one, UID: 3, Outcome: migrate.Adopted, Size: 8},
			migrate.Record{Folder: one, UID: 4, Outcome: migrate.Merged, Size: 16}, migrate.Record{Folder: one, UID: 5, Outcome: migrate.Failed, Size: 32})
		hours, err := reports(t, c, "a").Timeline(t.Context())
		must(t, err)
		same(t, "hours", hours, []report.Hour{
			{Start: start.Add(time.Hour), Messages: 2, Bytes: 1<<40 + 2},
			{Start: start.Add(4 * time.Hour), Messages: 1, Bytes: 4},
		})
	})
}

// proofs returns the memory of a pair for the log.
func proofs(t *testing.T, c Checkpoints, source string) proof.Ledger {
	t.Helper()
	l, err := c.Proofs(t.Context(), source, "new-"+source)
	must(t, err)
	return l
}

// replicas returns the replicas of a folder.
func replicas(t *testing.T, c Checkpoints, source string, folder int64) (rs []migrate.Replica) {
	t.Helper()
	for r, err := range proofs(t, c, source).Replicas(t.Context(), folder) {
		must(t, err)
		rs = append(rs, r)
	}
	return rs
}

func replicasAreAsSaved(t *testing.T, open Open) {
	c, reopen := open(t)
	l := mailbox(t, c, "a")
	f, other := folder(t, l, "INBOX"), folder(t, l, "Sent")
	const n = 1200
	var rs []migrate.Record
	var want []migrate.Replica
	for i := range migrate.UID(n) {
		uid := i << 21 // the last one has the highest bit
		rs = append(rs, migrate.Record{Folder: f, UID: uid, Outcome: migrate.Copied, Target: "m"}, migrate.Record{Folder: other, UID: uid, Outcome: migrate.Copied, Target: "m"})
		want = append(want, migrate.Replica{UID: uid, Content: digest(fmt.Sprint(i))})
	}
	must(t, l.AddListed(t.Context(), rs...))
	v := verifications(t, c, "a")
	must(t, v.BeginVerification(t.Context(), migrate.Verification{Started: started}))
	backwards := slices.Clone(want)
	slices.Reverse(backwards)
	must(t, v.SaveVerified(t.Context(), migrate.FolderVerification{Folder: f}, backwards))
	want[7].Content = digest("another")
	must(t, v.SaveVerified(t.Context(), migrate.FolderVerification{Folder: f}, want[7:8]))
	must(t, v.SaveVerified(t.Context(), migrate.FolderVerification{Folder: other}, want[:1]))
	must(t, v.BeginVerification(t.Context(), migrate.Verification{Started: started.Add(time.Hour)})) // and still they count
	c = reopen()
	same(t, "replicas", replicas(t, c, "a", f), want)
	same(t, "replicas of the other folder", replicas(t, c, "a", other), want[:1])
	mailbox(t, c, "b")
	same(t, "replicas seen by another mailbox", len(replicas(t, c, "b", f)), 0)
	for range proofs(t, c, "a").Replicas(t.Context(), f) {
		break // a reader may stop early
	}

	foreign := folder(t, mailbox(t, c, "b"), "INBOX")
	wantError(t, "a folder of another mailbox", verifications(t, c, "a").SaveVerified(t.Context(), migrate.FolderVerification{Folder: foreign}, want))
	same(t, "replicas after that", len(replicas(t, c, "b", foreign)), 0)
}

func replicasAreOfThisOutcome(t *testing.T, open Open) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := open(t)
		l := mailbox(t, c, "a")
		f := folder(t, l, "INBOX")
		r := migrate.Record{Folder: f, UID: 1, Outcome: migrate.Copied, Target: "m"}
		must(t, l.AddListed(t.Context(), r))
		v := verifications(t, c, "a")
		must(t, v.BeginVerification(t.Context(), migrate.Verification{Started: started}))
		read := migrate.Replica{UID: 1, Content: digest("x")}
		must(t, v.SaveVerified(t.Context(), migrate.FolderVerification{Folder: f}, []migrate.Replica{read}))
		counts := func(what string, n int) {
			t.Helper()
			same(t, "replicas "+what, len(replicas(t, c, "a", f)), n)
		}
		save := func(change func(r *migrate.Record)) {
			t.Helper()
			change(&r)
			must(t, l.Save(t.Context(), r))
		}
		counts("as read back", 1)
		time.Sleep(time.Second)
		save(func(r *migrate.Record) { r.Vanished = true })
		counts("of a message that has vanished", 1)
		save(func(r *migrate.Record) { r.Outcome = migrate.Pending })
		counts("of a message that is to be copied again", 0)
		save(func(r *migrate.Record) { r.Outcome = migrate.Copied })
		counts("of a message that was copied again", 0)
		must(t, v.SaveVerified(t.Context(), migrate.FolderVerification{Folder: f}, []migrate.Replica{read}))
		counts("as read back again", 1)
		save(func(r *migrate.Record) { r.Outcome = migrate.Removed })
		counts("of a message that was removed in that second", 0)
	})
}
