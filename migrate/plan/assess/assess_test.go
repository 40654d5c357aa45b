package assess

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

func TestAnAssessmentCountsWhatIsThere(t *testing.T) {
	w := &world{}
	w.folder("INBOX",
		migrate.Message{Size: 900, InternalDate: day, MessageID: "<a>", Flags: []migrate.Flag{`\Seen`, "Project"}},
		migrate.Message{Size: 1024, InternalDate: day.AddDate(0, 1, 0), MessageID: "<b>", Flags: []migrate.Flag{`\seen`, `\Seen`, "project"}},
		migrate.Message{Size: 1025, InternalDate: day, MessageID: "<c>", Flags: []migrate.Flag{"Project"}},
		migrate.Message{Size: 3_000_001, MessageID: "<d>"})
	w.folder("Clients/2009",
		migrate.Message{Size: 900, InternalDate: day, MessageID: "<a>"},
		migrate.Message{Size: 900, InternalDate: day, MessageID: "<b>"},
		migrate.Message{Size: 900, InternalDate: day})
	a := w.assess(t, nil, options())

	if got, want := a.Total(), (Tally{7, 900 + 1024 + 1025 + 3_000_001 + 2700}); got != want {
		t.Errorf("in all %+v, want %+v", got, want)
	}
	wantSizes := []Class{{1024, Tally{5, 3600 + 1024}}, {2048, Tally{1, 1025}}, {4 << 20, Tally{1, 3_000_001}}}
	if !slices.Equal(a.Sizes, wantSizes) {
		t.Errorf("sizes %v, want %v", a.Sizes, wantSizes)
	}
	if want := []Class{{1024, Tally{1, 900}}}; !slices.Equal(a.Doubles, want) || a.Shared != 1 {
		t.Errorf("doubles %v, %d shared; want %v and 1: another size, or no Message-ID, is another message", a.Doubles, a.Shared, want)
	}
	month := func(m time.Month) time.Time { return time.Date(2009, m, 1, 0, 0, 0, 0, time.UTC) }
	wantMonths := []Period{{month(7), Tally{5, 4*900 + 1025}}, {month(8), Tally{1, 1024}}}
	if !slices.Equal(a.Months, wantMonths) {
		t.Errorf("months %v, want %v", a.Months, wantMonths)
	}
	if a.Undated != 1 || !a.Oldest.Equal(day) || !a.Newest.Equal(day.AddDate(0, 1, 0)) {
		t.Errorf("undated %d, from %v to %v", a.Undated, a.Oldest, a.Newest)
	}
	if want := []FlagCount{{"Project", 3}, {`\Seen`, 3}}; !slices.Equal(a.Flags, want) {
		t.Errorf("flags %v, want %v", a.Flags, want)
	}
	if l := a.Largest; len(l) != 7 || l[0].Size != 3_000_001 || l[0].UID != 4 || l[0].Folder[0] != "INBOX" || l[1].Size != 1025 || l[6].Size != 900 {
		t.Errorf("largest %v", l)
	}
	if f := a.Folders[1]; f.Messages != 3 || f.Bytes != 2700 || f.Largest != 900 || !f.Newest.Equal(day) {
		t.Errorf("folder %+v", f)
	}
	if a.Content.Messages != 7 || a.Content.Of != 7 {
		t.Errorf("content %+v", a.Content)
	}
}

func TestOnlyTheTenLargestMessagesAreNamed(t *testing.T) {
	w := &world{}
	b := w.folder("INBOX")
	for i := range 40 {
		b.add(sized(1, int64(1000+i*37%40))...)
	}
	w.folder("More", sized(1, 1035)...)
	a := w.assess(t, nil, options())
	var sizes []int64
	for _, l := range a.Largest {
		sizes = append(sizes, l.Size)
	}
	if want := []int64{1039, 1038, 1037, 1036, 1035, 1035, 1034, 1033, 1032, 1031}; !slices.Equal(sizes, want) {
		t.Errorf("largest %v, want %v", sizes, want)
	}
}

