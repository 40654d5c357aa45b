package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestTheTemplatesCanBeLoaded(t *testing.T) {
	for _, target := range []string{"gmail", "graph"} {
		path := filepath.Join(t.TempDir(), "client", "mailhaul.toml")
		list, err := writeTemplates(path, target)
		if err != nil {
			t.Fatal(err)
		}
		c, ms, err := loadMigration(path)
		if err != nil {
			t.Fatal(err)
		}
		if c.Target.Kind != target || c.Run.Mailboxes != list || len(ms) != 2 {
			t.Errorf("kind %s, list %s of %d mailboxes", c.Target.Kind, c.Run.Mailboxes, len(ms))
		}
		for _, file := range []string{path, list} {
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
				t.Errorf("%s has mode %04o", file, info.Mode().Perm())
			}
		}
	}
}

// optional is a key that is commented out.
var optional = regexp.MustCompile(`(?m)^#(\w+) = .*`)

func TestEachCommentedKeyOfTheTemplatesWorks(t *testing.T) {
	for _, target := range []string{"gmail", "graph"} {
		text := configTemplate(target)
		for _, at := range optional.FindAllStringIndex(text, -1) {
			on := text[:at[0]] + text[at[0]+1:]
			_, err := loadConfig(written(t, "mailhaul.toml", on))
			// Another login than the one in the template is right, but one too many. A window needs the key after it.
			if err != nil && !strings.Contains(err.Error(), "only one of") && !strings.Contains(err.Error(), "one login only") &&
				!strings.Contains(err.Error(), "run.time_zone: must be set with window") && !strings.Contains(err.Error(), "go together") {
				t.Errorf("%s, %s: %v", target, text[at[0]+1:at[1]], err)
			}
		}
	}
}

// keys returns every key of the configuration, as section and key.
func keys() [][2]string {
	var all [][2]string
	root, _ := fieldOf(nil)
	for _, section := range keysOf(root) {
		s, _ := fieldOf([]string{section})
		for _, k := range keysOf(s) {
			all = append(all, [2]string{section, k})
		}
	}
	return all
}

func TestTheTemplatesHaveEveryKey(t *testing.T) {
	text := configTemplate("gmail") + configTemplate("graph")
	for _, k := range keys() {
		if !regexp.MustCompile(`(?m)^#?` + k[1] + ` = `).MatchString(text) {
			t.Errorf("%s.%s is in no template", k[0], k[1])
		}
	}
}

func TestTheTemplatesSayTheDefaults(t *testing.T) {
	for _, target := range []string{"gmail", "graph"} {
		c, err := loadConfig(written(t, "mailhaul.toml", configTemplate(target)))
		if err != nil {
			t.Fatal(err)
		}
		d := defaults()
		d.Run.ExcludeFolders = c.Run.ExcludeFolders
		if c.Source.TLS != d.Source.TLS || c.Source.Auth != d.Source.Auth || c.Gmail.Profile != d.Gmail.Profile ||
			c.Graph.Cloud != d.Graph.Cloud || c.Graph.Route != d.Graph.Route || c.Run.Jobs != d.Run.Jobs || c.Run.Deleted != d.Run.Deleted {
			t.Errorf("%s: the template differs from the defaults", target)
		}
		for _, line := range []string{`#port = 993`, `#master_separator = "*"`, map[string]string{"gmail": "#parallel = 8", "graph": "#parallel = 4"}[target], `#mailboxes = "mailboxes.csv"`, `#checkpoints = "mailhaul.db"`, `#spool_max = "2GiB"`} {
			if !slices.Contains(strings.Split(configTemplate(target), "\n"), line) {
				t.Errorf("%s: no line %s", target, line)
			}
		}
	}
}

func TestTheDocumentationHasEveryKey(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	sections := bytes.Split(text, []byte("\n## "))
	for _, k := range keys() {
		i := slices.IndexFunc(sections, func(s []byte) bool { return bytes.HasPrefix(s, []byte("`["+k[0]+"]`")) })
		if i < 0 || !bytes.Contains(sections[i], []byte("\n| `"+k[1]+"` |")) {
			t.Errorf("%s.%s has no row in its section", k[0], k[1])
		}
	}
	for _, column := range mailboxColumns() {
		if !bytes.Contains(text, []byte("\n| `"+column+"` |")) {
			t.Errorf("column %s has no row", column)
		}
	}
}

func TestTheExamplesOfTheDocumentationCanBeLoaded(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllSubmatch(text, -1)
	if len(examples) < 2 {
		t.Fatal("no examples")
	}
	for _, e := range examples {
		if _, err := loadConfig(written(t, "mailhaul.toml", string(e[1]))); err != nil {
			t.Errorf("%v in:\n%s", err, e[1])
		}
	}
	lists := regexp.MustCompile("(?s)```csv\n(.*?)```").FindAllSubmatch(text, -1)
	if len(lists) == 0 {
		t.Fatal("no mailbox list")
	}
	for _, l := range lists {
		if _, err := loadMailboxes(written(t, "mailboxes.csv", string(l[1]))); err != nil {
			t.Errorf("%v in:\n%s", err, l[1])
		}
	}
}

// runInit runs init below a root that has the flags of the real one.
func runInit(args ...string) (stderr string, err error) {
	root := &cobra.Command{Use: "mailhaul", SilenceErrors: true, SilenceUsage: true}
	root.PersistentFlags().String("config", "mailhaul.toml", "")
	root.AddCommand(newInitCommand())
	var out bytes.Buffer
	root.SetErr(&out)
	root.SetArgs(append([]string{"init"}, args...))
	err = root.Execute()
	return out.String(), err
}

func TestInitOverwritesNothing(t *testing.T) {
	for _, name := range []string{"mailhaul.toml", "mailboxes.csv"} {
		path := written(t, name, "mine")
		config := filepath.Join(filepath.Dir(path), "mailhaul.toml")
		_, err := runInit("--target", "gmail", "--config", config)
		if err == nil || err.Error() != path+" exists already: nothing was written" {
			t.Errorf("%s is there: %v", name, err)
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != "mine" {
			t.Errorf("%s is now %q, %v", name, text, err)
		}
		if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
			t.Errorf("%s was there, now there are %v, %v", name, files, err)
		}
	}
}

func TestInitSaysWhatItWrote(t *testing.T) {
	config := filepath.Join(t.TempDir(), "mailhaul.toml")
	out, err := runInit("--target", "graph", "--config", config)
	if err != nil || !strings.Contains(out, config) || !strings.Contains(out, "mailboxes.csv") {
		t.Errorf("%q, %v", out, err)
	}
}

func TestInitNeedsATarget(t *testing.T) {
	for want, args := range map[string][]string{
		"--target is missing: say gmail or graph": nil,
		"want gmail or graph":                     {"--target", "imap"},
		"unknown command":                         {"--target", "gmail", "extra"},
	} {
		config := filepath.Join(t.TempDir(), "mailhaul.toml")
		_, err := runInit(append(args, "--config", config)...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", args, err)
		}
		if _, err := os.Stat(config); err == nil {
			t.Errorf("%v: wrote a file all the same", args)
		}
	}
}
