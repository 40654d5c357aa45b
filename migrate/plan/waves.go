package plan

import (
	"cmp"
	"slices"
	"time"
)

// Pack puts the mailboxes of a forecast into waves, each of which ends within
// length when jobs mailboxes are at work at once, longest first. Mailboxes of one
// group stay together; those of group "" are alone. groups are in the order of
// the mailboxes. Groups are taken by their length, the longest first, and each
// goes into the first wave that has room (first-fit decreasing). A group that
// fits into no wave is one by itself. The waves hold numbers of mailboxes, in
// their order.
func (f *Forecast) Pack(groups []string, jobs int, length time.Duration) (waves [][]int) {
	var bundles []bundle
	of := map[string]int{}
	for i, b := range f.Mailboxes {
		n, ok := of[groups[i]]
		if !ok || groups[i] == "" {
			n = len(bundles)
			bundles = append(bundles, bundle{})
			of[groups[i]] = n
		}
		bundles[n].boxes = append(bundles[n].boxes, i)
		bundles[n].took += b.Took
	}
	slices.SortStableFunc(bundles, func(a, b bundle) int { return cmp.Compare(b.took, a.took) })
	for _, b := range bundles {
		i := slices.IndexFunc(waves, func(w []int) bool { return f.lasts(slices.Concat(w, b.boxes), jobs) <= length })
		if i < 0 {
			i, waves = len(waves), append(waves, nil)
		}
		waves[i] = append(waves[i], b.boxes...)
	}
	for _, w := range waves {
		slices.Sort(w)
	}
	return waves
}

// A bundle is mailboxes that move together.
type bundle struct {
	boxes []int
	took  time.Duration
}

// lasts returns how long mailboxes take, so many at once, longest first.
func (f *Forecast) lasts(boxes []int, jobs int) time.Duration {
	slices.SortStableFunc(boxes, func(a, b int) int { return cmp.Compare(f.Mailboxes[b].Took, f.Mailboxes[a].Took) })
	free := make([]time.Duration, max(jobs, 1))
	for _, i := range boxes {
		first := 0
		for j := range free {
			if free[j] < free[first] {
				first = j
			}
		}
		free[first] += f.Mailboxes[i].Took
	}
	return slices.Max(free)
}