func TestMessagesInSeveralFoldersAreCountedOnce(t *testing.T) {
	w := &world{}
	w.folder("INBOX", append(sized(500, 1000), sized(500, 1000)...)...)
	w.folder("Work", sized(400, 1000)...)
	w.folder("More", append(sized(100, 1000), sized(50, 2000)...)...)
	if a := w.assess(t, nil, options()); a.Shared != 400 || len(a.Doubles) != 1 || a.Doubles[0].Messages != 1000 {
		t.Errorf("%v, %d shared", a.Doubles, a.Shared)
	}
}

func TestAnyPrintIsOneOfAMessage(t *testing.T) {
	parts := []*survey{{prints: []uint64{7, 0}, octets: []uint32{20, 10}}, {}, {prints: []uint64{0, 1 << 63, 7}, octets: []uint32{10, 30, 20}}}
	classes, shared := doubles(parts, []Class{{Most: 10}, {Most: 20}, {Most: 40}})
	if want := []Class{{10, Tally{1, 10}}, {20, Tally{1, 20}}}; !slices.Equal(classes, want) || shared != 2 {
		t.Errorf("%v, %d shared, want %v and 2", classes, shared, want)
	}
}

func TestMessagesWithoutMessageIDAreNoDoubles(t *testing.T) {
	w := &world{}
	w.folder("INBOX", migrate.Message{Size: 900}, migrate.Message{Size: 900}, migrate.Message{Size: 900, MessageID: "<a>"})
	if a := w.assess(t, nil, options()); len(a.Doubles) != 0 || a.Shared != 0 {
		t.Errorf("%v, %d shared", a.Doubles, a.Shared)
	}
}

func TestGrowthIsThatOfTheLastNinetyDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		w := &world{}
		b := w.folder("INBOX", migrate.Message{Size: 100, InternalDate: now.AddDate(-5, 0, 0)})
		for i := range 180 {
			b.add(migrate.Message{Size: 1000, InternalDate: now.Add(-time.Duration(i) * 12 * time.Hour)})
		}
		b.add(migrate.Message{Size: 1000, InternalDate: now.AddDate(0, 0, -91)})
		a := w.assess(t, nil, options())
		if m, o := a.Growth(); m < 1.97 || m > 2 || o != 1000*m {
			t.Errorf("%g messages and %g octets a day, want 2 and 2000", m, o)
		}
		if n := len(a.parts[0].Days); n > daysMost {
			t.Errorf("%d days are held", n)
		}
		if l := Load(a, Target{}); l.Perday.Messages != 2 || l.Perday.Bytes < 1980 || l.Perday.Bytes > 2000 {
			t.Errorf("the load grows by %+v", l.Perday)
		}

		young := &world{}
		young.folder("INBOX", migrate.Message{Size: 10, InternalDate: now.Add(-36 * time.Hour)}, migrate.Message{Size: 30, InternalDate: now})
		if m, o := young.assess(t, nil, options()).Growth(); m != 1 || o != 20 {
			t.Errorf("a mailbox of two days grows by %g messages and %g octets a day, want 1 and 20", m, o)
		}
		if m, _ := new(world).assess(t, nil, options()).Growth(); m != 0 {
			t.Errorf("an empty mailbox grows by %g", m)
		}
	})
}

func TestDatesThatCannotBeAreCountedApart(t *testing.T) {
	w := &world{}
	w.folder("INBOX", migrate.Message{InternalDate: time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)}, migrate.Message{InternalDate: time.Now().AddDate(0, 0, 3)},
		migrate.Message{}, migrate.Message{InternalDate: day})
	if a := w.assess(t, nil, options()); a.Undated != 3 || len(a.Months) != 1 {
		t.Errorf("%d undated, months %v", a.Undated, a.Months)
	}
}

