package assess

import (
	"math"
	"slices"

	"github.com/mailhaul/mailhaul/migrate/plan"
)

// Typical is how many octets a message is taken to have where the source does
// not tell sizes and was not listed.
const Typical = 75_000

// loadClasses is about how many classes of sizes a load has.
const loadClasses = 12

// Load is the work that moving the mailbox makes. Messages of which the target
// takes none so large are in none of its sizes. Classes are put together where the
// target treats their messages alike, up to the bounds that a was made with: what
// grows with octets or with messages stays what it is.
func Load(a *Assessment, t Target) plan.Load {
	l := plan.Load{Name: a.Mailbox}
	for _, f := range a.Folders {
		if f.Rule == "" && f.Err == "" {
			l.Folders++
		}
	}
	messages, bytes := a.Growth()
	l.Perday = plan.Size{Messages: int64(math.Ceil(messages)), Bytes: int64(math.Ceil(bytes))}
	if a.Depth == Fast {
		if all := a.Total(); all.Messages > 0 {
			if all.Bytes == 0 {
				all.Bytes = all.Messages * Typical
			}
			l.Sizes = []plan.Size{plan.Size(all)}
		}
		return l
	}
	var classes []Class
	for _, c := range a.Sizes {
		if t.MaxMessage > 0 && c.Most > t.MaxMessage {
			continue
		}
		if i := slices.IndexFunc(a.Doubles, func(d Class) bool { return d.Most == c.Most }); t.Labels && i >= 0 {
			l.Merged += a.Doubles[i].Messages
			c.Messages, c.Bytes = c.Messages-a.Doubles[i].Messages, c.Bytes-a.Doubles[i].Bytes
		}
		if c.Messages > 0 {
			classes = append(classes, c)
		}
	}
	for _, c := range fewer(classes, a.Bounds) {
		l.Sizes = append(l.Sizes, plan.Size(c.Tally))
	}
	return l
}

// fewer puts neighbouring classes together that no bound parts, those first
// whose messages are the most alike.
func fewer(classes []Class, bounds []int64) []Class {
	classes = slices.Clone(classes)
	for len(classes) > loadClasses {
		least, at := math.Inf(1), -1
		for i, c := range classes[1:] {
			before := classes[i]
			if slices.Contains(bounds, before.Most) {
				continue
			}
			n, m := float64(before.Messages), float64(c.Messages)
			apart := float64(before.Bytes)/n - float64(c.Bytes)/m
			if loss := n * m / (n + m) * apart * apart; loss < least { // Ward 1963
				least, at = loss, i
			}
		}
		if at < 0 {
			break
		}
		classes[at].add(classes[at+1].Tally)
		classes[at].Most = classes[at+1].Most
		classes = slices.Delete(classes, at+1, at+2)
	}
	return classes
}
