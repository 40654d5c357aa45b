package graph

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/canon"
	"github.com/mailhaul/mailhaul/migrate/migratetest"
	"github.com/mailhaul/mailhaul/migrate/verify"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

// unexplained returns what is different in what was read back of a message and
// not explained by its notes, as a verification would find it.
func unexplained(t *testing.T, octets, read []byte, notes []string) (found []canon.Difference) {
	t.Helper()
	original, err := canon.Sum(bytes.NewReader(octets))
	if err != nil {
		t.Fatal(err)
	}
	replica, err := canon.Sum(bytes.NewReader(read))
	if err != nil {
		t.Fatal(err)
	}
	explained := map[canon.Aspect]bool{}
	for _, note := range notes {
		for _, a := range (*Target)(nil).Explains(note) {
			explained[a] = true
		}
	}
	if explained[verify.Original] && replica.Holds(sha256.Sum256(octets)) {
		return nil
	}
	for _, d := range canon.Compare(original, replica) {
		if !explained[d.Aspect] {
			found = append(found, d)
		}
	}
	return found
}

// corpus returns the messages of other programs, by name, with the line ends
// that IMAP servers show.
func corpus(t *testing.T) map[string][]byte {
	t.Helper()
	shared := os.Getenv("MAILHAUL_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	index, err := os.ReadFile(filepath.Join(shared, "corpus", "INDEX.tsv"))
	if err != nil && slices.Contains(strings.Split(os.Getenv("MAILHAUL_REQUIRE"), ","), "shared") {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("the shared folder with the corpus is absent; set MAILHAUL_SHARED: ", err)
	}
	all := map[string][]byte{}
	for _, row := range strings.Split(strings.TrimSpace(string(index)), "\n")[1:] {
		name, _, _ := strings.Cut(row, "\t")
		octets, err := os.ReadFile(filepath.Join(shared, "corpus", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = bytes.ReplaceAll(bytes.ReplaceAll(octets, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	}
	return all
}

// compared moves messages by a route and reports what of them is different
// without an explanation. It returns how many were written.
func compared(t *testing.T, route Route, messages map[string][]byte) (written int) {
	t.Helper()
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: route, AttachProtected: true})
	for _, name := range slices.Sorted(maps.Keys(messages)) {
		octets := messages[name]
		stored, err := target.Append(t.Context(), "inbox", targettest.Message(octets, "", migrate.Seen))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		written++
		_, content, err := target.Open(t.Context(), stored.ID)
		if err != nil {
			t.Fatal(err)
		}
		read, err := io.ReadAll(content)
		content.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range unexplained(t, octets, read, stored.Notes) {
			t.Errorf("%s: %s: %s; notes %q", name, d.Aspect, d.Detail, stored.Notes)
		}
	}
	return written
}

func TestGeneratedMailReadsBackTheSameButForWhatItsNotesExplain(t *testing.T) {
	messages := map[string][]byte{}
	for i, kind := range migratetest.Kinds()[1:] {
		for n := range 3 {
			m := migratetest.MakeKind(kind, uint64(100*i+n))
			messages[fmt.Sprintf("%s %d", kind, n)] = m.Octets
		}
	}
	for _, route := range []Route{RouteImport, RouteJSON} {
		t.Run(string(route), func(t *testing.T) {
			if n := compared(t, route, messages); n != len(messages) {
				t.Errorf("%d of %d messages were written", n, len(messages))
			}
		})
	}
}

func TestMailOfOtherProgramsReadsBackTheSameButForWhatItsNotesExplain(t *testing.T) {
	messages := corpus(t)
	for _, route := range []Route{RouteImport, RouteJSON} {
		t.Run(string(route), func(t *testing.T) {
			if n := compared(t, route, messages); n != len(messages) {
				t.Errorf("%d of %d messages were written", n, len(messages))
			}
		})
	}
}