func TestWhatRulesLeaveOutIsCountedByThem(t *testing.T) {
	w := &world{}
	w.folder("INBOX", migrate.Message{Size: 10, MessageID: "<a>", InternalDate: day, Flags: []migrate.Flag{`\Deleted`}}, migrate.Message{Size: 20, InternalDate: day})
	w.folder("Junk", sized(5, 100)...)
	o := options()
	o.Rules = migrate.Rules{
		Folder: func(f migrate.Folder) string { return strings.TrimPrefix(f.Path[0], "INBOX") },
		Message: func(m *migrate.Message) string {
			if m.HasFlag(migrate.Deleted) {
				return "deleted"
			}
			return ""
		}}
	a := w.assess(t, nil, o)
	if want := []Exclusion{{"deleted", Tally{1, 10}}}; !slices.Equal(a.Excluded, want) {
		t.Errorf("left out: %v, want %v", a.Excluded, want)
	}
	if a.Total() != (Tally{1, 20}) || a.Folders[1].Rule != "Junk" || len(a.Flags) != 0 || a.Folders[0].Bytes != 30 {
		t.Errorf("in all %+v, flags %v, folders %+v", a.Total(), a.Flags, a.Folders)
	}
	if !slices.Equal(w.listed, []string{"INBOX"}) || !slices.Equal(w.read, []string{"INBOX 2"}) {
		t.Errorf("listed %v, read %v", w.listed, w.read)
	}
	if l := Load(a, Target{}); l.Folders != 1 || !slices.Equal(l.Sizes, loadSizes(1, 20)) {
		t.Errorf("load %+v", l)
	}
}

func TestAFastAssessmentReadsNoMessage(t *testing.T) {
	w := &world{}
	w.folder("INBOX", sized(3, 1000)...)
	w.folder("Top").NoSelect = true
	o := options()
	o.Depth = Fast
	a := w.assess(t, nil, o)
	if a.Total() != (Tally{3, 3000}) || len(w.listed)+len(w.read) != 0 {
		t.Errorf("in all %+v; listed %v, read %v", a.Total(), w.listed, w.read)
	}
	if l := Load(a, Target{}); !slices.Equal(l.Sizes, loadSizes(3, 3000)) || l.Folders != 2 {
		t.Errorf("load %+v", l)
	}
	w.folders[0].Bytes = 0
	if l := Load(w.assess(t, nil, o), Target{}); !slices.Equal(l.Sizes, loadSizes(3, 3*Typical)) {
		t.Errorf("without sizes the load is %+v", l)
	}
}

func TestAnAssessmentGoesOnWhereTheConnectionBroke(t *testing.T) {
	for _, op := range []string{"folders", "list", "read"} {
		synctest.Test(t, func(t *testing.T) {
			w := &world{}
			w.folder("INBOX", sized(10, 1000)...)
			uid := map[string]migrate.UID{"folders": 0, "list": 4, "read": 5}[op]
			w.fail = once(op, uid, false, errBroken)
			o := options()
			o.Depth = Deep
			a := w.assess(t, nil, o)
			if a.Total().Messages != 10 || a.Content.Messages != 10 || len(w.read) != 10 {
				t.Errorf("%s: %+v, content %+v, read %v", op, a.Total(), a.Content, w.read)
			}
		})
	}
}

func TestPatienceStartsAgainWhenAListingGetsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		w.folder("INBOX", sized(30, 1000)...)
		failed := map[migrate.UID]int{}
		w.fail = func(op, _ string, uid migrate.UID) error {
			if failed[uid]++; op == "list" && failed[uid] == 1 {
				return errBroken
			}
			return nil
		}
		o := options()
		o.Retry.Patience = 2 * time.Second // of three failures in a row
		if a := w.assess(t, nil, o); a.Total().Messages != 30 {
			t.Errorf("%+v", a.Total())
		}
	})
}

