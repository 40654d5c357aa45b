package main

import "time"

// measured is how long calls took, of a run, a check, or what was kept of them.
type measured struct {
	Answers times `json:"answers"` // of the target, to calls that carry no message
	Imports times `json:"imports"` // to those that carry one of up to smallMessage octets
	Large   times `json:"large"`   // besides, for each million octets of a large one
	Opens   times `json:"opens"`   // until a mailbox of the source is open
}

// times are how long calls of a kind took: about as many more than Median as less.
type times struct {
	Calls  int64         `json:"calls"`
	Median time.Duration `json:"median_ns"`
	Sigma  float64       `json:"sigma"`        // of the logarithm
	At     time.Time     `json:"at,omitzero"`  // when it was kept; zero while it goes on
	By     string        `json:"by,omitempty"` // the command
}

// over returns m, or what was measured earlier where that tells more.
func (m measured) over(earlier measured) measured {
	m.Answers, m.Imports = m.Answers.over(earlier.Answers), m.Imports.over(earlier.Imports)
	m.Large, m.Opens = m.Large.over(earlier.Large), m.Opens.over(earlier.Opens)
	return m
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
