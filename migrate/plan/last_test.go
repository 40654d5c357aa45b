package plan

import (
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

// lastly expects that a mailbox is at work alone since and for so long, and what
// it waits for.
func lastly(t *testing.T, m *Migration, mailbox string, since, takes time.Duration, waits string) *Forecast {
	t.Helper()
	f := forecast(t, m)
	if l := f.Last; l.Mailbox != mailbox || (l.Since.Sub(monday)-since).Abs() > 15*time.Second || (l.Takes-takes).Abs() > 15*time.Second || l.Waits != waits {
		t.Errorf("%s is the last since %v, for %v, and waits for %q; want %s since %v, for %v, and %q", l.Mailbox, l.Since.Sub(monday), l.Takes, l.Waits, mailbox, since, takes, waits)
	}
	return f
}

func TestItSaysSinceWhenOneMailboxDecides(t *testing.T) {
	m := moving(1000, 5000, 2000)
	lastly(t, m, "box1", 200*time.Second, 300*time.Second, "")
	m.Model.Own = []pace.Limit{rate("user", 20)}
	lastly(t, m, "box1", 1000*time.Second, 1500*time.Second, "user")
	m.Model.Shared, m.Jobs = []pace.Limit{rate("project", 10)}, 1
	lastly(t, m, "box2", 6000*time.Second, 2000*time.Second, "project")
	lastly(t, moving(3000), "box0", 0, 300*time.Second, "")
}

func TestTheLongestTimeAloneOfAllPassesCounts(t *testing.T) {
	m := moving(1000, 2000, 4000)
	m.Loads[0].Wave, m.Loads[1].Wave, m.Loads[2].Wave = "a", "a", "b"
	m.Waves = []Wave{{Name: "b"}, {Name: "a"}}
	lastly(t, m, "box2", 0, 400*time.Second, "")
	m = moving(1000, 2000)
	m.Depth = verify.Content
	m.Model.Read.Content = []Call{call(1, 4*time.Second)}
	lastly(t, m, "box1", 1200*time.Second, 1000*time.Second, "")
}

func TestTimeAloneIsThatOfAnOpenWindow(t *testing.T) {
	m := moving(1000, 5000)
	m.Model.Own = []pace.Limit{rate("user", 20)}
	m.Window = hours(t, "00:00-00:10")
	lastly(t, m, "box1", 500*time.Second, 2000*time.Second, "user")
}

func TestItSaysWhatGoingFirstSaves(t *testing.T) {
	first := func(m *Migration) (c Change) {
		for _, c := range forecast(t, m).Changes {
			if c.What == First {
				return c
			}
		}
		return Change{}
	}
	m := moving(1000, 1000, 1000, 1000, 4000)
	m.Jobs = 2
	if c := first(m); c.Mailbox != "box4" || (c.Saves-200*time.Second).Abs() > 5*time.Second {
		t.Errorf("%+v", c)
	}
	m.largest = true
	if c := first(m); c.What != "" {
		t.Errorf("the largest go first: %+v", c)
	}
	m = moving(1000, 4000)
	if c := first(m); c.What != "" {
		t.Errorf("all go at once: %+v", c)
	}
}
