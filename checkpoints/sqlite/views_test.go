package sqlite

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestTheViewsShowPeopleWhatTheFileHolds(t *testing.T) {
	fresh := filepath.Join(t.TempDir(), "mailhaul.db")
	writeGolden(t, fresh)
	present := []string{"3 copied settled <3@old.example> 2015-04-03 02:01:00 c@old.example changed", "7 failed settled <7@old.example> ? d@old.example failed",
		"2026-11-21T01:02:03Z", "4 missing 2019-08-07 06:05:04 b@old.example lost"}
	for path, want := range map[string][]string{
		fresh:            present,
		copyGolden(t, 4): present,
		copyGolden(t, 3): {"3 copied ? <?> ?  ", "7 failed ? <1@old.example> ?  ", "2026-11-22T01:02:03.000000004Z", "4 missing 2019-08-07 06:05:04 b@old.example "},
	} {
		s := open(t, path)
		var got []string
		for _, query := range []string{
			`SELECT concat_ws(' ', uid, outcome, iif(settled > '2026-11-22', 'settled', '?'), coalesce(message_id, '<?>'), coalesce(date, '?'), coalesce(author, '??'), coalesce(subject, '??'))
				FROM messages WHERE outcome = 'failed' OR notes <> '' ORDER BY uid`,
			`SELECT min(started) FROM pass`,
			`SELECT concat_ws(' ', uid, kind, date, author, subject) FROM findings WHERE date NOT NULL`,
		} {
			texts, err := s.Log().(log).texts(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, texts...)
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s:\n got %q\nwant %q", path, got, want)
		}
	}
}
