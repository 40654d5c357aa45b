package assess

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

func TestGrowthGoesWithTimeThoughNothingArrives(t *testing.T) {
	for _, change := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			w := &world{}
			b := w.folder("INBOX", migrate.Message{Size: 1, InternalDate: time.Now().AddDate(-1, 0, 0)})
			other := w.folder("Other")
			for i := range 90 {
				b.add(migrate.Message{Size: 1000, InternalDate: time.Now().AddDate(0, 0, -i)})
			}
			if err := w.assess(t, nil, options()).Save(dir); err != nil {
				t.Fatal(err)
			}
			time.Sleep(60 * 24 * time.Hour)
			if change {
				other.add(migrate.Message{Size: 7})
			}
			a := w.assess(t, Open(dir, "ann"), options())
			if m, _ := a.Growth(); len(a.Days) != 30 || m != 30.0/90 {
				t.Errorf("changed %v: after two months without mail it grows by %g a day, from %d days", change, m, len(a.Days))
			}
			if !a.Made.Equal(time.Now()) {
				t.Errorf("it was made at %v", a.Made)
			}
		})
	}
}

func TestAFolderThatCouldNotBeReadIsTriedAgain(t *testing.T) {
	dir := t.TempDir()
	w := &world{}
	w.folder("INBOX", sized(4, 1000)...)
	w.folder("Bad", sized(4, 1000)...)
	w.fail = func(op, folder string, _ migrate.UID) error {
		if op == "list" && folder == "Bad" {
			return errNoFile
		}
		return nil
	}
	if err := w.assess(t, nil, options()).Save(dir); err != nil {
		t.Fatal(err)
	}
	w.fail, w.listed = nil, nil
	if a := w.assess(t, Open(dir, "ann"), options()); a.Total().Messages != 8 || !slices.Equal(w.listed, []string{"Bad"}) {
		t.Errorf("in all %+v, listed %v", a.Total(), w.listed)
	}
}

func TestAFolderThatHoldsNoMailIsNotListed(t *testing.T) {
	w := &world{}
	w.folder("Top", sized(4, 1000)...).NoSelect = true
	if a := w.assess(t, nil, options()); a.Total().Messages != 0 || len(w.listed) != 0 {
		t.Errorf("in all %+v, listed %v", a.Total(), w.listed)
	}
}

func TestProgressCountsWhatIsListed(t *testing.T) {
	dir := t.TempDir()
	w := &world{}
	w.folder("INBOX", sized(10, 1000)...)
	w.folder("Work", sized(5, 1000)...)
	w.folder("Junk", sized(7, 1000)...)
	w.folder("Top").NoSelect = true
	o := options()
	o.Rules.Folder = func(f migrate.Folder) string { return map[string]string{"Junk": "no"}[f.Path[0]] }
	shown := func(kept *Assessment) migrate.MailboxSnapshot {
		p := new(migrate.Progress)
		o.Progress = p.Add("ann", "ann")
		if err := w.assess(t, kept, o).Save(dir); err != nil {
			t.Fatal(err)
		}
		return p.Snapshot()[0]
	}
	if s := shown(nil); s.Total != 15 || s.Listed != 15 || s.Done != 15 || s.Bytes != 15_000 || s.Known != 0 {
		t.Errorf("%+v", s)
	}
	w.folders[1].add(sized(1, 7)...)
	if s := shown(Open(dir, "ann")); s.Total != 16 || s.Listed != 16 || s.Done != 6 || s.Known != 10 {
		t.Errorf("%+v", s)
	}
	if s := shown(Open(dir, "ann")); s.Total != 16 || s.Listed != 16 || s.Known != 16 {
		t.Errorf("%+v", s)
	}
}

func TestFlagsWithoutEndAreBounded(t *testing.T) {
	w := &world{}
	b := w.folder("INBOX")
	long := migrate.Flag(strings.Repeat("x", 1000))
	b.add(migrate.Message{Flags: []migrate.Flag{long, "z"}}, migrate.Message{Flags: []migrate.Flag{long, "z"}}, migrate.Message{Flags: []migrate.Flag{"b", "z"}}, migrate.Message{Flags: []migrate.Flag{"b"}})
	for i := range 150 {
		b.add(migrate.Message{Flags: []migrate.Flag{migrate.Flag(fmt.Sprint("k", i))}})
	}
	a := w.assess(t, nil, options())
	if len(a.Flags) != 100 || a.MoreFlags != 53 || a.Flags[0] != (FlagCount{"z", 3}) || a.Flags[1] != (FlagCount{"b", 2}) || a.Flags[2].Flag != long[:maxFlag] {
		t.Errorf("%d flags and %d more, first %v", len(a.Flags), a.MoreFlags, a.Flags[:2])
	}
	for i := range maxFlags {
		b.add(migrate.Message{Flags: []migrate.Flag{migrate.Flag(fmt.Sprint("more", i)), migrate.Flag(fmt.Sprint("much", i))}})
	}
	w.folder("Other", migrate.Message{Flags: []migrate.Flag{"late"}})
	a = w.assess(t, nil, options())
	if len(a.Flags) != 100 || a.MoreFlags != maxFlags-100+1 {
		t.Errorf("%d flags and %d more", len(a.Flags), a.MoreFlags)
	}
}

func TestFlagsAreSpelledAsMostMessagesDo(t *testing.T) {
	for range 20 { // whatever the order of maps
		w := &world{}
		w.folder("A", migrate.Message{Flags: []migrate.Flag{"work", "tie"}}, migrate.Message{Flags: []migrate.Flag{"WORK"}}, migrate.Message{Flags: []migrate.Flag{"WORK", "Other"}})
		w.folder("B", migrate.Message{Flags: []migrate.Flag{"work", "TIE"}}, migrate.Message{Flags: []migrate.Flag{"work", "Other", "tie", "TIE"}})
		a := w.assess(t, nil, options())
		if want := []FlagCount{{"work", 5}, {"TIE", 4}, {"Other", 2}}; !slices.Equal(a.Flags, want) {
			t.Fatalf("%v, want %v", a.Flags, want)
		}
	}
}

func TestNumbersThatCannotBeDoNoHarm(t *testing.T) {
	w := &world{}
	b := w.folder("INBOX", migrate.Message{Size: math.MaxInt64, MessageID: "<a>"}, migrate.Message{Size: -5, MessageID: "<b>"}, migrate.Message{Size: math.MaxInt64, MessageID: "<a>"},
		migrate.Message{Size: 5 << 30, MessageID: "<c>"}, migrate.Message{Size: 5 << 30, MessageID: "<c>"})
	b.Messages, b.Bytes = math.MaxInt64, math.MinInt64
	w.folder("Less").Messages = -1
	a := w.assess(t, nil, options())
	if a.Total() != (Tally{5, 2*maxSize + 10<<30}) {
		t.Errorf("in all %+v", a.Total())
	}
	l := Load(a, Target{Labels: true})
	for _, s := range l.Sizes {
		if s.Messages <= 0 || s.Bytes < 0 {
			t.Errorf("load %+v", l)
		}
	}
	o := options()
	o.Depth = Fast
	if total := w.assess(t, nil, o).Total(); total.Messages < 0 || total.Bytes < 0 {
		t.Errorf("fast %+v", total)
	}
}
