package report

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/locale"
	"github.com/mailhaul/mailhaul/migrate/privacy"
	"github.com/mailhaul/mailhaul/migrate/transform"
)

// literals are the texts in the programs of a directory, those that are added
// up as one, with a space before and after each.
func literals(t *testing.T, dirs ...string) (all []string) {
	t.Helper()
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join("..", "..", dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no program in %s: %v", dir, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				e, ok := n.(ast.Expr)
				if !ok {
					return true
				}
				s, ok := constant(e)
				if ok {
					all = append(all, s)
				}
				return !ok
			})
		}
	}
	return all
}

// constant is the text of a literal, or of a sum of literals.
func constant(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, e.Kind == token.STRING && err == nil
	case *ast.BinaryExpr:
		a, ok := constant(e.X)
		b, also := constant(e.Y)
		return a + b, ok && also && e.Op == token.ADD
	}
	return "", false
}

// leaves are the packages whose words records hold.
var leaves = []string{"migrate", "migrate/transform", "sources/imap", "targets/gmail", "targets/graph"}

// Each text by which the report knows a failure or a rename is one that
// something says.
func TestWhatTheReportKnowsIsSaid(t *testing.T) {
	all := strings.Join(literals(t, leaves...), "\x00")
	said := func(pattern string) {
		for _, piece := range regexp.MustCompile(`\{[a-z]+\}|gave up`).Split(pattern, -1) {
			if !strings.Contains(all, strings.Trim(piece, " (:)")) {
				t.Errorf("nothing says %q of %q", piece, pattern)
			}
		}
	}
	for _, s := range slices.Concat(failures, advices, whys) {
		said(s.said)
	}
}

// setUp are hints about what stops a mailbox or a run, for the person who runs
// it: they are in no record of a message.
var setUp = regexp.MustCompile(`run again|Run again|again with|configuration|in \[run\]|\[graph\]|[Tt]oken|Admin console|licence|mailbox list|Log in|log in|certificate|TLS|port|password|proxy|rights|keyword|checkpoint|Use auto|index|Trouble at Google|Gmail has (paused|forgotten)|Copy it anew|List the folders|Cloud console|is made again|makes it anew|Prefer:|gcloud|json route|somebody deleted it|by hand, then retry|by its subject and date|Check the address|auth|name server|clock|Certificates|Entra|where the organisation is|Use implicit|\(route json\)`)

// Each hint that a record may hold is one that the report knows.
func TestTheReportKnowsEachHint(t *testing.T) {
	hint := regexp.MustCompile(`^[A-Z][^\x00]* [^\x00]*\.$`)
	n := 0
	for _, s := range literals(t, "migrate", "sources/imap", "targets/gmail", "targets/graph") {
		if !hint.MatchString(s) || setUp.MatchString(s) && caseOf("", s) == otherCase {
			continue
		}
		n++
		if caseOf("", strings.NewReplacer("%d", "1").Replace(s)) == otherCase {
			t.Errorf("the report has no words for %q", s)
		}
	}
	if n < 20 {
		t.Errorf("only %d hints were found", n)
	}
}

// Each note that a record may hold has a meaning, and each meaning a note.
func TestEachNoteHasAMeaning(t *testing.T) {
	l, err := locale.New("en")
	if err != nil {
		t.Fatal(err)
	}
	meanings, err := Meanings(l)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{transform.NoteSigned: true}
	for _, tr := range transform.All() {
		if said[tr.Note] = true; !isAltering(tr.Note) {
			t.Errorf("%s is a change", tr.Note)
		}
	}
	for _, s := range literals(t, "migrate", "targets/gmail", "targets/graph") {
		if regexp.MustCompile(`^[a-z]+(-[a-z]+)+$|^inserted$`).MatchString(s) {
			said[s] = true
		}
	}
	for note := range meanings {
		if !said[note] {
			t.Errorf("no record has the note %q", note)
		}
	}
	other := regexp.MustCompile(`-(dropped|attached|shortened|missing|rebuilt|kept|refused|time|repaired|file|text|message|header|unknown|insert|import|differs|placed|followed)$`)
	for note := range said {
		if _, ok := meanings[note]; !ok && other.MatchString(note) {
			t.Errorf("the note %q has no meaning", note)
		}
	}
	for _, d := range seen {
		for _, note := range d.notes {
			if _, ok := meanings[note]; !ok {
				t.Errorf("there is no note %q", note)
			}
		}
	}
}

