package main

import "time"

// measured is how long calls took, of a run, a check, or what was kept of them.
type measured struct {
	Answers times         // of the target, to calls that carry no message
	Imports times         // to those that carry one of up to smallMessage octets
	Rate    int64         // octets of messages a second, which take time besides; 0 if it is unknown
	Connect time.Duration // until a mailbox of the source is open; 0 if it is unknown

	Large times // for each million octets: what Rate comes from
	Opens times // what Connect comes from
}

// times are how long calls of a kind took: about as many more than Median as less.
type times struct {
	Calls  int64         `json:"calls"`
	Median time.Duration `json:"median_ns"`
	Sigma  float64       `json:"sigma"`        // of the logarithm
	At     time.Time     `json:"at,omitzero"`  // when it was kept; zero while it goes on
	By     string        `json:"by,omitempty"` // the command
}

// derive sets what follows from others.
func (m measured) derive() measured {
	m.Rate, m.Connect = 0, m.Opens.Median
	if m.Large.Calls >= fewCalls {
		m.Rate = int64(1e6 / m.Large.Median.Seconds())
	}
	return m
}

// over returns m, or what was measured earlier where that tells more.
func (m measured) over(earlier measured) measured {
	m.Answers, m.Imports = m.Answers.over(earlier.Answers), m.Imports.over(earlier.Imports)
	m.Large, m.Opens = m.Large.over(earlier.Large), m.Opens.over(earlier.Opens)
	return m.derive()
}

// over lets many calls count for more than few, and then those of a run for more
// than those of a check, which are made one after the other.
func (t times) over(earlier times) times {
	enough := earlier.Calls >= fewCalls
	if t.Calls < min(fewCalls, earlier.Calls) || t.Calls == 0 || enough && t.By == byCheck && earlier.By == byRun {
		return earlier
	}
	return t
}

// Who measures.
const byCheck, byRun = "check", "run"

// fewCalls tell too little to be relied on.
const fewCalls = 20
