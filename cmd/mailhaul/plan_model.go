package main

import (
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/plan"
	"github.com/mailhaul/mailhaul/targets/graph"
)

// How long calls take is not known before a pilot. These times are those of the
// tests at the vendors' ceiling, with a wide doubt: mostly the limits decide, and
// not they.
const (
	gmailAnswers = 170 * time.Millisecond
	gmailImports = 800 * time.Millisecond
	graphAnswers = 150 * time.Millisecond
	graphImports = 250 * time.Millisecond
	uploadRate   = 4_000_000 // octets a second
	answersSigma = 0.4
)

var planDoubt = plan.Doubt{Latency: 0.25, Pace: 0.05}

// planModel is what a forecast knows of the target of c.
func planModel(c *Config) (m plan.Model) {
	if m = graphModel(c.Graph); c.Target.Kind == "gmail" {
		m = gmailModel(c.Gmail)
	}
	m.Own, m.Shared = c.limits()
	return m
}

// calls are calls that each spend so many units.
func calls(median time.Duration, units ...int64) (cs []plan.Call) {
	for _, n := range units {
		cs = append(cs, plan.Call{Cost: pace.Cost{pace.Requests: 1, pace.Points: n}, Median: median, Sigma: answersSigma})
	}
	return cs
}

func gmailModel(c GmailConfig) (m plan.Model) {
	small := func(units ...int64) []plan.Call { return calls(gmailAnswers, units...) }
	write := calls(gmailImports, 25)
	write[0].Sent, write[0].Rate = 1, uploadRate
	m.Parallel, m.First = c.Parallel, min(4, c.Parallel)
	m.Open, m.Folder, m.Merge = small(1, 1, 1), small(5), small(5)
	m.Write = []plan.Write{{Calls: write}}
	m.Read = plan.Read{Open: small(1), Folder: small(5), Page: small(5), PerPage: 500, Look: small(20), Content: small(20)}
	return m
}

func graphModel(c GraphConfig) (m plan.Model) {
	small := func(n int) []plan.Call { return calls(graphAnswers, make([]int64, n)...) }
	whole := calls(graphImports, 0)[0] // in base64, unless it is JSON, whose attachments are in base64 at the source too
	if whole.Sent, whole.Rate = 4.0/3, uploadRate; c.Route == string(graph.RouteJSON) {
		whole.Sent = 1
	}
	ranges := small(1)[0] // of attachments, decoded
	ranges.Range, ranges.Sent, ranges.Rate = uploadRange*4/3, 0.75, uploadRate
	m.Parallel = c.Parallel
	m.Open, m.Begin, m.Folder = small(5), small(5), small(1)
	m.Write = []plan.Write{{Upto: maxImport, Calls: append(small(1), whole)}, {Calls: append(small(3), ranges)}}
	m.Read = plan.Read{Open: small(4), Folder: small(5), Page: small(1), PerPage: 200, Content: small(1)}
	return m
}

// uploadRange is how much of an attachment one call carries.
const uploadRange = 10 * 320 << 10
