package gmail

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
)

// A renaming is what folders are called, and called later.
type renaming struct {
	name   string
	o      gmailsim.Options
	before string // paths separated by spaces
	after  string // of the same folders, and maybe of new ones
	labels string // what they are called, a space in it as "_"
	note   string // a part of the first one's
}

var renamings = []renaming{
	{name: "nested", before: "A A|B A|B|C", after: "X X|B X|B|C", labels: "X X/B X/B/C"},
	{name: "the one below comes first", before: "A|B A", after: "X|B X", labels: "X/B X"},
	{name: "one below with another name too", before: "A A|B", after: "X X|Y", labels: "X X/Y"},
	{name: "into a folder that is not there", before: "A", after: "X|Y|A", labels: "X/Y/A"},
	{name: "into its own old name", before: "A", after: "A|A", labels: "A/A"},
	{name: "below a new folder of its old name", before: "A", after: "A|B A", labels: "A/B A"},
	{name: "out of a folder", before: "A A|B", after: "A B", labels: "A B"},
	{name: "upside down", before: "A A|B", after: "B|A B", labels: "B/A B"},
	{name: "to the same for Gmail", before: "a_b", after: "A-B", labels: "A-B"},
	{name: "in a row", before: "1 2 3", after: "2 3 4", labels: "2 3 4"},
	{name: "in a row, the other way", before: "3 2 1", after: "4 3 2", labels: "4 3 2"},
	{name: "a swap", before: "A B", after: "B A", labels: "B A"},
	{name: "a swap of what is the same for Gmail", before: "A-B C_D", after: "C-D A_B", labels: "C-D A_B"},
	{name: "a swap with folders below", before: "A A|X B B|X", after: "B B|X A A|X", labels: "B B/X A A/X"},
	{name: "a swap of three, and one below", before: "1 2 3 2|X", after: "2 3 1 3|X", labels: "2 3 1 3/X"},
	{name: "a swap below a new folder", before: "A B", after: "N|B N|A", labels: "N/B N/A"},
	{name: "another takes the old name", before: "A A|Foo", after: "A_old A|Foo A", labels: "A_old A/Foo A"},
	{name: "one goes below what takes its name", before: "A Foo", after: "A_old A|Foo", labels: "A_old A/Foo"},
	{name: "one goes below what takes its name, in the other order", before: "Foo A", after: "A|Foo A_old", labels: "A/Foo A_old"},
	{name: "reserved", before: "A", after: "Spam", labels: "Spam_(migrated)", note: "reserves"},
	{name: "below a reserved one", before: "A", after: "Spam|A", labels: "Spam_(migrated)/A", note: "reserves"},
	{name: "reserved in Spanish", o: gmailsim.Options{Reserved: []string{"Enviado"}}, before: "A", after: "Enviado", labels: "Enviado_(migrated)", note: "reserves"},
	{name: "reserved both ways", o: gmailsim.Options{Reserved: []string{"Enviado", "Enviado (migrated)"}}, before: "A", after: "Enviado", labels: "_Enviado", note: "reserves"},
	{name: "too long", before: "A", after: strings.Repeat("x", 300), labels: strings.Repeat("x", 225), note: "longer"},
	{name: "with a slash", before: "A", after: "x/y", labels: "x-y", note: "nests"},
	{name: "onto one that stays", before: "A B", after: "b B", labels: "A B", note: "another label"},
	{name: "in a row that ends in one that stays", before: "A B C", after: "B c C", labels: "A B C", note: "another label"},
	{name: "onto one that stays, with folders below", before: "A A|X B", after: "b b|X B", labels: "A A/X B", note: "another label"},
	{name: "onto one that Gmail mixes up", o: gmailsim.Options{LabelKey: func(name string) string { return strings.Trim(strings.ToLower(name), "_.") }},
		before: "A B", after: "B. B", labels: "A B", note: "another label"},
	{name: "onto one that Gmail tells apart", o: gmailsim.Options{LabelKey: func(name string) string { return name }}, before: "A b", after: "B b", labels: "A b", note: "another label"},
}

// spaced puts spaces for underscores but at the beginning.
func spaced(s string) string { return s[:1] + strings.ReplaceAll(s[1:], "_", " ") }

func spacedFolders(paths string) []migrate.Folder {
	fs := folders(strings.Fields(paths)...)
	for _, f := range fs {
		for j, part := range f.Path {
			f.Path[j] = spaced(part)
		}
	}
	return fs
}

// folders returns the folders of r as they are called later.
func (r renaming) folders(before []migrate.Placement) []migrate.Folder {
	fs, was := spacedFolders(r.after), spacedFolders(r.before)
	for i := range was {
		fs[i].Placed, fs[i].Renamed = before[i].ID, !slices.Equal(fs[i].Path, was[i].Path)
	}
	return fs
}

