package gmailsim

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/api/gmail/v1"
)

// imports counts the imports that get through at one instant.
func imports(t testing.TB, g *gmail.UsersService) (n int, err error) {
	t.Helper()
	for n < 1000 {
		if _, err = importing(g, "From: a@b.org\r\n\r\nx").Do(); err != nil {
			return n, err
		}
		n++
	}
	t.Fatal("no limit")
	return 0, nil
}

func profile(t testing.TB, name string) Quota {
	t.Helper()
	q, err := ParseQuota(name)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

const metric = "Quota exceeded for quota metric 'Total Query Cost' and limit 'Units per minute per user' of service 'gmail.googleapis.com' for consumer 'project_number:407408718192'."

func TestTheNewProfileIsARateOfAHundredUnits(t *testing.T) {
	clock := newClock()
	_, g := serve(t, Options{Quota: profile(t, "new"), Now: clock.now})
	n, err := imports(t, g)
	wantError(t, err, 403, "rateLimitExceeded", metric)
	if n != 40 { // ten seconds of the rate in reserve, 25 units each
		t.Errorf("%d imports at first, want 40", n)
	}
	clock.wait(time.Second)
	if n, _ = imports(t, g); n != 4 {
		t.Errorf("%d imports after a second, want 4", n)
	}
	if _, err := g.GetProfile("bob@example.com").Do(); err != nil {
		t.Errorf("another user: %v", err)
	}
}

func TestQuotaCanBeCountedByTheMinute(t *testing.T) {
	clock := newClock()
	q := profile(t, "500")
	q.PerMinute, q.Status = true, 429
	_, g := serve(t, Options{Quota: q, Now: clock.now})
	n, err := imports(t, g)
	wantError(t, err, 429, "rateLimitExceeded", metric)
	clock.wait(59 * time.Second)
	early, _ := imports(t, g)
	clock.wait(time.Second)
	next, _ := imports(t, g)
	if n != 20 || early != 0 || next != 20 {
		t.Errorf("got %d, %d, %d imports, want 20, 0, 20", n, early, next)
	}
}

func TestLegacyProjectsPayTheOldPrices(t *testing.T) {
	for name, want := range map[string]int{"legacy": 500, "new": 50} { // gets from a reserve of 2,500 and 1,000 units
		clock := newClock()
		_, g := serve(t, Options{Quota: profile(t, name), Now: clock.now})
		id := mustImport(t, g, mailOf("a@x"))
		clock.wait(time.Minute)
		n := 0
		var err error
		for ; err == nil; n++ {
			_, err = g.Messages.Get(user, id).Format("minimal").Do()
		}
		if n--; n != want {
			t.Errorf("%s: %d gets, want %d", name, n, want)
		}
		if name == "legacy" {
			wantError(t, err, 429, "rateLimitExceeded", strings.NewReplacer("Total Query Cost", "Queries", "Units", "Queries").Replace(metric))
		}
	}
}

func TestQuotaRefusalsReadAsChosen(t *testing.T) {
	for _, test := range []struct {
		q               Quota
		code            int
		reason, message string
	}{
		{Quota{UserPerMinute: 6, Wording: WordingUserRate}, 403, "userRateLimitExceeded", "User Rate Limit Exceeded"},
		{Quota{UserPerMinute: 6, Wording: WordingRate}, 403, "rateLimitExceeded", "Rate Limit Exceeded"},
		{Quota{UserPerMinute: 6, Wording: WordingExhausted, Status: 429}, 429, "rateLimitExceeded", "Resource has been exhausted (e.g. check quota)."},
		{Quota{ProjectPerMinute: 6}, 403, "rateLimitExceeded", strings.Replace(metric, " per user", "", 1)},
		{Quota{ProjectPerDay: 1}, 403, "dailyLimitExceeded", "Daily Limit Exceeded"},
	} {
		clock := newClock()
		_, g := serve(t, Options{Quota: test.q, Now: clock.now})
		if _, err := g.GetProfile(user).Do(); err != nil {
			t.Fatal(err)
		}
		_, err := g.GetProfile(user).Do()
		wantError(t, err, test.code, test.reason, test.message)
		clock.wait(24 * time.Hour)
		if _, err := g.GetProfile(user).Do(); err != nil {
			t.Errorf("a day later: %v", err)
		}
	}
}

func TestUnknownQuotaProfilesAreRefused(t *testing.T) {
	for _, name := range []string{"old", "-1", "0", "new "} {
		if _, err := ParseQuota(name); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
	if q := profile(t, "none"); q != (Quota{}) {
		t.Errorf("none is %+v", q)
	}
}
