package main

import (
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
)

func TestTheLeastTimeIsThatOfTheLimitThatBindsMost(t *testing.T) {
	own := []pace.Limit{{Unit: pace.Points, Amount: 100, Per: time.Second, Burst: 50}, {Unit: pace.Requests, Amount: 1, Per: time.Millisecond}}
	common := []pace.Limit{{Unit: pace.Points, Amount: 6000, Per: time.Minute}, {Unit: pace.Requests, Amount: 86_400, Per: 24 * time.Hour}}
	points := func(n int64) (c pace.Cost) { c[pace.Points] = n; return c }
	calls := func(n int64) (c pace.Cost) { c[pace.Requests] = n; return c }
	for _, test := range []struct {
		what        string
		costs       []pace.Cost
		jobs        int
		own, common []pace.Limit
		want        time.Duration
	}{
		{"no limits", []pace.Cost{points(1e9)}, 1, nil, nil, 0},
		{"no work", []pace.Cost{{}}, 1, own, common, 0},
		{"what may go at once", []pace.Cost{points(50)}, 1, own, common, 0},
		{"one mailbox", []pace.Cost{points(1050)}, 1, own, common, 10 * time.Second},
		{"several, one after the other", []pace.Cost{points(1050), points(2050)}, 1, own, nil, 30 * time.Second},
		{"several at once: the longest", []pace.Cost{points(1050), points(2050)}, 4, own, nil, 20 * time.Second},
		{"several at once: their share", []pace.Cost{points(1050), points(1050), points(1050)}, 2, own, nil, 15 * time.Second},
		{"what all share", []pace.Cost{points(6000), points(6000)}, 2, own[:0], common, time.Minute},
		{"calls in a day", []pace.Cost{calls(86_400 + 3600)}, 1, own, common, time.Hour},
	} {
		if got := leastTime(test.costs, test.jobs, test.own, test.common); got.Round(time.Millisecond) != test.want {
			t.Errorf("%s: %v, want %v", test.what, got, test.want)
		}
	}
}
