package plan

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// How the engine keeps a target busy: so much of one mailbox may be between the
// source and the last record, and so much is read and recorded at once (see
// reader.go and writer.go of package migrate).
const (
	queuedOctets  = 2 << 20
	groupOctets   = 1 << 20
	groupMessages = 64
	refillCalls   = 2    // for each call at once, messages on their way of which fewer call for more
	lateness      = 1.0  // seconds that a result waits for others to share its commit
	positionEvery = 2000 // messages between which nothing is on its way
)

// queuedMessages is how many messages of one mailbox may be there.
func queuedMessages(jobs int) int { return min(max(8192/jobs, 32), 256) }

// engaged returns how many calls at once the engine keeps going in a mailbox
// with these messages, if no limit stands in the way. Until the last message is
// written it is fewer, which counts for each positionEvery of many.
func (m *Migration) engaged(parts []part, random *rand.Rand) float64 {
	if len(parts) == 0 {
		return float64(m.Model.Parallel)
	}
	var took, worked float64
	n, times := 0, 0
	for ; n < positionEvery; times++ {
		p := &pipe{parallel: m.Model.Parallel, slots: queuedMessages(m.Jobs), octets: queuedOctets, source: m.Source, random: random}
		p.groups = min(groupMessages, p.slots/2)
		p.left = draw(parts, random)
		n += len(p.left)
		for _, one := range p.left {
			worked += one.each.mean
		}
		took += p.run()
	}
	last := worked / float64(n) * float64(times)
	if messages(parts) > positionEvery {
		last = 0
	}
	if worked <= last || took <= last {
		return float64(m.Model.Parallel)
	}
	return (worked - last) / (took - last)
}

// draw returns the messages that parts stand for, in any order; of many, a
// sample.
func draw(parts []part, random *rand.Rand) (ms []part) {
	n := messages(parts)
	if n > positionEvery {
		for range positionEvery {
			i, at := 0, random.Int64N(n)
			for ; at >= parts[i].n; i++ {
				at -= parts[i].n
			}
			ms = append(ms, parts[i])
		}
		return ms
	}
	for _, p := range parts {
		for range p.n {
			ms = append(ms, p)
		}
	}
	random.Shuffle(len(ms), func(i, j int) { ms[i], ms[j] = ms[j], ms[i] })
	return ms
}

// A pipe is the way of messages through the engine. Times are in seconds.
type pipe struct {
	parallel int
	groups   int   // messages that are read at once
	slots    int   // for messages, free
	octets   int64 // free
	source   Source
	random   *rand.Rand

	now     float64
	left    []part
	group   []part   // being read
	read    float64  // when the first of it is
	queue   []part   // read
	intents []part   // to be recorded
	ready   []part   // recorded, to be written
	busy    []flight // being written, the first one to end first
	flying  int      // with an intent and no result
	results []part   // to be recorded
	late    float64  // when they are due
	due     bool
}

type flight struct {
	part
	end float64
}

// run returns how long it takes until everything is recorded.
func (p *pipe) run() float64 {
	for {
		for p.reads() || p.records() || p.writes() {
		}
		next := math.Inf(1)
		if len(p.group) > 0 {
			next = p.read
		}
		if len(p.busy) > 0 {
			next = min(next, p.busy[0].end)
		}
		if len(p.results) > 0 {
			next = min(next, p.late)
		}
		if math.IsInf(next, 1) {
			return p.now
		}
		p.now = next
	}
}

// held is what a message counts for of the octets that may be there.
func (p *pipe) held(m part) int64 { return min(m.octets, queuedOctets/int64(3*p.parallel)) }

// reads hands on a message that was read, or begins to read a group.
func (p *pipe) reads() bool {
	if len(p.group) > 0 {
		if p.read > p.now {
			return false
		}
		p.queue, p.group = append(p.queue, p.group[0]), p.group[1:]
		p.reading()
		return true
	}
	n, sum, room := 0, int64(0), int64(0)
	for n < len(p.left) && n < p.groups && (n == 0 || sum+p.left[n].octets <= groupOctets) {
		sum, room = sum+p.left[n].octets, room+p.held(p.left[n])
		n++
	}
	if n == 0 || n > p.slots || room > p.octets {
		return false
	}
	p.slots, p.octets = p.slots-n, p.octets-room
	p.group, p.left = p.left[:n], p.left[n:]
	p.reading()
	return true
}

// reading says when the next message of the group is read.
func (p *pipe) reading() {
	if p.read = p.now; len(p.group) > 0 {
		p.read += p.source.reads(p.group[0].octets)
	}
}

// reads returns how many seconds it takes to list and read a message.
func (s Source) reads(octets int64) (seconds float64) {
	if s.Listing > 0 {
		seconds = 1 / float64(s.Listing)
	}
	if s.Mailbox > 0 {
		seconds += float64(octets) / float64(s.Mailbox)
	}
	return seconds
}

// records takes an intent or a result, or else commits if it is time for that.
func (p *pipe) records() bool {
	if len(p.busy) > 0 && p.busy[0].end <= p.now {
		if len(p.results) == 0 {
			p.late = p.now + lateness
		}
		p.results, p.busy, p.flying = append(p.results, p.busy[0].part), p.busy[1:], p.flying-1
		return true
	}
	if len(p.queue) > 0 {
		p.intents, p.queue = append(p.intents, p.queue[0]), p.queue[1:]
		return true
	}
	p.due = p.due || len(p.results) > 0 && p.late <= p.now
	if !(len(p.results) > 0 && (p.due || p.flying == 0) || len(p.intents) > 0 && p.flying < refillCalls*p.parallel) {
		return false
	}
	p.ready, p.flying = append(p.ready, p.intents...), p.flying+len(p.intents)
	for _, m := range p.results {
		p.slots, p.octets = p.slots+1, p.octets+p.held(m)
	}
	p.intents, p.results, p.due = nil, nil, false
	return true
}

// writes begins to write a message.
func (p *pipe) writes() bool {
	if len(p.ready) == 0 || len(p.busy) == p.parallel {
		return false
	}
	m := p.ready[0]
	p.ready = p.ready[1:]
	f := flight{m, p.now + m.each.takes(p.random.NormFloat64())}
	i, _ := slices.BinarySearchFunc(p.busy, f, func(a, b flight) int { return cmp.Compare(a.end, b.end) })
	p.busy = slices.Insert(p.busy, i, f)
	return true
}
