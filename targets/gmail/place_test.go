package gmail

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	api "google.golang.org/api/gmail/v1"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
)

// folders makes folders of paths whose parts are separated by "|".
func folders(paths ...string) []migrate.Folder {
	var fs []migrate.Folder
	for _, path := range paths {
		fs = append(fs, migrate.Folder{Path: strings.Split(path, "|")})
	}
	return fs
}

func placed(t *testing.T, target *Target, fs []migrate.Folder) []migrate.Placement {
	t.Helper()
	places, err := target.Place(t.Context(), fs)
	if err != nil {
		t.Fatal(err)
	}
	return places
}

// labelNames returns the names of all user labels.
func labelNames(t *testing.T, target *Target) map[string]bool {
	t.Helper()
	labels, err := target.listLabels(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, l := range labels.byID {
		if !l.system {
			names[l.name] = true
		}
	}
	return names
}

func TestFoldersAreNamedAsGmailAllows(t *testing.T) {
	for _, test := range []struct {
		o     gmailsim.Options
		paths []string
		want  []string
		note  string // a part of the last one's
	}{
		{gmailsim.Options{}, []string{"Clients|Müller|2019"}, []string{"Clients/Müller/2019"}, ""},
		{gmailsim.Options{}, []string{"2/8"}, []string{"2-8"}, `nests labels at "/"`},
		{gmailsim.Options{}, []string{"Foo", "foo", "FOO"}, []string{"Foo", "foo (2)", "FOO (3)"}, "the same as another label's"},
		{gmailsim.Options{}, []string{"A|B", "A-B", "A B"}, []string{"A/B", "A-B (2)", "A B (3)"}, "the same as another label's"},
		{gmailsim.Options{}, []string{"P", "p|x"}, []string{"P", "p (2)/x"}, "the same as another label's"},
		{gmailsim.Options{}, []string{"x\r\ny\x00\u200b"}, []string{"x  y"}, "control characters"},
		{gmailsim.Options{}, []string{" x\t"}, []string{"x"}, "space"},
		{gmailsim.Options{}, []string{"|"}, []string{"Unnamed/Unnamed"}, "empty"},
		{gmailsim.Options{}, []string{"Cafe\u0301"}, []string{"Caf\u00e9"}, ""},
		{gmailsim.Options{}, []string{"👨‍👩‍👧 family", "..."}, []string{"👨‍👩‍👧 family", "..."}, ""},
		{gmailsim.Options{}, []string{"Spam"}, []string{"Spam (migrated)"}, "reserves"},
		{gmailsim.Options{}, []string{"Clients|Spam"}, []string{"Clients/Spam"}, ""},
		{gmailsim.Options{}, []string{"Sent|2019"}, []string{"Sent (migrated)/2019"}, "reserves"},
		{gmailsim.Options{}, []string{"Muted", "Travel"}, []string{"Muted (migrated)", "Travel (migrated)"}, "reserves"},
		{gmailsim.Options{Reserved: []string{"Enviado"}}, []string{"Enviado"}, []string{"Enviado (migrated)"}, "reserves"},
		{gmailsim.Options{Reserved: []string{"Enviado", "Enviado (migrated)"}}, []string{"Enviado"}, []string{"_Enviado"}, "reserves"},
		{gmailsim.Options{LabelKey: func(name string) string { return strings.ToLower(strings.Trim(name, "_")) }}, []string{"x", "_x"}, []string{"x", "_x (2)"}, "the same"},
		{gmailsim.Options{}, []string{strings.Repeat("ä", 225)}, []string{strings.Repeat("ä", 225)}, ""},
		{gmailsim.Options{}, []string{strings.Repeat("ä", 226)}, []string{strings.Repeat("ä", 225)}, "longer"},
		{gmailsim.Options{}, []string{strings.Repeat("x", 300)}, []string{strings.Repeat("x", 225)}, "longer"},
		{gmailsim.Options{}, []string{strings.Repeat("x", 300), strings.Repeat("X", 301)}, []string{strings.Repeat("x", 225), strings.Repeat("X", 221) + " (2)"}, "longer"},
		{gmailsim.Options{}, []string{strings.Repeat("x", 150) + "|" + strings.Repeat("y", 70) + "|" + strings.Repeat("z", 50)},
			[]string{strings.Repeat("x", 150) + "/" + strings.Repeat("z", 50)}, "longer"},
	} {
		_, server := serve(t, test.o)
		target := open(t, config(server))
		var got []string
		places := placed(t, target, folders(test.paths...))
		for _, p := range places {
			got = append(got, p.Name)
		}
		if fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%.80q are called %.80q, want %.80q", test.paths, got, test.want)
		}
		if note := places[len(places)-1].Note; !strings.Contains(note, test.note) || (note == "") != (test.note == "") {
			t.Errorf("%.80q: the note is %q, want %q in it", test.paths, note, test.note)
		}
		names := labelNames(t, target)
		for _, name := range test.want {
			for part := range strings.SplitSeq(name, "/") {
				parent := name[:strings.Index(name, part)+len(part)]
				if !names[parent] {
					t.Errorf("%.80q: there is no label %.80q", test.paths, parent)
				}
			}
		}
	}
}

