package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/mailhaul/mailhaul/"

// leaf returns the part of the tree that p belongs to if it is a leaf:
// "sources/imap", "targets/graph". What lies below a leaf belongs to it.
func leaf(p string) string {
	parts := strings.Split(strings.TrimPrefix(p, module), "/")
	switch parts[0] {
	case "sources", "targets", "checkpoints":
		return strings.Join(parts[:min(2, len(parts))], "/")
	}
	return ""
}

const sdk = "github.com/microsoftgraph/" + "msgraph-sdk-go"

// wall says why package p may not import q, or "".
func wall(p, q string, test bool) string {
	if q == sdk || strings.HasPrefix(q, sdk+"/") {
		switch part, _, _ := strings.Cut(strings.TrimPrefix(q, sdk+"/"), "/"); {
		case p != module+"targets/graph":
			return "only targets/graph uses Microsoft's SDK, so that all else compiles in seconds"
		case part != "models" && part != "users":
			return "of Microsoft's SDK only models and users are compiled"
		}
		return ""
	}
	if strings.HasPrefix(p, module+"migrate") && !test {
		switch q {
		case "net", "net/http", "database/sql":
			return "the engine knows no network and no database"
		}
	}
	if !strings.HasPrefix(q, module) {
		return ""
	}
	suite := test && (strings.HasSuffix(q, "sourcetest") || strings.HasSuffix(q, "targettest") || strings.HasSuffix(q, "checkpointtest"))
	switch {
	case strings.HasPrefix(p, module+"migrate") && !strings.HasPrefix(q, module+"migrate"):
		return "the engine declares what it needs and imports none of those who provide it"
	case leaf(p) != "" && leaf(q) != "" && leaf(p) != leaf(q) && !suite:
		return "leaves do not know each other: cmd wires them"
	case strings.HasSuffix(p, "sim") && q == module+"migrate/pace":
		return "a simulator counts quotas by itself, so that one mistake cannot hide in both"
	case leaf(p) != "" && strings.HasPrefix(q, module+"cmd"):
		return "nothing imports the command"
	}
	return ""
}

func TestPackagesImportOnlyWhatTheDesignAllows(t *testing.T) {
	c := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", module+"...")
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(out)))
	n := 0
	for ; ; n++ {
		var p struct {
			ImportPath                         string
			Imports, TestImports, XTestImports []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for _, q := range p.Imports {
			if why := wall(p.ImportPath, q, false); why != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, q, why)
			}
		}
		for _, q := range append(p.TestImports, p.XTestImports...) {
			if why := wall(p.ImportPath, q, true); why != "" {
				t.Errorf("a test of %s imports %s: %s", p.ImportPath, q, why)
			}
		}
	}
	if n < 10 {
		t.Errorf("only %d packages were looked at", n)
	}
}

func TestTheWallsStopWhatTheDesignForbids(t *testing.T) {
	for _, c := range [][2]string{
		{"migrate", "sources/imap"},
		{"migrate/pace", "cmd/mailhaul"},
		{"targets/gmail", "targets/graph"},
		{"targets/gmail", "checkpoints/sqlite"},
		{"targets/gmail/gmailsim", "migrate/pace"},
		{"sources/imap", "sources/sourcetest"},
	} {
		if wall(module+c[0], module+c[1], false) == "" {
			t.Errorf("%s may import %s", c[0], c[1])
		}
	}
	for _, c := range [][2]string{
		{"cmd/mailhaul", sdk + "/models"},
		{"targets/graph", sdk},
		{"targets/graph", sdk + "/groups"},
		{"migrate", "net/http"},
	} {
		if wall(module+c[0], c[1], false) == "" {
			t.Errorf("%s may import %s", c[0], c[1])
		}
	}
}
