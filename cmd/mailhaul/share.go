package main

import (
	"context"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
)

// shareByWork keeps the weight of each mailbox, by which those that wait for a
// limit of all share it, at the number of its messages that are left: so the
// largest does not go on alone when all others have ended. It returns when ctx
// ends.
func shareByWork(ctx context.Context, snapshot func() []migrate.MailboxSnapshot, limiters map[string]*pace.Limiter) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for ctx.Err() == nil {
		for _, s := range snapshot() {
			limiters[s.Source].SetWeight(float64(s.Total - s.Known - s.Done))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}