func TestALabelOfTheUserIsAdoptedIfItIsSpeltTheSame(t *testing.T) {
	_, server := serve(t, gmailsim.Options{})
	target := open(t, config(server))
	first := placed(t, target, folders("Same", "OTHER"))
	again := placed(t, open(t, config(server)), folders("Same", "other"))
	if again[0].ID != first[0].ID || again[0].Note != "" {
		t.Errorf("Same is %+v, want %+v", again[0], first[0])
	}
	if again[1].ID == first[1].ID || again[1].Name != "other (2)" {
		t.Errorf("other is %+v, and OTHER was %+v", again[1], first[1])
	}
}

func TestALabelThatAPersonRenamedIsKept(t *testing.T) {
	_, server := serve(t, gmailsim.Options{})
	target := open(t, config(server))
	fs := folders("Old")
	fs[0].Placed = placed(t, target, fs)[0].ID
	if _, err := target.service.Users.Labels.Patch(user, string(fs[0].Placed), &api.Label{Name: "New"}).Do(); err != nil {
		t.Fatal(err)
	}
	fs = append(fs, folders("New", "Old|Child")...)
	places := placed(t, target, fs)
	if p := places[0]; p.ID != fs[0].Placed || p.Name != "New" || p.Note == "" {
		t.Errorf("Old is %+v, want %s called New", p, fs[0].Placed)
	}
	if places[1].Name != "New (2)" || places[2].Name != "New/Child" {
		t.Errorf("New is %+v, and the child of Old is %+v", places[1], places[2])
	}
}

func TestSpecialFoldersHaveSystemLabels(t *testing.T) {
	_, server := serve(t, gmailsim.Options{})
	target := open(t, config(server))
	fs := []migrate.Folder{
		{Path: []string{"Inbox"}},
		{Path: []string{"Gesendet"}, Role: migrate.RoleSent},
		{Path: []string{"Drafts"}, Role: migrate.RoleDrafts},
		{Path: []string{"Junk"}, Role: migrate.RoleJunk},
		{Path: []string{"Trash"}, Role: migrate.RoleTrash},
		{Path: []string{"Archive"}, Role: migrate.RoleArchive},
		{Path: []string{"Sent"}, Role: migrate.RoleSent},
		{Path: []string{"Gesendet", "Alt"}},
		{},
	}
	want := []string{"INBOX INBOX true", "SENT Sent true", "DRAFT Drafts false", "SPAM Spam true", "TRASH Trash false",
		"(none) All Mail true", "Label_1 Sent (migrated) true", "Label_3 Gesendet/Alt false", "Label_4 Unnamed true"}
	for i, p := range placed(t, target, fs) {
		if got := fmt.Sprint(p.ID, " ", p.Name, " ", p.Note != ""); got != want[i] {
			t.Errorf("%s: %s, want %s", fs[i], got, want[i])
		}
	}
}

