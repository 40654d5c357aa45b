package gmail

import (
	"context"
	"sync"
)

// A gate bounds how many calls run at once. Gmail's own bound on a mailbox is
// not published, and every other client of the mailbox counts too: when Gmail
// says that it is reached the gate halves, and it widens by one after
// widenAfter calls without such an answer.
type gate struct {
	most int // never wider

	mu      sync.Mutex
	width   int
	running int
	good    int           // calls that were not one too many since the width last changed
	changed chan struct{} // closed when a call may fit
}

const widenAfter = 64

func newGate(most int) *gate {
	return &gate{most: most, width: most, changed: make(chan struct{})}
}

// enter returns when the call may run, with the width that let it in, which
// is given to leave.
func (g *gate) enter(ctx context.Context) (width int, err error) {
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

// leave ends a call; crowded says that Gmail refused it for being one too
// many. Calls that a wider gate let in do not narrow it again.
func (g *gate) leave(width int, crowded bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	switch {
	case crowded && width <= g.width:
		g.width, g.good = max(1, g.width/2), 0
	case !crowded:
		if g.good++; g.good >= widenAfter && g.width < g.most {
			g.width, g.good = g.width+1, 0
		}
	}
	close(g.changed)
	g.changed = make(chan struct{})
}
