// Package metrics shows a run to Prometheus, on this machine only. Its names
// follow https://prometheus.io/docs/practices/naming. No label names a mailbox
// unless that was asked for.
package metrics

import (
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
)

// A Run collects what a run does, over all its passes. Its counters begin with
// it.
type Run struct {
	perMailbox bool
	build      prometheus.Metric

	mu       sync.Mutex
	snapshot func() []migrate.MailboxSnapshot
	boxes    map[string]*box // by source
	uses     map[string]*use // by source
	rate     rate
}

// A box is what is known of a mailbox: of its pass now, and the sums of those
// before.
type box struct {
	now                 migrate.MailboxSnapshot
	done, failed, bytes int64 // of the passes before
	failures            int64 // passes that ended early, this one too if it did
	listed              bool  // it is one of the run's still
}

// A use is what went through the limiters of a mailbox: the one it has now, and
// those before.
type use struct {
	limiter *pace.Limiter
	before  pace.Usage
}

var _ prometheus.Collector = (*Run)(nil)

// NewRun returns a Run of a version of mailhaul. With perMailbox some metrics
// have the source addresses as labels.
func NewRun(version string, perMailbox bool) *Run {
	build := prometheus.NewDesc("mailhaul_build_info", "Always 1; the version is in the label.", nil, prometheus.Labels{"version": version})
	return &Run{perMailbox: perMailbox, build: prometheus.MustNewConstMetric(build, prometheus.GaugeValue, 1),
		boxes: map[string]*box{}, uses: map[string]*use{}}
}

// Follow says where to look from now on, as a new pass may with other mailboxes.
// Limiters are by source; snapshot is called from other goroutines.
func (r *Run) Follow(snapshot func() []migrate.MailboxSnapshot, limiters map[string]*pace.Limiter) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.look(time.Now())
	r.snapshot = snapshot
	for source, l := range limiters {
		u := r.uses[source]
		switch {
		case u == nil:
			r.uses[source] = &use{limiter: l}
		case u.limiter != l:
			u.before = sum(u.before, u.limiter.Usage())
			u.limiter = l
		}
	}
	r.look(time.Now())
}

// sampleEvery is how often a Run looks, so that little of what a pass did at its
// very end is missed when the next one begins.
const sampleEvery = time.Second

// look reads the snapshots, and counts what ended.
func (r *Run) look(now time.Time) {
	if r.snapshot == nil {
		return
	}
	for _, b := range r.boxes {
		b.listed = false
	}
	for _, s := range r.snapshot() {
		b := r.boxes[s.Source]
		if b == nil {
			b = new(box)
			r.boxes[s.Source] = b
		}
		if !s.Started.Equal(b.now.Started) {
			b.settle()
		}
		if s.Err != nil && b.now.Err == nil {
			b.failures++
		}
		b.now, b.listed = s, true
	}
	var done, left int64
	for _, b := range r.boxes {
		if !b.listed {
			b.settle()
		}
		done += b.done + b.now.Done
		left += b.left()
	}
	r.rate.note(now, done, left)
}

// settle makes the pass one of those before.
func (b *box) settle() {
	b.done, b.failed, b.bytes = b.done+b.now.Done, b.failed+b.now.Failed, b.bytes+b.now.Bytes
	b.now = migrate.MailboxSnapshot{}
}

func (b *box) left() int64 { return max(b.now.Total-b.now.Known-b.now.Done, 0) }

func (b *box) state() string {
	switch {
	case b.now.Started.IsZero():
		return "waiting"
	case b.now.Ended.IsZero():
		return "running"
	case b.now.Err != nil:
		return "failed"
	}
	return "ended"
}

func sum(a, b pace.Usage) pace.Usage {
	total := pace.Usage{Calls: a.Calls + b.Calls, Waited: map[string]time.Duration{}}
	for i := range total.Cost {
		total.Cost[i] = a.Cost[i] + b.Cost[i]
	}
	for _, u := range []pace.Usage{a, b} {
		for limit, d := range u.Waited {
			total.Waited[limit] += d
		}
	}
	return total
}