func TestOneFolderThatCannotBePlacedDoesNotStopTheOthers(t *testing.T) {
	sim, err := gmailsim.New(gmailsim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			body, _ := io.ReadAll(r.Body)
			if strings.Contains(string(body), "Bad") {
				w.WriteHeader(400)
				io.WriteString(w, envelope(400, "invalidArgument", "Too many labels"))
				return
			}
			r.Body = io.NopCloser(strings.NewReader(string(body)))
		}
		sim.ServeHTTP(w, r)
	})
	places := placed(t, open(t, config(server)), folders("Good", "Bad", "Bad|Child", "Fine"))
	for i, bad := range []bool{false, true, true, false} {
		e, _ := errors.AsType[*migrate.Error](places[i].Err)
		if (e != nil) != bad || bad && (e.Hint == "" || e.Class != migrate.Permanent) {
			t.Errorf("placement %d is %+v", i, places[i])
		}
	}
}

func TestTroubleWhilePlacingIsNotTheFoldersFault(t *testing.T) {
	_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			w.WriteHeader(503)
		case strings.HasSuffix(r.URL.Path, "/labels"):
			io.WriteString(w, `{}`)
		default:
			io.WriteString(w, `{"historyId":"1"}`)
		}
	})
	_, err := open(t, config(server)).Place(t.Context(), folders("Good"))
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient {
		t.Errorf("place: %v, want a transient error", err)
	}
}

func TestAFolderWhoseNameIsAlwaysRefusedHasAnEnd(t *testing.T) {
	for code, reason := range map[int]string{400: "Invalid label name", 409: "Label name exists or conflicts"} {
		_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodPost:
				w.WriteHeader(code)
				io.WriteString(w, envelope(code, "", reason))
			case strings.HasSuffix(r.URL.Path, "/labels"):
				io.WriteString(w, `{}`)
			default:
				io.WriteString(w, `{"historyId":"1"}`)
			}
		})
		if p := placed(t, open(t, config(server)), folders("Never"))[0]; p.Err == nil {
			t.Errorf("%d: the placement is %+v", code, p)
		}
	}
}

func TestNamesAreComparedAsGmailDoes(t *testing.T) {
	for _, same := range [][]string{
		{"Finance-Bill", "Finance Bill", "finance/bill", "  FINANCE \t bill "},
		{"P / A", "p - a", "P---A"},
		{"Caf\u00e9", "Cafe\u0301", "CAF\u00c9"},
	} {
		for _, name := range same {
			if LabelKey(name) != LabelKey(same[0]) {
				t.Errorf("%q and %q differ", name, same[0])
			}
		}
	}
	for _, pair := range [][2]string{{"P / A", "P/A"}, {"a_b", "a b"}, {"a.b", "a b"}, {"ab", "a b"}} {
		if LabelKey(pair[0]) == LabelKey(pair[1]) {
			t.Errorf("%q and %q are the same", pair[0], pair[1])
		}
	}
}

func FuzzAFolderNameBecomesALabelName(f *testing.F) {
	for _, s := range []string{"", " ", "a/b", "\xff", "\u202e", "e\u0301", strings.Repeat("🙂", 200)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, folder string) {
		name, _ := LabelName(folder)
		if name == "" || strings.ContainsAny(name, "/\x00\r\n\t") || strings.TrimSpace(name) != name {
			t.Errorf("%q becomes %q", folder, name)
		}
		if again, note := LabelName(name); again != name || note != "" {
			t.Errorf("%q becomes %q, and that %q: %s", folder, name, again, note)
		}
		full, _ := fit(&node{}, name, 2)
		if length(full) > maxName || !strings.HasSuffix(full, " (2)") {
			t.Errorf("%q becomes %q", folder, full)
		}
	})
}
