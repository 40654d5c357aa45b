package canon

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate/migratetest"
)

func sum(t testing.TB, s string) *Form {
	t.Helper()
	f, err := Sum(strings.NewReader(s))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// each calls f with generated messages of every kind, and with those of the
// corpus if it is there.
func each(t *testing.T, f func(t *testing.T, octets []byte)) {
	t.Helper()
	for _, k := range migratetest.Kinds() {
		seeds := uint64(3)
		if k == migratetest.Huge || testing.Short() {
			seeds = 1
		}
		for seed := range seeds {
			t.Run(fmt.Sprintf("%s-%d", k, seed), func(t *testing.T) { f(t, migratetest.MakeKind(k, seed+100).Octets) })
		}
	}
	for name, octets := range corpus(t) {
		t.Run(name, func(t *testing.T) { f(t, octets) })
	}
}

// corpus returns the messages of the corpus, none if it is absent.
func corpus(t testing.TB) map[string][]byte {
	dir := os.Getenv("MAILHAUL_SHARED")
	if dir == "" {
		dir = "../../../shared"
	}
	dir = filepath.Join(dir, "corpus")
	index, err := os.ReadFile(filepath.Join(dir, "INDEX.tsv"))
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv("MAILHAUL_REQUIRE"), ","), "shared") {
			t.Fatal(err)
		}
		t.Log("without the corpus: ", err)
		return nil
	}
	all := map[string][]byte{}
	for _, row := range bytes.Split(bytes.TrimSpace(index), []byte("\n"))[1:] {
		name, _, _ := strings.Cut(string(row), "\t")
		if all[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return all
}
