package graph

import (
	"slices"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

func TestAnImportNotesADateThatIsNotTheSources(t *testing.T) {
	at := time.Date(2009, 5, 6, 7, 8, 9, 0, time.UTC)
	for name, c := range map[string]struct {
		date string
		o    graphsim.Options
		want []string // among the notes
	}{
		"as the source has it":  {"Wed, 6 May 2009 07:08:09 +0000", graphsim.Options{}, nil},
		"stored a day later":    {"Tue, 5 May 2009 07:08:09 +0000", graphsim.Options{}, nil},
		"another year":          {"Tue, 6 May 2008 07:08:09 +0000", graphsim.Options{}, []string{"date-differs"}},
		"no date":               {"", graphsim.Options{}, []string{"date-is-import-time"}},
		"a tenant that ignores": {"Wed, 6 May 2009 07:08:09 +0000", graphsim.Options{ImportNow: true}, []string{"date-is-import-time"}},
	} {
		text := "From: a@example.com\r\nMessage-ID: <1@example.com>\r\n"
		if c.date != "" {
			text += "Date: " + c.date + "\r\n"
		}
		m := targettest.Message([]byte(text+"\r\nHello\r\n"), "")
		m.InternalDate = at
		stored, err := newWorld(t, c.o).open(t, Config{Route: RouteImport}).Append(t.Context(), "inbox", m)
		if err != nil {
			t.Fatal(err)
		}
		got := slices.DeleteFunc(slices.Clone(stored.Notes), func(n string) bool { return n == "sent-date-missing" })
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: the notes are %q, want %q", name, got, c.want)
		}
	}
}