func (r renaming) start(t *testing.T) (f *front, before []migrate.Placement) {
	t.Helper()
	f = newFront(t, r.o)
	return f, placed(t, f.open(t), spacedFolders(r.before))
}

func (r renaming) check(t *testing.T, f *front, before, after []migrate.Placement) {
	t.Helper()
	all, err := f.open(t).listLabels(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range strings.Fields(r.labels) {
		p := after[i]
		want = spaced(want)
		if p.Err != nil || p.Name != want || i < len(before) && p.ID != before[i].ID {
			t.Errorf("%s: folder %d is %.80v, want %.80q", r.name, i, p, want)
		}
		if l := all.byID[string(p.ID)]; l == nil || l.name != want {
			t.Errorf("%s: the label of folder %d is %.80v, want %.80q", r.name, i, l, want)
		}
	}
	if !strings.Contains(after[0].Note, r.note) || (r.note == "") != (after[0].Note == "") {
		t.Errorf("%s: the note is %q, want %q in it", r.name, after[0].Note, r.note)
	}
}

func TestARenamedFolderRenamesItsLabel(t *testing.T) {
	for _, nested := range []bool{false, true} {
		for _, r := range renamings {
			if r.o.NestedRenames = nested; nested && r.name == "another takes the old name" {
				continue // Gmail takes A/Foo along, which the next pass has no reason to bring back
			}
			f, before := r.start(t)
			fs := r.folders(before)
			r.check(t, f, before, placed(t, f.open(t), fs))
			f.count(0, false)
			again := placed(t, f.open(t), fs)
			// Only Gmail knows that it does not take a name.
			if known := r.o.Reserved == nil && r.o.LabelKey == nil; known && f.total != 2 { // getProfile, labels.list
				t.Errorf("%s: it was placed already, and placing it again took %v", r.name, f.counted())
			}
			r.check(t, f, before, again)
			for i := range fs {
				fs[i].Renamed = false
			}
			for i, p := range placed(t, f.open(t), fs)[:len(before)] {
				if p.ID != before[i].ID {
					t.Errorf("%s: folder %d has another label later", r.name, i)
				}
			}
		}
	}
}

// A process may die before and after each request of a placement.
func TestARenameThatWasCutOffIsMadeAgain(t *testing.T) {
	for _, r := range renamings {
		for _, after := range []bool{false, true} {
			for at, failed := 1, true; failed; at++ {
				f, before := r.start(t)
				fs := r.folders(before)
				target := f.open(t)
				f.count(at, after)
				places, err := target.Place(t.Context(), fs)
				failed = f.total >= at
				f.count(0, false)
				if failed {
					if e, ok := errors.AsType[*migrate.Error](err); err != nil && (!ok || e.Class != migrate.Transient) {
						t.Errorf("%s, cut off at request %d: %v", r.name, at, err)
					}
					places = placed(t, f.open(t), fs)
				} else if err != nil {
					t.Fatal(err)
				}
				if r.check(t, f, before, places); at > 60 {
					t.Fatal(r.name, "has no end")
				}
			}
		}
	}
}

func TestARenamedFolderMayHaveNoLabelAnyMore(t *testing.T) {
	f := newFront(t, gmailsim.Options{})
	target := f.open(t)
	places := placed(t, target, folders("A", "B"))
	deleteLabels(t, target, places[0].ID)
	fs := folders("X", "A")
	for i := range fs {
		fs[i].Placed, fs[i].Renamed = places[i].ID, true
	}
	for range 2 {
		after := placed(t, f.open(t), fs)
		if after[0].Name != "X" || after[0].ID == places[0].ID || after[1].Name != "A" || after[1].ID != places[1].ID {
			t.Errorf("X is %+v, A is %+v, and B was %+v", after[0], after[1], places[1])
		}
		fs[0].Placed = after[0].ID
	}
}

func TestARenamedFolderKeepsItsLabelWhateverItsRole(t *testing.T) {
	f := newFront(t, gmailsim.Options{})
	before := placed(t, f.open(t), folders("Bin"))[0]
	fs := []migrate.Folder{{Path: []string{"Old mail"}, Role: migrate.RoleTrash, Placed: before.ID, Renamed: true}}
	if p := placed(t, f.open(t), fs)[0]; p.ID != before.ID || p.Name != "Old mail" {
		t.Errorf("it was %+v and is %+v", before, p)
	}
}

func TestASwapOfNamesTakesNoLabelOfThePerson(t *testing.T) {
	r := renaming{name: "a swap", before: "A B", after: "B A", labels: "B A"}
	f, before := r.start(t)
	target := f.open(t)
	for _, name := range []string{"A (2)", "B (2)"} {
		if _, _, _, err := target.createLabel(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	r.check(t, f, before, placed(t, target, r.folders(before)))
	if names := labelNames(t, target); len(names) != 4 || !names["A (2)"] || !names["B (2)"] {
		t.Errorf("the labels are %v", names)
	}
}

func TestASwapOfNamesCostsOneRequestMore(t *testing.T) {
	r := renaming{before: "1 2 3 4 5", after: "2 3 4 5 1"}
	f, before := r.start(t)
	target := f.open(t)
	f.count(0, false)
	placed(t, target, r.folders(before))
	if f.total != 1+len(before)+1 {
		t.Errorf("it took %d requests", f.total)
	}
}

// renameFails places a folder, and again when it has another name and renaming
// has this answer.
func renameFails(t *testing.T, status int, body string) (before, after migrate.Placement, err error) {
	t.Helper()
	sim, err := gmailsim.New(gmailsim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			w.WriteHeader(status)
			io.WriteString(w, body)
			return
		}
		sim.ServeHTTP(w, r)
	})
	target := open(t, config(server))
	before = placed(t, target, folders("Old", "Other"))[0]
	fs := folders("New", "Other", "New|Child")
	fs[0].Placed, fs[0].Renamed = before.ID, true
	places, err := target.Place(t.Context(), fs)
	if err != nil {
		return before, migrate.Placement{}, err
	}
	if status != 404 && places[2].Name != "Old/Child" || places[1].Err != nil {
		t.Errorf("the others are %+v", places[1:])
	}
	return before, places[0], nil
}

func TestANameThatGmailRefusesLeavesTheOldOne(t *testing.T) {
	for _, test := range []struct {
		status       int
		reason, text string
	}{
		{400, "invalidArgument", "Invalid label name"},
		{400, "invalidArgument", "Invalid update request"},
		{409, "aborted", "Label name exists or conflicts"},
	} {
		before, after, err := renameFails(t, test.status, envelope(test.status, test.reason, test.text))
		if err != nil || after.ID != before.ID || after.Name != "Old" || after.Note == "" || after.Err != nil {
			t.Errorf("%s: %+v, error %v", test.text, after, err)
		}
	}
}

func TestALabelThatIsDeletedWhileItIsRenamedIsMadeAnew(t *testing.T) {
	before, after, err := renameFails(t, 404, envelope(404, "notFound", "Requested entity was not found."))
	if err != nil || after.ID == before.ID || after.Name != "New" {
		t.Errorf("%+v, error %v", after, err)
	}
}

// The labels are listed again when a name is refused.
func TestALabelThatIsDeletedWhileItsNameIsRefusedIsMadeAnew(t *testing.T) {
	for made, want := range map[string]string{"x": "X (2)", "Other": "X"} {
		sim, err := gmailsim.New(gmailsim.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		var person *Target
		var before []migrate.Placement
		_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPatch {
				sim.ServeHTTP(w, r)
				return
			}
			deleted := person.service.Users.Labels.Delete(user, string(before[0].ID)).Do()
			if _, _, _, err := person.createLabel(t.Context(), made); err != nil || deleted != nil {
				t.Error(deleted, err)
			}
			w.WriteHeader(409)
			io.WriteString(w, envelope(409, "aborted", "Label name exists or conflicts"))
		})
		person = open(t, config(server))
		before = placed(t, person, folders("A", "A|B"))
		fs := folders("X", "A|B")
		fs[0].Placed, fs[0].Renamed, fs[1].Placed = before[0].ID, true, before[1].ID
		after := placed(t, open(t, config(server)), fs)
		if after[0].Name != want || after[0].ID == before[0].ID || after[1].ID != before[1].ID {
			t.Errorf("%s was made: %+v", made, after)
		}
	}
}

func TestTroubleWhileRenamingIsNotTheNamesFault(t *testing.T) {
	for status, class := range map[int]migrate.Class{503: migrate.Transient, 429: migrate.Transient, 403: migrate.Fatal} {
		_, _, err := renameFails(t, status, "")
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != class {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestManyRenamedFoldersCostOneRequestEach(t *testing.T) {
	f := newFront(t, gmailsim.Options{NestedRenames: true})
	var was, is []string
	for i := range 300 {
		was = append(was, fmt.Sprintf("Old|%03d", i))
		is = append(is, fmt.Sprintf("New|%03d", i))
	}
	was, is = append(was, "Old"), append(is, "New")
	before := placed(t, f.open(t), folders(was...))
	fs := folders(is...)
	for i := range fs {
		fs[i].Placed, fs[i].Renamed = before[i].ID, true
	}
	target := f.open(t)
	f.count(0, false)
	after := placed(t, target, fs)
	if i := slices.IndexFunc(after, func(p migrate.Placement) bool { return !strings.HasPrefix(p.Name, "New") }); i >= 0 {
		t.Errorf("one is %+v", after[i])
	}
	if f.total != 302 {
		t.Errorf("it took %d requests", f.total)
	}
}
