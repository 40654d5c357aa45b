package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const lessonsPage = "../../docs/lessons.md"

// Each row of the page is held by tests that exist, or says why it is not.
func TestEachLessonIsHeldByTestsOrSaysWhyNot(t *testing.T) {
	page, err := os.ReadFile(lessonsPage)
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`^\| ([a-z]+-[0-9]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$`)
	test := regexp.MustCompile("`([a-z0-9/]+)\\.((?:Test|Fuzz)\\w+)`")
	reason := regexp.MustCompile(`\b(not held off yet|not held off|out of scope): \w+`)
	functions := map[string]map[string]bool{} // by package
	seen := map[string]bool{}
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || strings.HasPrefix(line, "| | ") {
			continue
		}
		cells := row.FindStringSubmatch(line)
		if cells == nil {
			t.Errorf("this is no row: %s", line)
			continue
		}
		id, held := cells[1], cells[4]
		if seen[id] {
			t.Errorf("%s is there twice", id)
		}
		seen[id] = true
		tests := test.FindAllStringSubmatch(held, -1)
		if len(tests) == 0 && !reason.MatchString(held) {
			t.Errorf("%s names neither a test nor a reason: %s", id, held)
		}
		if len(tests) != strings.Count(held, "Test")+strings.Count(held, "Fuzz") {
			t.Errorf("%s names a test in another form than `package.TestName`: %s", id, held)
		}
		for _, name := range tests {
			if functions[name[1]] == nil {
				functions[name[1]] = testsOf(t, name[1])
			}
			if !functions[name[1]][name[2]] {
				t.Errorf("%s: there is no %s in %s", id, name[2], name[1])
			}
		}
	}
	if len(seen) < 100 {
		t.Errorf("the page has only %d rows", len(seen))
	}
}

// testsOf returns the names of the functions in the tests of a package.
func testsOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../..", dir, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Errorf("%s has no tests: %v", dir, err)
	}
	names := map[string]bool{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				names[fn.Name.Name] = true
			}
		}
	}
	return names
}
