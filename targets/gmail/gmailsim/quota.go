package gmailsim

import (
	"fmt"
	"strconv"
	"sync"
	"time"
)

// A Quota limits the units that calls cost. Its zero value limits nothing.
type Quota struct {
	UserPerMinute    int64
	ProjectPerMinute int64
	ProjectPerDay    int64 // days of the clock in UTC

	OldCosts  bool // a call costs what it did before May 2026
	PerMinute bool // whole minutes of the clock are counted; otherwise a rate is, with 10 s of it in reserve

	Status  int     // of a refusal: 403 or 429; 0 means 403
	Wording Wording // of a refusal
}

// Wording is how a refusal for quota reads.
type Wording uint8

const (
	WordingMetric    Wording = iota // "Quota exceeded for quota metric ..."
	WordingUserRate                 // "User Rate Limit Exceeded", reason userRateLimitExceeded
	WordingRate                     // "Rate Limit Exceeded"
	WordingExhausted                // "Resource has been exhausted (e.g. check quota)."
)

// ParseQuota returns a profile: "none" (or empty), "new" for projects from May
// 2026 on, "legacy" for older ones, or a number of units per minute and user.
func ParseQuota(profile string) (Quota, error) {
	switch profile {
	case "", "none":
		return Quota{}, nil
	case "new":
		return Quota{UserPerMinute: 6000, ProjectPerMinute: 1_200_000}, nil
	case "legacy":
		return Quota{UserPerMinute: 15_000, ProjectPerMinute: 1_200_000, OldCosts: true, Status: 429}, nil
	}
	n, err := strconv.ParseInt(profile, 10, 64)
	if err != nil || n <= 0 {
		return Quota{}, fmt.Errorf("quota %q: want none, new, legacy or a number of units per minute and user", profile)
	}
	return Quota{UserPerMinute: n}, nil
}

// meters are what was spent of a quota.
type meters struct {
	quota   Quota
	mu      sync.Mutex
	users   map[string]*meter
	project meter
	day     meter
}

func newMeters(q Quota) *meters { return &meters{quota: q, users: map[string]*meter{}} }

// spend charges a call, or refuses it without charge.
func (q *meters) spend(now time.Time, user string, r *route) error {
	if q.quota == (Quota{}) {
		return nil
	}
	cost := r.new
	if q.quota.OldCosts {
		cost = r.old
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	mine := q.users[user]
	if mine == nil {
		mine = new(meter)
		q.users[user] = mine
	}
	limits := []struct {
		m     *meter
		limit int64
		rate  bool
		per   time.Duration
		err   func() error
	}{
		{mine, q.quota.UserPerMinute, !q.quota.PerMinute, time.Minute, func() error { return q.refuse("per user") }},
		{&q.project, q.quota.ProjectPerMinute, !q.quota.PerMinute, time.Minute, func() error { return q.refuse("per project") }},
		{&q.day, q.quota.ProjectPerDay, false, 24 * time.Hour, dailyLimit},
	}
	for _, l := range limits {
		if l.limit > 0 && !l.m.room(now, cost, l.limit, l.per, l.rate) {
			return l.err()
		}
	}
	for _, l := range limits {
		l.m.used += float64(cost)
	}
	return nil
}

// A meter counts units: in a period of the clock, or as the level of a bucket
// that runs dry at the limit's rate.
type meter struct {
	used float64
	at   time.Time
}

// room brings the meter up to date and says whether cost fits in.
func (m *meter) room(now time.Time, cost, limit int64, per time.Duration, rate bool) bool {
	capacity := float64(limit)
	if rate {
		capacity *= float64(10*time.Second) / float64(per)
		m.used = max(0, m.used-float64(now.Sub(m.at))/float64(per)*float64(limit))
		m.at = now
	} else if start := now.Truncate(per); !start.Equal(m.at) {
		m.used, m.at = 0, start
	}
	return m.used+float64(cost) <= capacity
}

func dailyLimit() error {
	return &refusal{code: 403, reason: "dailyLimitExceeded", domain: "usageLimits", message: "Daily Limit Exceeded"}
}

func (q *meters) refuse(scope string) error {
	e := &refusal{code: 403, reason: "rateLimitExceeded", domain: "usageLimits"}
	if q.quota.Status != 0 {
		e.code = q.quota.Status
	}
	switch q.quota.Wording {
	case WordingUserRate:
		e.reason, e.message = "userRateLimitExceeded", "User Rate Limit Exceeded"
	case WordingRate:
		e.message = "Rate Limit Exceeded"
	case WordingExhausted:
		e.domain, e.message = "global", "Resource has been exhausted (e.g. check quota)."
	default:
		metric, unit := "Total Query Cost", "Units"
		if q.quota.OldCosts {
			metric, unit = "Queries", "Queries"
		}
		limit := unit + " per minute"
		if scope == "per user" {
			limit += " per user"
		}
		e.message = fmt.Sprintf("Quota exceeded for quota metric '%s' and limit '%s' of service 'gmail.googleapis.com' for consumer 'project_number:407408718192'.", metric, limit)
	}
	return e
}
