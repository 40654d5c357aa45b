package proposal

import (
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/plan"
	"github.com/mailhaul/mailhaul/migrate/privacy"
)

// explained returns what a plan says of what holds it up.
func explained(t *testing.T, tag string, change func(m *Migration)) string {
	t.Helper()
	m := sample(t, tag)
	own := plan.Use{Limit: pace.Limit{Name: "of a user", Unit: pace.Points, Amount: 1, Per: time.Minute}}
	project := plan.Use{Limit: pace.Limit{Name: "of the project", Unit: pace.Points, Amount: 1, Per: time.Minute}, Shared: true}
	f := m.Forecast // of 40 hours
	f.Limits = []plan.Use{own, project}
	f.Last = plan.Last{Mailbox: "bob@example.com", Since: made.Add(3 * time.Hour), Takes: 20 * time.Hour, Waits: "of a user"}
	f.Causes = []plan.Change{{What: "of a user", Saves: 9 * time.Hour}, {What: "of the project", Saves: 9 * time.Hour}}
	f.Changes = []plan.Change{{What: plan.Shared}, {What: plan.First, Mailbox: "bob@example.com", Saves: 5 * time.Hour}}
	change(&m)
	p, _ := faces(t, m)
	_, p, _ = strings.Cut(p, `id="schedule"`)
	return strings.ReplaceAll(p, "\u00a0", " ")
}

func TestAPlanExplainsItselfInSentences(t *testing.T) {
	const last, alone, own = "on only bob@example.com is at work", "Another project or app registration does not help", "holds bob@example.com up: of a user"
	const first, over = "If bob@example.com is the first to move, all ends 5 h 0 min sooner.", "Waves 1, 3 take more than one opening"
	for name, c := range map[string]struct {
		change func(m *Migration)
		says   []string
	}{
		"all of it":                   {func(m *Migration) { m.Forecast.Over = []string{"1", "3"} }, []string{last, alone, first, over}},
		"another project helps":       {func(m *Migration) { m.Forecast.Changes[0].Saves = 5 * time.Hour }, []string{last, own, first}},
		"there are no shared limits":  {func(m *Migration) { m.Forecast.Changes = m.Forecast.Changes[1:] }, []string{last, own, first}},
		"it waits for a shared limit": {func(m *Migration) { m.Forecast.Last.Waits = "of the project" }, []string{last, first}},
		"the limit decides nothing":   {func(m *Migration) { m.Forecast.Causes[0].Saves = time.Minute }, []string{last, first}},
		"to go first saves little":    {func(m *Migration) { m.Forecast.Changes[1].Saves = time.Minute }, []string{last, alone}},
		"it is not last for long":     {func(m *Migration) { m.Forecast.Last.Takes = time.Minute }, nil},
		"one mailbox": {func(m *Migration) {
			m.Forecast.Mailboxes, m.Forecast.Changes = m.Forecast.Mailboxes[1:], m.Forecast.Changes[:1]
		}, []string{alone}},
		"nothing is known": {func(m *Migration) { m.Forecast.Last, m.Forecast.Causes, m.Forecast.Changes = plan.Last{}, nil, nil }, nil},
	} {
		page := explained(t, "en", c.change)
		for _, sentence := range []string{last, alone, own, first, over} {
			want := false
			for _, s := range c.says {
				want = want || s == sentence
			}
			if strings.Contains(page, sentence) != want {
				t.Errorf("%s: %q is said: %v, want %v\n%s", name, sentence, !want, want, page)
			}
		}
	}
}

func TestWhatItExplainsIsPrivate(t *testing.T) {
	for _, tag := range []string{"en", "de"} {
		for _, level := range []privacy.Level{privacy.Masked, privacy.Hashed} {
			page := explained(t, tag, func(m *Migration) { m.Privacy.Level = level })
			name := (&privacy.Policy{Level: level}).Address("bob@example.com")
			if strings.Contains(page, "bob@") || strings.Count(page, name) < 3 {
				t.Errorf("%s, %s: %s", tag, level, page)
			}
		}
	}
}

func TestAChangeNamesItsMailbox(t *testing.T) {
	m := sample(t, "en")
	m.Forecast.Changes = []plan.Change{{What: plan.First, Mailbox: "bob@example.com", Saves: 5 * time.Hour}}
	_, data := faces(t, m)
	if got := cells(t, data, "changes", "change"); len(got) != 1 || got[0] != "bob@example.com first" {
		t.Errorf("%q", got)
	}
}
