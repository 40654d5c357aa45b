package pace

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// pass lets n calls through the gate, one after the other.
func pass(t *testing.T, g *Gate, n int, crowded bool) {
	t.Helper()
	for range n {
		width, err := g.Enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		g.Leave(width, crowded)
	}
}

func TestTheGateHalvesOnceForRefusalsAtOnce(t *testing.T) {
	g := NewGate(8, 8)
	var widths []int
	for range 8 {
		width, err := g.Enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		widths = append(widths, width)
	}
	for _, width := range widths {
		g.Leave(width, true)
	}
	if g.width != 4 {
		t.Errorf("after 8 refusals at once the width is %d, want 4", g.width)
	}
	pass(t, g, 5, true)
	if g.width != 1 {
		t.Errorf("after more refusals the width is %d, want 1", g.width)
	}
}

func TestTheGateWidensToWhereItWasRefusedButRarely(t *testing.T) {
	g := NewGate(8, 16)
	pass(t, g, 1, true)
	pass(t, g, 3*widenAfter, false)
	if g.width != 7 {
		t.Errorf("after %d good calls the width is %d, want 7", 3*widenAfter, g.width)
	}
	pass(t, g, probeAfter-1, false)
	if g.width != 7 {
		t.Errorf("it widened to %d, where it was refused, after %d calls", g.width, probeAfter-1)
	}
	pass(t, g, 1, false)
	if g.width != 8 {
		t.Errorf("the width is %d, want 8", g.width)
	}
	for range 8 {
		pass(t, g, probeAfter, false)
	}
	if g.width != 16 {
		t.Errorf("the width grew to %d, want 16", g.width)
	}
}

func TestTheGateStartsNarrowAndWidensToItsMost(t *testing.T) {
	g := NewGate(4, 6)
	if g.width != 4 {
		t.Errorf("it starts at %d, want 4", g.width)
	}
	pass(t, g, 10*widenAfter, false)
	if g.width != 6 || g.Most() != 6 {
		t.Errorf("it widened to %d of %d, want 6", g.width, g.Most())
	}
	if g := NewGate(4, 2); g.width != 2 {
		t.Errorf("a gate of 2 starts at %d", g.width)
	}
}

func TestTheGateLetsInNoMoreThanItsWidth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(2, 2)
		entered := make(chan int, 3)
		for range 3 {
			go func() {
				width, err := g.Enter(t.Context())
				if err != nil {
					t.Error(err)
				}
				entered <- width
			}()
		}
		synctest.Wait()
		if len(entered) != 2 {
			t.Fatalf("%d are in, want 2", len(entered))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := g.Enter(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("entering when cancelled: %v", err)
		}
		g.Leave(<-entered, false)
		synctest.Wait()
		if len(entered) != 2 {
			t.Errorf("%d are in after one left, want 2", len(entered))
		}
	})
}
