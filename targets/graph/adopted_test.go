package graph

import (
	"slices"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/migratetest"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

// What a copy lacks must be known also where the answer to its write was lost.
func TestAMessageThatIsFoundHasTheNotesThatItWasWrittenWith(t *testing.T) {
	for _, route := range []Route{RouteImport, RouteJSON} {
		target := newWorld(t, graphsim.Options{}).open(t, Config{Route: route, AttachProtected: true})
		position, err := target.Position(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		noted := 0
		for i, kind := range migratetest.Kinds() {
			m := targettest.Message(migratetest.MakeKind(kind, uint64(i)).Octets, "", migrate.Answered, migrate.Forwarded)
			stored, err := target.Append(t.Context(), "inbox", m)
			if err != nil {
				t.Fatalf("%s by %s: %v", kind, route, err)
			}
			found, err := target.Find(t.Context(), "inbox", m, position)
			if err != nil || found.ID != stored.ID {
				t.Fatalf("%s by %s: found %v, want %v: %v", kind, route, found, stored, err)
			}
			want := slices.DeleteFunc(slices.Clone(stored.Notes), func(n string) bool { return n == "too-large-to-import" })
			if !slices.Equal(found.Notes, want) {
				t.Errorf("%s by %s: found with %q, written with %q", kind, route, found.Notes, want)
			}
			if len(want) > 1 {
				noted++
			}
		}
		if noted < 3 {
			t.Errorf("%s: only %d messages have notes of their own", route, noted)
		}
	}
}
