package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
)

func TestWhatMayCostMoneyWaitsForTheNextDayUnlessToldOtherwise(t *testing.T) {
	for daily, want := range map[string]time.Duration{"wait": 24 * time.Hour, "spend": time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			c := defaults()
			c.Target.Kind, c.Gmail.Daily = "gmail", daily
			k, err := newConnections(t.Context(), &c)
			if err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			for _, units := range []int64{80_000_000, 1} {
				if err := pace.NewLimiter(k.shared).Wait(t.Context(), pace.Cost{pace.Points: units}); err != nil {
					t.Fatal(err)
				}
			}
			if waited := time.Since(begun).Truncate(time.Hour); waited != want { // 80,000,000 units take 67 minutes
				t.Errorf("%s: waited %v, want %v", daily, waited, want)
			}
		})
	}
}

func TestARunThatMayCostMoneySaysSo(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	_, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "", "", "ann")
	for daily, warned := range map[string]bool{"wait": false, "spend": true} {
		old := "profile = \"new\"\ndaily = \"" + daily + "\""
		edit(t, config, `profile = "none"`, old)
		code, _, stderr := mailhaul(t.Context(), "run", "--config", config)
		if code != exitDone || strings.Contains(stderr, "Google may charge") != warned {
			t.Errorf("%s: exit code %d: %s", daily, code, stderr)
		}
		edit(t, config, old, `profile = "none"`)
	}
}
