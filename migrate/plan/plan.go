// Package plan says how long a migration takes, before it begins or while it
// runs.
//
// It simulates whole runs event by event, with a clock of its own, over the code
// that paces real ones (migrate/pace, migrate/window): mailboxes open, make
// folders, write message after message within the limits of the target, and wait
// for their turn. What differs from run to run is drawn at random, so that many
// runs give a range. The same seed gives the same forecast.
//
// Of a mailbox with many messages several are one event, which costs and takes
// as much as they do. Single failures and refusals are not simulated: [Doubt]
// stands for them and for all else that no model knows.
package plan

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/verify"
	"github.com/mailhaul/mailhaul/migrate/window"
)

// A Migration is what is simulated.
type Migration struct {
	Loads  []Load // in the order of the list
	Model  Model
	Source Source

	Jobs   int            // mailboxes at once
	Window *window.Window // nil: always open
	Start  time.Time
	Spent  *pace.Limiter // what was spent of the shared limits before; nil: nothing
	Waves  []Wave        // one after the other; none: all mailboxes are one wave
	Deltas int           // passes over a wave after its first one, for mail that came meanwhile
	Depth  verify.Depth  // of the verification of each wave; "" for none
	Sample verify.Sample // of verify.Sampled

	Doubt Doubt
	Runs  int // that are simulated; 0: 20
	Seed  uint64

	fine    bool   // each message is an event
	quick   bool   // calls take half the time
	ahead   string // the mailbox of this name is the first of its wave
	largest bool   // the largest mailboxes go first; otherwise a first pass follows the list
	steps   int64  // of a first pass over all mailboxes, about; 0: stepsInAll
}

// A Wave is the mailboxes whose loads name it.
type Wave struct {
	Name  string
	Start time.Time // not before; zero: as soon as the wave before has ended
}

// A Source is how fast mail can be read.
type Source struct {
	Bandwidth int64         // octets a second, of all mailboxes together; 0: no bound
	Mailbox   int64         // octets a second, of one mailbox; 0: no bound
	Listing   int64         // messages of one mailbox that are listed in a second; 0: no bound
	Connect   time.Duration // until a mailbox is open
}

// Doubt is how far a run may be from what the model says, each as the standard
// deviation of a logarithm: 0.05 is about 5 %. Both are drawn once for a run.
type Doubt struct {
	Latency float64 // of how long calls take
	Pace    float64 // of everything: calls, reading, and how much the limits allow
}

// defaultRuns are enough for P10 and P90.
const defaultRuns = 20

// Check returns an error unless m can be simulated.
func (m *Migration) Check() error {
	if m.Model.Parallel < 1 || m.Jobs < 1 {
		return errors.New("nothing is done with no call or no mailbox at once: both must be at least 1")
	}
	if len(m.Model.Write) == 0 {
		return errors.New("the model does not say how messages are written")
	}
	for _, l := range m.limits() {
		if l.Amount <= 0 || l.Per <= 0 || l.Burst < 0 {
			return fmt.Errorf("limit %q lets nothing through", l.Name)
		}
	}
	waves := map[string]bool{}
	for _, w := range m.Waves {
		if waves[w.Name] {
			return fmt.Errorf("wave %q is there twice", w.Name)
		}
		waves[w.Name] = true
	}
	for _, l := range m.Loads {
		if err := l.check(); err != nil {
			return fmt.Errorf("%s: %w", l.Name, err)
		}
		if len(m.Waves) > 0 && !waves[l.Wave] {
			return fmt.Errorf("%s: there is no wave %q", l.Name, l.Wave)
		}
	}
	return nil
}

// limits returns all limits, those of each mailbox first.
func (m *Migration) limits() []pace.Limit { return slices.Concat(m.Model.Own, m.Model.Shared) }

// waves returns at least one.
func (m *Migration) waves() []Wave {
	if len(m.Waves) == 0 {
		return []Wave{{}}
	}
	return m.Waves
}
