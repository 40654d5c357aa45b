package assess

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

func TestAnAssessmentIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "for it")
	w := &world{}
	w.folder("INBOX", sized(20_000, 1000)...)
	w.folder("Empty")
	a := w.assess(t, nil, options())
	parts := a.parts
	if err := a.Save(dir); err != nil {
		t.Fatal(err)
	}
	if a.parts != nil {
		t.Error("what only a later assessment needs is still in memory")
	}
	got := Open(dir, "ann")
	if !reflect.DeepEqual(got, a) {
		t.Errorf("it is\n%+v, and was\n%+v", got, a)
	}
	for i, s := range got.surveys() {
		if k := parts[i]; !slices.Equal(s.prints, k.prints) || !slices.Equal(s.octets, k.octets) || !reflect.DeepEqual(s.Tickets, k.Tickets) || s.State != k.State {
			t.Errorf("survey %d is another", i)
		}
	}
	if len(got.surveys()) != 2 {
		t.Error("surveys are lost")
	}
	files, _ := os.ReadDir(dir)
	if len(files) != 1 {
		t.Fatalf("files %v", files)
	}
	info, _ := files[0].Info()
	if info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v", info.Mode())
	}
	if most := int64(20_000 * 13); info.Size() > most {
		t.Errorf("it has %d octets, want at most %d", info.Size(), most)
	}
	if Open(dir, "joe") != nil || Open(t.TempDir(), "ann") != nil {
		t.Error("there is one of another mailbox, or in another directory")
	}
}

func TestAnAssessmentThatWasTakenOverKeepsWhatIsKept(t *testing.T) {
	dir := t.TempDir()
	w := &world{}
	w.folder("INBOX", sized(10, 1000)...)
	b := w.folder("Work", sized(10, 1000)...)
	for range 3 {
		if err := w.assess(t, Open(dir, "ann"), options()).Save(dir); err != nil {
			t.Fatal(err)
		}
	}
	b.add(sized(1, 70)...)
	w.listed = nil
	if w.assess(t, Open(dir, "ann"), options()); !slices.Equal(w.listed, []string{"Work"}) {
		t.Errorf("listed %v", w.listed)
	}
}

func TestAnAssessmentThatCannotBeKeptLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	w := &world{}
	w.folder("INBOX", sized(10, 1000)...)
	if err := os.MkdirAll(filepath.Join(fileOf(dir, "ann"), "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := w.assess(t, Open(dir, "ann"), options()).Save(dir); err == nil {
		t.Error("there is no error")
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("left is %v", files)
	}
}

func TestADamagedOrForeignFileIsAsNone(t *testing.T) {
	dir := t.TempDir()
	w := &world{}
	w.folder("INBOX", sized(60, 1000)...)
	if err := w.assess(t, nil, options()).Save(dir); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(fileOf(dir, "ann"))
	if err != nil {
		t.Fatal(err)
	}
	w.folder("New", sized(1, 1000)...)
	want := w.assess(t, nil, options())
	try := func(what string, i int, octets []byte) {
		if err := os.WriteFile(fileOf(dir, "ann"), octets, 0o600); err != nil {
			t.Fatal(err)
		}
		w.listed = nil
		got := w.assess(t, Open(dir, "ann"), options())
		got.Made, got.parts, want.parts = want.Made, nil, nil
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s %d: it is\n%+v, want\n%+v", what, i, got, want)
		}
	}
	for i := 0; i < len(whole); i += 1 + len(whole)/25 {
		try("cut at", i, whole[:i])
		if len(w.listed) != 2 {
			t.Errorf("a file cut at %d is used", i)
		}
		changed := bytes.Clone(whole)
		changed[i] ^= 0x10
		try("changed at", i, changed)
	}
	try("of another version", 0, bytes.Replace(whole, []byte("assessment 1"), []byte("assessment 2"), 1))
	if len(w.listed) != 2 {
		t.Error("a file of another version is used")
	}
	other := fileOf(dir, "joe")
	os.WriteFile(other, whole, 0o600)
	if Open(dir, "joe") != nil {
		t.Error("the file of another mailbox is used")
	}
}

func TestAnAssessmentWithOtherTermsIsNotUsed(t *testing.T) {
	w := &world{}
	w.folder("INBOX", sized(10, 1000)...)
	kept := w.assess(t, nil, options())
	for what, change := range map[string]func(*Options){
		"rules":   func(o *Options) { o.Rules = migrate.Rules{Version: "2"} },
		"bounds":  func(o *Options) { o.Bounds = []int64{7} },
		"blocked": func(o *Options) { o.Blocked = nil },
		"sealed":  func(o *Options) { o.Sealed = 7 },
	} {
		o := options()
		change(&o)
		w.listed = nil
		if w.assess(t, kept, o); len(w.listed) == 0 {
			t.Errorf("one with other %s is used", what)
		}
	}
	w.listed = nil
	if a, err := Mailbox(t.Context(), "joe", w, kept, options()); err != nil || a.Mailbox != "joe" || len(w.listed) == 0 {
		t.Errorf("that of another mailbox is used: %v", err)
	}
	o := options()
	o.Bounds, o.Blocked = []int64{3_000_000}, []string{"js", "exe"}
	w.listed = nil
	if w.assess(t, kept, o); len(w.listed) != 0 {
		t.Error("one with the same terms in another order is not used")
	}
}
