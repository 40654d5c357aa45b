package pace

import (
	"context"
	"sync"
)

// A Gate bounds how many calls to one mailbox run at once, where the vendor's
// bound is not known or is shared with other clients: when the vendor says that
// a call was one too many the gate halves, and widens again one by one. Widths
// at which that happened are tried again, but rarely.
type Gate struct {
	most int // never wider

	mu      sync.Mutex
	width   int
	running int
	good    int           // calls that were not one too many since the width last changed
	refused int           // the narrowest width at which one was too many
	changed chan struct{} // closed when a call may fit
}

// Calls that must have been good before the gate widens by one, and before it
// widens to where a call was one too many.
const (
	widenAfter = 64
	probeAfter = 2000
)

// NewGate returns a gate that lets in start calls at first, and never more
// than most.
func NewGate(start, most int) *Gate {
	return &Gate{most: most, width: max(1, min(start, most)), refused: most + 1, changed: make(chan struct{})}
}

// Most returns how many calls the gate lets in at most.
func (g *Gate) Most() int { return g.most }

// Enter returns when the call may run, with the width that let it in, which
// is given to Leave.
func (g *Gate) Enter(ctx context.Context) (width int, err error) {
	for {
		g.mu.Lock()
		if g.running < g.width {
			g.running++
			width = g.width
			g.mu.Unlock()
			return width, nil
		}
		changed := g.changed
		g.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// Leave ends a call; crowded says that the vendor refused it for being one too
// many. Calls that a wider gate let in do not narrow it again.
func (g *Gate) Leave(width int, crowded bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	switch {
	case crowded && width <= g.width:
		g.refused = g.width
		g.width, g.good = max(1, g.width/2), 0
	case !crowded && g.width < g.most:
		g.good++
		if next := g.width + 1; g.good >= widenAfter && next < g.refused || g.good >= probeAfter {
			g.width, g.good, g.refused = next, 0, max(g.refused, next+1)
		}
	}
	close(g.changed)
	g.changed = make(chan struct{})
}
