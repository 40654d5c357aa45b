package checkpointtest

import (
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

func tallyCounts(t *testing.T, open Open) {
	c, reopen := open(t)
	l := mailbox(t, c, "a")
	s := migrate.FolderState{
		Folder: migrate.Folder{Path: []string{"A", "B"}, Role: migrate.RoleSent, UIDValidity: 9},
		Name:   "A-B", Note: "renamed",
	}
	must(t, l.SaveFolder(t.Context(), &s))
	empty := migrate.FolderState{Folder: migrate.Folder{Path: []string{"Empty"}, UIDValidity: 1}}
	must(t, l.SaveFolder(t.Context(), &empty))

	want := migrate.Tally{
		ID: s.ID, Mailbox: "a", To: "new-a", Folder: migrate.Folder{Path: []string{"A", "B"}, Role: migrate.RoleSent, UIDValidity: 9}, Target: "A-B", Note: "renamed",
		Doubts: 4, Vanished: int64(migrate.Outcomes), Left: 3,
	}
	uid := migrate.UID(0)
	for o := range migrate.Outcomes {
		for i := range int64(o) + 3 {
			uid++
			r := pending(s.ID, uid)[0]
			must(t, l.AddListed(t.Context(), r))
			r.Outcome, r.Size, r.Doubt, r.Vanished = o, 1<<o+i, (o == migrate.Pending || o == migrate.Failed) && i < 2, i == 0
			must(t, l.Save(t.Context(), r))
			want.Listed++
			want.Count[o]++
			want.Bytes[o] += r.Size
		}
	}
	got, err := reopen().Tally(t.Context())
	must(t, err)
	same(t, "tallies", got, []migrate.Tally{want, {ID: empty.ID, Mailbox: "a", To: "new-a", Folder: migrate.Folder{Path: []string{"Empty"}, UIDValidity: 1}}})
	must(t, want.Check())
}

func tallyCoversNamed(t *testing.T, open Open) {
	c, _ := open(t)
	for i, source := range []string{"a", "b", "c"} {
		l := mailbox(t, c, source)
		f := folder(t, l, "INBOX")
		for uid := range migrate.UID(i + 1) {
			must(t, l.AddListed(t.Context(), pending(f, uid+1)...))
		}
	}
	for _, test := range []struct {
		sources []string
		listed  map[string]int64
	}{
		{nil, map[string]int64{"a": 1, "b": 2, "c": 3}},
		{[]string{"b"}, map[string]int64{"b": 2}},
		{[]string{"c", "a", "c"}, map[string]int64{"a": 1, "c": 3}},
		{[]string{"d"}, map[string]int64{}},
		{[]string{"d", "a"}, map[string]int64{"a": 1}},
	} {
		ts, err := c.Tally(t.Context(), test.sources...)
		must(t, err)
		listed := make(map[string]int64)
		for _, tally := range ts {
			listed[tally.Mailbox] += tally.Listed
		}
		same(t, "listed by mailbox", listed, test.listed)
	}
}

func tallyAddsUpMeanwhile(t *testing.T, open Open) {
	c, _ := open(t)
	l := mailbox(t, c, "a")
	var ids []int64
	for _, name := range []string{"1", "2", "3", "4"} {
		ids = append(ids, folder(t, l, name))
	}
	done := make(chan error, 1)
	go func() {
		for i := range 200 {
			var rs []migrate.Record
			for _, f := range ids { // one call for all folders: a tally sees all of it or nothing
				rs = append(rs, pending(f, migrate.UID(i*2+1), migrate.UID(i*2+2))...)
			}
			if err := l.AddListed(t.Context(), rs...); err != nil {
				done <- err
				return
			}
			for k := range rs {
				rs[k].Outcome = migrate.Gone
			}
			if err := l.Save(t.Context(), rs...); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for running := true; running; {
		select {
		case err := <-done:
			must(t, err)
			running = false
		default:
		}
		ts, err := c.Tally(t.Context())
		must(t, err)
		for _, tally := range ts {
			if err := tally.Check(); err != nil {
				t.Fatal(err)
			}
			if tally.Count != ts[0].Count {
				t.Fatalf("folder %s has %v and folder %s has %v, which were saved together", tally.Folder, tally.Count, ts[0].Folder, ts[0].Count)
			}
		}
	}
}