func TestAFolderThatCannotBeListedDoesNotStopTheOthers(t *testing.T) {
	w := &world{}
	w.folder("Bad", sized(4, 1000)...)
	w.folder("Gone", sized(4, 1000)...)
	w.folder("Dark", sized(4, 1000)...).UIDValidity = 0
	w.folder("INBOX", sized(2, 1000)...)
	w.fail = func(op, folder string, _ migrate.UID) error {
		switch {
		case op == "list" && folder == "Bad":
			return errNoFile
		case op == "list" && folder == "Gone":
			return fmt.Errorf("open: %w", migrate.ErrFolderGone)
		}
		return nil
	}
	a := w.assess(t, nil, options())
	if f := a.Folders; f[0].Err == "" || f[0].Hint != "Look at it." || f[1].Err == "" || !strings.Contains(f[2].Err, "UIDVALIDITY") || f[3].Err != "" {
		t.Errorf("folders %+v", a.Folders)
	}
	if a.Total().Messages != 2 || Load(a, Target{}).Folders != 1 {
		t.Errorf("in all %+v", a.Total())
	}

	w.fail = once("list", 1, true, errRefused)
	if _, err := Mailbox(t.Context(), "ann", w, nil, options()); !errors.Is(err, errRefused) {
		t.Errorf("a fatal error gives %v", err)
	}
}

func TestAMessageThatCannotBeReadDoesNotStopTheOthers(t *testing.T) {
	w := &world{}
	w.folder("INBOX", sized(9, 1000)...)
	for uid := range migrate.UID(9) {
		w.fail, w.read = once("read", uid+1, true, errNoFile), nil
		a := w.assess(t, nil, options())
		if a.Content.Messages != 8 || a.Content.Of != 9 || len(w.read) != 8 {
			t.Errorf("content %+v, read %v", a.Content, w.read)
		}
	}
	asked := 0
	w.fail = func(op, _ string, _ migrate.UID) error {
		if op != "read" {
			return nil
		}
		asked++
		return fmt.Errorf("open: %w", migrate.ErrFolderGone)
	}
	if a := w.assess(t, nil, options()); a.Content.Messages != 0 || asked != 1 {
		t.Errorf("of a folder that is gone, content %+v, asked %d times", a.Content, asked)
	}
	w.fail = once("read", 5, true, errRefused)
	if _, err := Mailbox(t.Context(), "ann", w, nil, options()); !errors.Is(err, errRefused) {
		t.Errorf("a fatal error gives %v", err)
	}
}

func TestALaterAssessmentReadsOnlyFoldersThatChanged(t *testing.T) {
	change := map[string]func(w *world){
		"nothing":     func(*world) {},
		"a message":   func(w *world) { w.folders[1].add(sized(1, 5000)...) },
		"a deletion":  func(w *world) { b := w.folders[1]; b.mail = b.mail[1:]; b.Messages-- },
		"a flag":      func(w *world) { b := w.folders[1]; b.mail[0].Flags = []migrate.Flag{"new"}; b.ModSeq++ },
		"made anew":   func(w *world) { w.folders[1].UIDValidity++ },
		"a folder":    func(w *world) { w.folder("New", sized(1, 70)...) },
		"one is gone": func(w *world) { w.folders = w.folders[:1] },
	}
	listed := map[string][]string{"nothing": nil, "one is gone": nil, "a folder": {"New"}}
	for name, fn := range change {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			w := &world{}
			w.folder("INBOX", append(sized(250, 1000), sized(1, 40_000)...)...)
			w.folder("Work", append(sized(20, 1000), migrate.Message{Size: 7, InternalDate: day, Flags: []migrate.Flag{"old"}})...)
			w.folders[0].bodies[3] = strings.Replace(plain, "Date", "Dated", 1)
			if err := w.assess(t, nil, options()).Save(dir); err != nil {
				t.Fatal(err)
			}
			fn(w)
			w.listed, w.read = nil, nil
			got := w.assess(t, Open(dir, "ann"), options())
			want, ok := listed[name]
			if !ok {
				want = []string{"Work"}
			}
			if !slices.Equal(w.listed, want) {
				t.Errorf("listed %v, want %v", w.listed, want)
			}
			if len(w.read) > 40 {
				t.Errorf("%d messages were read again", len(w.read))
			}
			anew := w.assess(t, nil, options())
			anew.Made, anew.parts, got.parts, got.file = got.Made, nil, nil, ""
			if !reflect.DeepEqual(got, anew) {
				t.Errorf("it is\n%+v, anew it would be\n%+v", got, anew)
			}
		})
	}
}
