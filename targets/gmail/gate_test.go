package gmail

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestTheGateHalvesOnceForRefusalsAtOnce(t *testing.T) {
	g := newGate(8)
	enter := func(n int) (widths []int) {
		t.Helper()
		for range n {
			width, err := g.enter(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			widths = append(widths, width)
		}
		return widths
	}
	for _, width := range enter(8) {
		g.leave(width, true)
	}
	if g.width != 4 {
		t.Errorf("after 8 refusals at once the width is %d, want 4", g.width)
	}
	for range 5 {
		g.leave(enter(1)[0], true)
	}
	if g.width != 1 {
		t.Errorf("after more refusals the width is %d, want 1", g.width)
	}
	for range 3 * widenAfter {
		g.leave(enter(1)[0], false)
	}
	if g.width != 4 {
		t.Errorf("after %d answers the width is %d, want 4", 3*widenAfter, g.width)
	}
	for range 10 * widenAfter {
		g.leave(enter(1)[0], false)
	}
	if g.width != 8 {
		t.Errorf("the width grew to %d, want 8", g.width)
	}
}

func TestTheGateLetsInNoMoreThanItsWidth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(2)
		entered := make(chan int, 3)
		for range 3 {
			go func() {
				width, err := g.enter(t.Context())
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
		if _, err := g.enter(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("entering when cancelled: %v", err)
		}
		g.leave(<-entered, false)
		synctest.Wait()
		if len(entered) != 2 {
			t.Errorf("%d are in after one left, want 2", len(entered))
		}
	})
}
