package main

import (
	"path/filepath"
	"testing"

	"github.com/mailhaul/mailhaul/migrate/document/browsertest"
)

// Whoever opens what the client is handed, on whatever, can read it, and the
// page tells nobody of that.
func TestEveryPageCanBeUsedByEverybody(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	report, plan := h.report(t, "handed", "--users", "--language", "de"), filepath.Join(h.dir, "offer")
	ends(t, exitDone, []string{"plan", "--config", h.config, "--out", plan})
	b := browsertest.Open(t)
	for _, page := range []string{filepath.Join(report, reportHTML), filepath.Join(report, "user-bob.html"), filepath.Join(plan, planHTML)} {
		if v := b.Load(page); len(v.Console) > 0 || len(v.Requests) > 0 {
			t.Errorf("%s: the console says %q; asked for were %q", page, v.Console, v.Requests)
		}
		browsertest.Evaluate[bool](b, `document.querySelectorAll("details").forEach(d => d.open = true), true`)
		for _, width := range []int64{375, 1440} {
			b.Resize(width)
			if w := browsertest.Evaluate[int64](b, "document.documentElement.scrollWidth"); w > width {
				t.Errorf("%s: at %d pixels the page is %d wide", page, width, w)
			}
			for _, v := range b.Axe() {
				t.Errorf("%s, at %d pixels: %s", page, width, v)
			}
		}
	}
}
