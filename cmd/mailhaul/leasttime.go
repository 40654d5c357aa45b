package main

import (
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
)

// leastTime returns how long a vendor's limits make work last at least: costs
// are what is asked of each mailbox, of which jobs are at work at once, each
// with limits of its own and all with common ones.
func leastTime(costs []pace.Cost, jobs int, own, common []pace.Limit) time.Duration {
	var all pace.Cost
	var longest, sum time.Duration
	for _, c := range costs {
		for unit, n := range c {
			all[unit] += n
		}
		alone := least(c, own)
		longest, sum = max(longest, alone), sum+alone
	}
	return max(longest, sum/time.Duration(max(jobs, 1)), least(all, common))
}

// least is how long it takes to spend c, of which each limit lets some go at
// once.
func least(c pace.Cost, limits []pace.Limit) (longest time.Duration) {
	for _, l := range limits {
		atOnce := l.Burst
		if atOnce == 0 {
			atOnce = l.Amount
		}
		if n := c[l.Unit] - atOnce; n > 0 {
			longest = max(longest, time.Duration(float64(n)/float64(l.Amount)*float64(l.Per)))
		}
	}
	return longest
}
