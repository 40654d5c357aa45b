package sqlite

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate/proof"
)

func TestTheLogOnlyGrows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mailhaul.db")
	l := open(t, path).Log()
	if err := l.Append(t.Context(), proof.Entry{Text: "one"}, proof.Entry{Text: "two"}); err != nil {
		t.Fatal(err)
	}
	if err := l.AddHead(t.Context(), "head"); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{`UPDATE entry SET text = 'other' WHERE seq = 0`, `DELETE FROM entry WHERE seq = 1`, `DELETE FROM entry`,
		`UPDATE head SET note = 'other'`, `DELETE FROM head`} {
		if _, err := db.Exec(statement); err == nil || !strings.Contains(err.Error(), "of the log stay") {
			t.Errorf("%s: error %v", statement, err)
		}
	}
	if n, err := l.Size(t.Context()); err != nil || n != 2 {
		t.Errorf("%d entries, error %v", n, err)
	}
}

func TestALogThatIsLookedAtTakesNothing(t *testing.T) {
	fresh := filepath.Join(t.TempDir(), "mailhaul.db")
	if err := open(t, fresh).Close(); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"fresh": fresh, "of an older schema": copyGolden(t, 3)} {
		s, err := OpenReadOnly(path)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		l := s.Log()
		_, err = l.Secret(t.Context())
		for what, err := range map[string]error{"Append": l.Append(t.Context(), proof.Entry{Text: "one"}), "AddHead": l.AddHead(t.Context(), "head"), "Secret": err} {
			if err == nil || !strings.Contains(err.Error(), "opened for reading only") {
				t.Errorf("%s, %s: error %v", name, what, err)
			}
		}
	}
}
