package gmail

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

func TestAFullMailboxStopsWhateverGmailSays(t *testing.T) {
	for text, most := range map[string]int{"": 1, "There is no room at the inn.": maxStreak} {
		sim, server := serve(t, gmailsim.Options{MailboxBytes: 2000, FullText: text})
		target := open(t, config(server))
		refused := 0
		for i := range 1000 {
			_, err := target.Append(t.Context(), inbox, targettest.Letter(fmt.Sprint("full-", i)))
			if err == nil {
				continue
			}
			refused++
			e, ok := errors.AsType[*migrate.Error](err)
			if !ok || !e.Refused || e.Hint == "" || !strings.Contains(e.Error(), text) {
				t.Fatalf("%q: %#v", text, err)
			}
			if e.Class == migrate.Fatal {
				if !strings.Contains(e.Hint, "full") {
					t.Errorf("%q: the hint is %q", text, e.Hint)
				}
				break
			}
		}
		if n := len(sim.Messages(user)); refused != most || n == 0 {
			t.Errorf("%q: stopped after %d refusals and %d messages, want %d refusals", text, refused, n, most)
		}
	}
}

func TestOnlyRefusalsThatAreNotKnownStopAMailbox(t *testing.T) {
	refused := func(text string) error {
		e, _ := classify("import", received(400, nil, envelope(400, "invalidArgument", text)), now)
		return e
	}
	for name, test := range map[string]struct {
		outcomes []error // again and again
		stops    bool
	}{
		"not known":          {[]error{refused("No."), refused("Not this one either.")}, true},
		"known ones between": {[]error{refused("No."), refused("Invalid From header")}, true},
		"failures between":   {[]error{refused("No."), &migrate.Error{Class: migrate.Transient, Err: errors.New("503")}}, true},
		"known":              {[]error{refused("Bad Request"), refused("Request contains an invalid argument."), refused("Invalid From header")}, false},
		"a message goes in":  {[]error{refused("No."), refused("No."), nil}, false},
	} {
		var s streak
		stopped := false
		for range 3 * maxStreak {
			for _, err := range test.outcomes {
				e, ok := errors.AsType[*migrate.Error](s.judge(err))
				stopped = stopped || ok && e.Class == migrate.Fatal
			}
		}
		if stopped != test.stops {
			t.Errorf("%s: stopped is %v", name, stopped)
		}
	}
}
