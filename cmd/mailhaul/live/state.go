// Package live knows how far a run or a verification is at this moment: it
// takes [State] from the engine's counters and the limiters, estimates what is
// left, hands it to other processes in a small file, and keeps a terminal drawn
// without touching anything that would have to be restored but its screen. It
// chooses no words: those who show a State do.
package live

import "time"

// Version of the form of [State] as JSON. It goes up when a reader of the one
// before would misread it.
const Version = 1

// A State is what a run shows of itself at one instant. It holds addresses,
// names of folders and words of servers, but no secrets and no mail.
type State struct {
	Version   int       `json:"version"`
	At        time.Time `json:"at"` // when it was taken
	PID       int       `json:"pid"`
	Host      string    `json:"host"`
	Command   string    `json:"command"`   // "run" or "verify"
	Migration string    `json:"migration"` // for people: what the folder of the migration is called
	Bad       string    `json:"bad"`       // what failures are called: "failed" or "different"
	Began     time.Time `json:"began"`
	Pause     string    `json:"pause,omitempty"` // why the run as a whole does nothing; empty if it works
	Until     time.Time `json:"until,omitzero"`  // when it goes on; zero if unknown
	Rate      float64   `json:"rate"`            // messages per second in the last half minute
	Left      Estimate  `json:"left,omitzero"`
	Limits    []Limit   `json:"limits,omitempty"` // the fullest first, one of each kind
	Mailboxes []Mailbox `json:"mailboxes"`
	Failures  []Failure `json:"failures,omitempty"` // the latest first, at most [Failures]
}

// A Mailbox is how far the pass over one mailbox has come.
type Mailbox struct {
	Source  string    `json:"source"`
	Target  string    `json:"target"`
	Began   time.Time `json:"began,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	Error   string    `json:"error,omitempty"`    // why it ended early
	Phase   string    `json:"phase,omitempty"`    // what it is doing, or which folder
	Wait    string    `json:"wait,omitempty"`     // why it does nothing
	Until   time.Time `json:"until,omitzero"`     // until when
	AtLimit string    `json:"at_limit,omitempty"` // the limit that its calls wait for; a longer wait is in Wait too
	Total   int64     `json:"total,omitzero"`     // messages that the source announced
	Known   int64     `json:"known,omitzero"`     // of them, those that had their outcome before
	Done    int64     `json:"done,omitzero"`      // of them, those that came to an outcome in this pass
	Bytes   int64     `json:"bytes,omitzero"`     // octets of those that arrived in this pass
	Failed  int64     `json:"failed,omitzero"`    // of Done
	Rate    float64   `json:"rate,omitzero"`      // messages per second in the last half minute
}

// A Limit is how much of one of a vendor's limits is used.
type Limit struct {
	Name   string  `json:"name"`             // as the vendor calls it
	Used   float64 `json:"used"`             // 1 is all of it
	Rate   float64 `json:"rate"`             // of Unit per second in the last half minute
	Unit   string  `json:"unit"`             // "calls", "units" or "octets"
	Source string  `json:"source,omitempty"` // the mailbox that is nearest to it, if each has its own
}

// A Failure is trouble with messages of a mailbox, or with the mailbox itself.
type Failure struct {
	At       time.Time `json:"at"`
	Source   string    `json:"source"`
	Messages int64     `json:"messages,omitzero"` // zero if the mailbox stopped early
	Reason   string    `json:"reason,omitempty"`  // empty if unknown
}

// A Stage is where a mailbox stands.
type Stage int

// The stages in the order in which they are told.
const (
	Running Stage = iota
	Waiting
	Done
	Stopped // ended early
	NotBegun
	Stages
)

// Stage says where m stands.
func (m *Mailbox) Stage() Stage {
	switch {
	case m.Began.IsZero():
		return NotBegun
	case !m.Ended.IsZero() && m.Error != "":
		return Stopped
	case !m.Ended.IsZero():
		return Done
	case m.Wait != "":
		return Waiting
	}
	return Running
}

// Accounted returns how many messages have their outcome.
func (m *Mailbox) Accounted() int64 { return m.Known + m.Done }

// Sum returns how many mailboxes are in each stage, and the counts of all of them
// as those of one.
func (s *State) Sum() (stages [Stages]int, all Mailbox) {
	for i := range s.Mailboxes {
		m := &s.Mailboxes[i]
		stages[m.Stage()]++
		all.Total += m.Announced()
		all.Known += m.Known
		all.Done += m.Done
		all.Bytes += m.Bytes
		all.Failed += m.Failed
	}
	return stages, all
}

// done says whether every mailbox is.
func (s *State) done() bool {
	stages, _ := s.Sum()
	return stages[Done] == len(s.Mailboxes)
}

// Announced returns how many messages there are, as far as is known.
func (m *Mailbox) Announced() int64 { return max(m.Total, m.Accounted()) }

// Left returns how long m takes at its present rate; known is false if it
// cannot be told.
func (m *Mailbox) Left() (left time.Duration, known bool) {
	n := m.Announced() - m.Accounted()
	switch {
	case n == 0 && m.Total > 0:
		return 0, true
	case m.Rate <= 0:
		return 0, false
	}
	return seconds(float64(n) / m.Rate), true
}
