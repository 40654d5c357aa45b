package main

import (
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/plan"
	"github.com/mailhaul/mailhaul/migrate/plan/proposal"
	"github.com/mailhaul/mailhaul/targets/gmail"
	"github.com/mailhaul/mailhaul/targets/graph"
)

// How long calls take is not known before a check or a pilot has measured it.
// These times are those of the tests at the vendors' ceiling, with a wide doubt:
// mostly the limits decide, and not they.
const (
	gmailAnswers = 170 * time.Millisecond
	gmailImports = 800 * time.Millisecond
	graphAnswers = 150 * time.Millisecond
	graphImports = 250 * time.Millisecond
	callsSigma   = 0.4
	largeTime    = 250 * time.Millisecond // a million octets
	connectTime  = time.Second
)

// assumed are the times of a target of which nothing was measured.
func assumed(kind string) measured {
	m := measured{Answers: times{Median: graphAnswers, Sigma: callsSigma}, Imports: times{Median: graphImports, Sigma: callsSigma},
		Large: times{Median: largeTime}, Opens: times{Median: connectTime}}
	if kind == "gmail" {
		m.Answers.Median, m.Imports.Median = gmailAnswers, gmailImports
	}
	return m
}

// completed returns m with what was not measured, or by too few calls, assumed.
// Imports alone are then assumed to take as many times as long as answers as they
// do otherwise.
func (m measured) completed(kind string) measured {
	a := assumed(kind)
	if m.Imports.Calls < fewCalls {
		m.Imports = a.Imports
		if m.Answers.Calls >= fewCalls {
			m.Imports.Median = time.Duration(float64(m.Answers.Median) * a.Imports.Median.Seconds() / a.Answers.Median.Seconds())
		}
	}
	if m.Answers.Calls < fewCalls {
		m.Answers = a.Answers
	}
	if m.Large.Calls < fewCalls {
		m.Large = a.Large
	}
	if m.Opens.Calls == 0 {
		m.Opens = a.Opens
	}
	return m
}

// rate is how many octets of messages go in a second.
func (m measured) rate() int64 { return int64(1e6 / m.Large.Median.Seconds()) }

// listed is how many messages a run lists in a second, see docs/benchmarks.md. It
// is so many that it hardly matters.
const listed = 50_000

// planSource is what a forecast knows of the source: not how fast it gives mail.
func planSource(c *Config, m measured) plan.Source {
	return plan.Source{Connect: m.completed(c.Target.Kind).Opens.Median, Listing: listed}
}

// manyImports are those of a pilot that shows how long calls take.
const manyImports = 1000

// doubt is that of a forecast by m.
func (m measured) doubt() plan.Doubt {
	d := plan.Doubt{Latency: 0.25, Pace: 0.05}
	if m.Imports.Calls >= manyImports {
		d.Latency = 0.1
	}
	return d
}

// planModel is what a forecast knows of the target of c, of which m was measured.
func planModel(c *Config, m measured) (model plan.Model) {
	m = m.completed(c.Target.Kind)
	if model = graphModel(c.Graph, m); c.Target.Kind == "gmail" {
		model = gmailModel(c.Gmail, m)
	}
	model.Own, model.Shared = c.limits()
	return model
}

// told is what a plan tells of the times that it goes by.
func (m measured) told(kind string) []proposal.CallTime {
	c := m.completed(kind)
	of := func(kind string, takes time.Duration, t times, enough bool, otherwise string) proposal.CallTime {
		if !enough {
			return proposal.CallTime{Kind: kind, Takes: takes, Basis: otherwise}
		}
		return proposal.CallTime{Kind: kind, Takes: takes, Basis: t.By, Calls: t.Calls, At: t.At}
	}
	answers := m.Answers.Calls >= fewCalls
	imports := "assumed"
	if answers {
		imports = "ratio"
	}
	return []proposal.CallTime{of("answers", c.Answers.Median, m.Answers, answers, "assumed"),
		of("imports", c.Imports.Median, m.Imports, m.Imports.Calls >= fewCalls, imports),
		of("large", c.Large.Median, m.Large, m.Large.Calls >= fewCalls, "assumed"),
		of("connect", c.Opens.Median, m.Opens, m.Opens.Calls > 0, "assumed")}
}

// calls are calls that each spend so many units.
func calls(t times, units ...int64) (cs []plan.Call) {
	for _, n := range units {
		cs = append(cs, plan.Call{Cost: pace.Cost{pace.Requests: 1, pace.Points: n}, Median: t.Median, Sigma: t.Sigma})
	}
	return cs
}

func gmailModel(c GmailConfig, t measured) (m plan.Model) {
	small := func(units ...int64) []plan.Call { return calls(t.Answers, units...) }
	write := calls(t.Imports, 25)
	write[0].Sent, write[0].Rate = 1, t.rate()
	m.Parallel, m.First = c.Parallel, min(4, c.Parallel)
	m.Open, m.Folder, m.Merge = small(1, 1, 1), small(5), small(5)
	pieces := small(0)[0] // of a large message, and the call that opens its upload
	pieces.Cost, pieces.Range, pieces.Rate = pace.Cost{}, gmail.ChunkSize, t.rate()
	last := write[0]
	last.Rate = 0
	m.Write = []plan.Write{{Upto: gmail.SingleRequest, Calls: write}, {Calls: []plan.Call{pieces, last}}}
	m.Read = plan.Read{Open: small(1), Folder: small(5), Page: small(5), PerPage: 500, Look: small(20), Content: small(20)}
	return m
}

func graphModel(c GraphConfig, t measured) (m plan.Model) {
	small := func(n int) []plan.Call { return calls(t.Answers, make([]int64, n)...) }
	whole := calls(t.Imports, 0)[0] // in base64, unless it is JSON, whose attachments are in base64 at the source too
	if whole.Sent, whole.Rate = 4.0/3, t.rate(); c.Route == string(graph.RouteJSON) {
		whole.Sent = 1
	}
	ranges := small(1)[0] // of attachments, decoded
	ranges.Range, ranges.Sent, ranges.Rate = graph.UploadRange*4/3, 0.75, t.rate()
	m.Parallel = c.Parallel
	m.Open, m.Begin, m.Folder = small(5), small(6), small(1) // the first messages are looked for, and one is read back, while others wait
	m.Write = []plan.Write{{Upto: graph.MaxImportSize, Calls: append(small(1), whole)}, {Calls: append(small(3), ranges)}}
	m.Read = plan.Read{Open: small(4), Folder: small(5), Page: small(1), PerPage: 200, Content: small(1)}
	return m
}
