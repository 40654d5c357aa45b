package gmail

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate/canon"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

// notes returns the names and values of the constants that are notes.
func notes(t *testing.T) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(gotoken.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			for i := 0; ok && i < len(spec.Values); i++ {
				value, plain := spec.Values[i].(*ast.BasicLit)
				if name := spec.Names[i].Name; strings.HasPrefix(name, "Note") && plain {
					if found[name], err = strconv.Unquote(value.Value); err != nil {
						t.Error(name, err)
					}
				}
			}
			return true
		})
	}
	if found["NoteDate"] != NoteDate {
		t.Fatalf("the notes are %v", found)
	}
	return found
}

func TestEveryNoteIsExplained(t *testing.T) {
	nothing := map[string]string{
		NoteFlags:     "Shown knows which flags Gmail can hold",
		NoteSentTwice: "it is in Sent, as it should be",
		NoteSentKept:  "it is where it belongs, and in Sent as well, which is no fault",
		NoteDateFar:   "the Date field is one of the message's own dates",
		NoteInserted:  "it may be in Sent as well, which is no fault",
	}
	for name, note := range notes(t) {
		aspects := new(Target).Explains(note)
		if why := nothing[note]; (why == "") != (len(aspects) > 0) {
			t.Errorf("%s explains %q, and that it explains nothing has the reason %q", name, aspects, why)
		}
	}
}

func TestNotesExplainNoMoreThanTheyMust(t *testing.T) {
	for note, want := range map[string][]canon.Aspect{
		NoteDate:      {verify.Received, canon.Date},
		NoteSentLabel: {verify.Folder},
		NoteNotPlaced: {verify.Folder},
		NoteSentKept:  nil,
		"unheard-of":  nil,
		"":            nil,
	} {
		if got := new(Target).Explains(note); !slices.Equal(got, want) {
			t.Errorf("%q explains %q, want %q", note, got, want)
		}
	}
}

func TestReadingBackCostsWhatTheQuotaSays(t *testing.T) {
	for _, test := range []struct {
		work             verify.Work
		requests, points int64
	}{
		{verify.Work{}, 0, 0},
		{verify.Work{Folders: 3}, 3, 15},
		{verify.Work{Folders: 1, Listed: 1200}, 3, 15},
		{verify.Work{Folders: 2, Listed: 1000, Looks: 10, Opens: 5, Bytes: 1 << 30}, 4 + 15, 20 + 300},
	} {
		var want pace.Cost
		want[pace.Requests], want[pace.Points] = test.requests, test.points
		if got := ReadCost(test.work); got != want {
			t.Errorf("%+v costs %v, want %v", test.work, got, want)
		}
	}
}