var (
	messages = prometheus.NewDesc("mailhaul_messages_total", "Messages that came to an outcome: failed, or settled in any other way.", []string{"outcome"}, nil)
	octets   = prometheus.NewDesc("mailhaul_bytes_total", "Octets of the messages that arrived at the target.", nil, nil)
	failures = prometheus.NewDesc("mailhaul_failures_total", "Passes over a mailbox that ended early.", nil, nil)
	queued   = prometheus.NewDesc("mailhaul_queue_messages", "Messages that the present passes have still to settle, as far as they know.", nil, nil)
	states   = prometheus.NewDesc("mailhaul_mailboxes", "Mailboxes by what their pass is doing.", []string{"state"}, nil)
	eta      = prometheus.NewDesc("mailhaul_eta_seconds", "Time that the queue will take at the rate of the last ten minutes. Missing while that cannot be told.", nil, nil)
	calls    = prometheus.NewDesc("mailhaul_api_calls_total", "Calls to the target.", nil, nil)
	units    = prometheus.NewDesc("mailhaul_quota_units_total", "Quota units that calls to the target cost, where the vendor counts them.", nil, nil)
	uploads  = prometheus.NewDesc("mailhaul_upload_bytes_total", "Octets in the calls to the target.", nil, nil)
	waits    = prometheus.NewDesc("mailhaul_waits_seconds_total", "Time that mailboxes waited for a limit of the target, summed over mailboxes.", []string{"limit"}, nil)

	boxMessages = prometheus.NewDesc("mailhaul_mailbox_messages_total", "Messages of a mailbox that came to an outcome.", []string{"mailbox", "outcome"}, nil)
	boxQueued   = prometheus.NewDesc("mailhaul_mailbox_queue_messages", "Messages that the present pass over a mailbox has still to settle.", []string{"mailbox"}, nil)
)

// Describe sends what Collect may send.
func (r *Run) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{r.build.Desc(), messages, octets, failures, queued, states, eta, calls, units, uploads, waits} {
		out <- d
	}
	if r.perMailbox {
		out <- boxMessages
		out <- boxQueued
	}
}

// Collect looks at the run as it is.
func (r *Run) Collect(out chan<- prometheus.Metric) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.look(now)
	send := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		for i := range labels {
			labels[i] = strings.ToValidUTF8(labels[i], "\ufffd")
		}
		out <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	var done, failed, bytes, early, left int64
	state := map[string]int{"waiting": 0, "running": 0, "ended": 0, "failed": 0}
	for source, b := range r.boxes {
		d, f := b.done+b.now.Done, b.failed+b.now.Failed
		done, failed, bytes, early, left = done+d, failed+f, bytes+b.bytes+b.now.Bytes, early+b.failures, left+b.left()
		if b.listed {
			state[b.state()]++
		}
		if r.perMailbox {
			send(boxMessages, counter, float64(d-f), source, "settled")
			send(boxMessages, counter, float64(f), source, "failed")
			send(boxQueued, gauge, float64(b.left()), source)
		}
	}
	var usage pace.Usage
	for _, u := range r.uses {
		usage = sum(usage, sum(u.before, u.limiter.Usage()))
	}
	out <- r.build
	send(messages, counter, float64(done-failed), "settled")
	send(messages, counter, float64(failed), "failed")
	send(octets, counter, float64(bytes))
	send(failures, counter, float64(early))
	send(queued, gauge, float64(left))
	for name, n := range state {
		send(states, gauge, float64(n), name)
	}
	if d, ok := r.rate.eta(now, left); ok {
		send(eta, gauge, d.Seconds())
	}
	send(calls, counter, float64(usage.Calls))
	send(units, counter, float64(usage.Cost[pace.Points]))
	send(uploads, counter, float64(usage.Cost[pace.Bytes]))
	for limit, d := range usage.Waited {
		send(waits, counter, d.Seconds(), limit)
	}
}
