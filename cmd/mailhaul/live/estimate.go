package live

import "time"

// An Estimate is how long it takes until all is done. The zero value says nothing.
//
// It comes from a [Simulation], of which eight of ten runs end in the range. While
// there is none it says how long what is left takes if it goes as it lately did:
// by the highest and the lowest of the rates of the last minute, 5 minutes, 20
// minutes and hour, as far back as they go.
type Estimate struct {
	Low    time.Duration `json:"low"`             // nanoseconds
	Likely time.Duration `json:"likely,omitzero"` // zero: only the range is known
	High   time.Duration `json:"high,omitzero"`   // zero: cannot be told, as nothing went on for some time

	// Guessed is the number of mailboxes that were not begun, so that their
	// size is unknown; they are taken to be like the others.
	Guessed int `json:"guessed,omitzero"`
	// Unknown is their number where too few were begun to guess from: the
	// estimate leaves them out.
	Unknown int `json:"unknown,omitzero"`
}

// A Simulation says when a run ends, counted from At.
type Simulation struct {
	At            time.Time
	P10, P50, P90 time.Duration
	Guessed       int  // as in Estimate
	Proven        bool // it goes by how long the work until then took
}

// estimate is what a simulation says later: time went by. When it should have
// ended it says nothing.
func (s Simulation) estimate(now time.Time) Estimate {
	passed := now.Sub(s.At)
	if s.P50 <= passed {
		return Estimate{}
	}
	return Estimate{Low: max(s.P10-passed, 1), Likely: s.P50 - passed, High: s.P90 - passed, Guessed: s.Guessed}
}

// wider returns e with a range that holds that of the rates as well: a simulation
// that is not proven may leave out what slows the run down.
func (e Estimate) wider(rates Estimate) Estimate {
	if rates.High > 0 {
		e.Low, e.High = min(e.Low, rates.Low), max(e.High, rates.High)
	}
	return e
}