// What a page on fidelity calls lost, the report calls a loss.
func TestTheLossesAreThoseOfTheFidelityPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/fidelity.md")
	if err != nil {
		t.Fatal(err)
	}
	columns := []Route{Gmail, Import, JSON}
	known := map[string][]Route{}
	for _, l := range losses {
		known[l.row] = l.routes
	}
	found := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 {
			continue
		}
		for i, route := range columns {
			row, lost := strings.TrimSpace(cells[0]), regexp.MustCompile(`\blost (\(|for )`).MatchString(cells[i+1])
			if lost {
				found++
			}
			if lost != slices.Contains(known[row], route) {
				t.Errorf("%q by %s is lost on the page: %v, in the report: %v", row, route, lost, !lost)
			}
		}
	}
	n := 0
	for _, routes := range known {
		n += len(routes)
	}
	if found != n || n == 0 {
		t.Errorf("the page has %d losses, the report %d", found, n)
	}
}

func TestEveryLanguageHasEveryText(t *testing.T) {
	if err := locale.Check(texts); err != nil {
		t.Error(err)
	}
}

// No text is there for nothing: its key, or the end of it, is in the program.
func TestEachTextIsUsed(t *testing.T) {
	data, err := fs.ReadFile(texts, "texts/en.toml")
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := toml.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, s := range literals(t, "migrate/report", "migrate", "migrate/verify", "migrate/privacy") {
		used[s] = true
	}
	var walk func(prefix string, tree map[string]any)
	walk = func(prefix string, tree map[string]any) {
		for key, value := range tree {
			if table, ok := value.(map[string]any); ok {
				if _, forms := table["other"].(string); !forms {
					walk(prefix+key+".", table)
					continue
				}
			}
			above := strings.TrimSuffix(prefix, ".")
			switch {
			case used[prefix+key], used[key], used[strings.TrimPrefix(key, "found_")]:
			case above == "grade", above == "system":
			case key == "none" && used[above]:
			case strings.HasPrefix(above, "case.") && (key == "why" || key == "do") && used[strings.TrimPrefix(above, "case.")]:
			default:
				t.Errorf("nothing uses %s%s", prefix, key)
			}
		}
	}
	walk("", tree)
}

func TestThePageOnReportsHasEveryMemberAndEachRule(t *testing.T) {
	data, err := os.ReadFile("../../docs/report.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	m := sample(t, "en")
	m.Privacy.Level = privacy.Full
	has := func(key string) {
		if !strings.Contains(page, "`"+key+"`") && !strings.Contains(page, "`"+key+"[]`") {
			t.Errorf("the page has no %q", key)
		}
	}
	for _, s := range made(t, m).Sections {
		if !strings.Contains(page, "**"+s.Title+"**") {
			t.Errorf("the page has no section %q", s.Title)
		}
		for _, b := range s.Blocks {
			switch b := b.(type) {
			case document.Figures:
				has(b.Key)
				for _, f := range b.Facts {
					has(f.Key)
				}
			case *document.Chart:
				has(b.Key)
			case *document.Table:
				has(b.Key)
				for _, c := range b.Columns {
					has(c.Key)
				}
			}
		}
	}
	for _, g := range grades {
		if rule := spoken(t, "en").say("grade." + string(g)); !strings.Contains(page, "| "+string(g)+" | "+rule+" |") {
			t.Errorf("the page has another rule of grade %s than %q", g, rule)
		}
	}
}
