package proof

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const pythonChecker = "../../docs/check_report.py"

// needPython skips the test without Python, or fails it if MAILHAUL_REQUIRE
// names python.
func needPython(t *testing.T) string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv("MAILHAUL_REQUIRE"), ","), "python") {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return python
}

// write puts files into a folder of their own.
func write(t *testing.T, files fstest.MapFS) string {
	t.Helper()
	dir := t.TempDir()
	for name, f := range files {
		if f.Mode.IsDir() {
			if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTheCheckerInPythonSaysWhatIsGoodAndWhatIsNot(t *testing.T) {
	python := needPython(t)
	w, m := threeReports(t)
	files := m.sign(t)
	files["report.pub"] = &fstest.MapFile{Data: []byte(w.public + "\n")}
	dir := write(t, files)
	run := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(python, append([]string{pythonChecker, filepath.Join(dir, "report.json"), filepath.Join(dir, "report.pub")}, args...)...).CombinedOutput()
		if good := strings.HasPrefix(string(out), "Good: "); good != (err == nil) {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	want := fmt.Sprintf("Good: made 2026-03-03T18:30:00Z; %d entries about %d messages; earlier reports: 2.\n", len(m.texts), m.listed())
	if got := run(); got != want {
		t.Errorf("%s instead of %s", got, want)
	}
	if got := run(filepath.Join(dir, "report.json")); got != want {
		t.Errorf("with itself as an earlier one: %s", got)
	}
	other := newWorld(t)
	otherDir := write(t, other.make(t).sign(t))
	if got := run(filepath.Join(otherDir, "report.json")); !strings.HasPrefix(got, "Not good: an earlier report") {
		t.Errorf("with another report as an earlier one: %s", got)
	}
	script, err := os.ReadFile(pythonChecker)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(script), "\n"); lines >= 200 {
		t.Errorf("it has %d lines, and docs/proof.md says that it has less than 200", lines)
	}
}

// TestBothCheckersAgree tells each lie, writes entries in other spellings, and
// changes reports at random: octets of their files, and what a liar signs.
func TestBothCheckersAgree(t *testing.T) {
	python := needPython(t)
	var dirs, names []string
	var good []bool
	add := func(name string, w *world, files fstest.MapFS) {
		good = append(good, w.wrong(t, files) == nil)
		names = append(names, name)
		files["report.pub"] = &fstest.MapFile{Data: []byte(w.public + "\n")}
		dirs = append(dirs, write(t, files))
	}
	random := rand.New(rand.NewPCG(8, 8))
	for range 100 {
		w, m := threeReports(t)
		files := m.sign(t)
		disturb(files, random)
		add("an octet", w, files)
	}
	for range 100 {
		w, m := threeReports(t)
		lie := lies[random.IntN(len(lies))]
		m.way = random.IntN(100)
		lie.tell(m, random)
		add(lie.name, w, m.sign(t))
	}
	for _, lie := range lies {
		w, m := threeReports(t)
		lie.tell(m, random)
		add(lie.name, w, m.sign(t))
	}
	for _, text := range append(otherSpellings, fineSpellings...) {
		w := newWorld(t)
		m := w.make(t)
		m.texts = append(m.texts, text)
		m.retree()
		m.folder(1).add("listed", 1)
		m.owner(1).add("listed", 1)
		m.folder(1).add("copied", 1)
		m.owner(1).add("copied", 1)
		add(text, w, m.sign(t))
	}
	cmd := exec.Command(python, "-c", `
import sys
sys.path.insert(0, sys.argv[1])
import check_report
for dir in sys.stdin.read().split("\n"):
    try:
        check_report.check(dir + "/report.json", open(dir + "/report.pub").read())
        print("+")
    except Exception as e:
        print("-", repr(e)[:200])
`, filepath.Dir(pythonChecker))
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	cmd.Stdin = strings.NewReader(strings.Join(dirs, "\n"))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(out)) {
		if strings.HasSuffix(line, "is not there\n") {
			continue
		}
		if got := line == "+\n"; got != good[n] {
			t.Errorf("%s: Go says good: %t, Python %s", names[n], good[n], line)
		}
		n++
	}
	if n != len(good) {
		t.Errorf("%d answers on %d reports", n, len(good))
	}
	if fine := len(good) - len(slices.DeleteFunc(good, func(g bool) bool { return g })); fine < 10 || fine > n/2 {
		t.Errorf("%d of %d are good, which tells little", fine, n)
	}
}
