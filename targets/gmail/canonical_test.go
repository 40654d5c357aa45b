package gmail

import (
	"bytes"
	"slices"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/canon"
	"github.com/mailhaul/mailhaul/migrate/migratetest"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

// differences returns how a message that is read back differs from m otherwise
// than its notes say.
func differences(t *testing.T, target *Target, stored migrate.Stored, m migratetest.Mail) []canon.Difference {
	t.Helper()
	original, err := canon.Sum(bytes.NewReader(m.Octets))
	if err != nil {
		t.Fatal(err)
	}
	_, content, err := target.Open(t.Context(), stored.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	replica, err := canon.Sum(content)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(canon.Compare(original, replica), func(d canon.Difference) bool {
		return slices.ContainsFunc(stored.Notes, func(note string) bool {
			return slices.Contains(target.Explains(note), d.Aspect)
		})
	})
}

func TestWhatIsReadBackHasTheSameCanonicalForm(t *testing.T) {
	for name, o := range map[string]gmailsim.Options{
		"as documented": {},
		"nothing added": {NothingAdded: true},
		"dates added":   {DateAdded: true},
	} {
		for _, route := range []Route{RouteImport, RouteInsert} {
			_, server := serve(t, o)
			c := config(server)
			c.Route = route
			target := open(t, c)
			read := 0
			for _, kind := range migratetest.Kinds() {
				if kind == migratetest.Huge {
					continue
				}
				for i, folder := range []migrate.FolderID{inbox, draft} {
					m := migratetest.MakeKind(kind, uint64(40+i))
					stored, err := target.Append(t.Context(), folder, targettest.Message(m.Octets, m.MessageID))
					if err != nil {
						continue // refused, which is another test's
					}
					read++
					if found := differences(t, target, stored, m); len(found) > 0 {
						t.Errorf("%s, by %s: %s in %s differs in %v", name, route, kind, folder, found)
					}
				}
			}
			if kinds := len(migratetest.Kinds()); read < kinds {
				t.Errorf("%s, by %s: %d messages were read back, want one of each of %d kinds at least", name, route, read, kinds)
			}
		}
	}
}
