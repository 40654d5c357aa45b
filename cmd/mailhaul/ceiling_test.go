package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/targets/gmail"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// ceiling makes the tests of this file move a whole organisation instead of a
// few mailboxes, which takes minutes of computing for hours of virtual time.
var ceiling = flag.Bool("ceiling", false, "measure pacing with 300 mailboxes to Gmail and 40 to Microsoft 365")

// A haul is what moving loads to a simulator came to, in virtual time.
type haul struct {
	bound time.Duration // no program could be faster
	took  time.Duration
	line  *line
	loads []*load

	progress migrate.Progress
}

// overhead is how much of the lower bound a haul may take.
const overhead = 1.03

// check prints what a haul came to, and fails if that is not what mailhaul
// promises.
func (h *haul) check(t *testing.T) {
	t.Helper()
	messages, refused := 0, 0
	for _, l := range h.loads {
		messages += l.messages()
	}
	for _, n := range h.line.refused {
		refused += n
	}
	ratio := h.took.Seconds() / h.bound.Seconds()
	share := float64(refused) / float64(h.line.calls)
	t.Logf("%d mailboxes, %d messages: lower bound %v, took %v, ratio %.4f; %d of %d calls refused for a limit (%.4f %%)", len(h.loads), messages,
		h.bound.Round(time.Second), h.took.Round(time.Second), ratio, refused, h.line.calls, 100*share)
	if ratio > overhead || ratio < 1 {
		t.Errorf("the ratio is %.4f, want 1 to %v", ratio, overhead)
	}
	if share > 0.001 {
		t.Errorf("%.4f %% of the calls were refused, want 0.1 %% at most: %v", 100*share, h.line.refused)
	}
}

// run moves all loads at once, as the command run does but for the source.
// The routes are known: a run finds them out in its first mailbox, for all.
func (h *haul) run(t *testing.T, shared *pace.Limiter, own []pace.Limit, open func(ctx context.Context, user string, l *pace.Limiter) (migrate.Target, error)) {
	store, err := sqlite.Open(filepath.Join(t.TempDir(), "mailhaul.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	engine := &migrate.Engine{
		Checkpoints: store,
		Spool:       migrate.NewSpool(t.TempDir(), spoolMemory, 2<<30),
		Retry:       migrate.Retry{First: time.Second, Max: time.Minute, Patience: time.Hour},
		Jobs:        len(h.loads),
		Grace:       grace,
		Progress:    &h.progress,
	}
	limiters := map[string]*pace.Limiter{}
	var boxes []migrate.Mailbox
	for _, l := range h.loads {
		limiter := pace.NewLimiter(shared, own...)
		limiters[l.user] = limiter
		boxes = append(boxes, migrate.Mailbox{
			Source: l.user, Target: l.user,
			OpenSource: func(context.Context) (migrate.Source, error) { return l, nil },
			OpenTarget: func(ctx context.Context) (migrate.Target, error) { return open(ctx, l.user, limiter) },
		})
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go shareByWork(ctx, engine.Progress.Snapshot, limiters)
	begun := time.Now()
	results, err := engine.Run(ctx, boxes)
	h.took = time.Since(begun)
	for _, r := range results {
		err = cmp.Or(err, r.Err)
	}
	if err != nil {
		t.Fatal(err)
	}
	tallies, err := store.Tally(ctx)
	if err != nil {
		t.Fatal(err)
	}
	arrived := 0
	for _, tally := range tallies {
		arrived += int(tally.Count[migrate.Copied] + tally.Count[migrate.Merged] + tally.Count[migrate.Adopted])
	}
	for _, l := range h.loads {
		arrived -= l.messages()
	}
	if arrived != 0 {
		t.Errorf("of all messages %d arrived too many", arrived)
	}
}

// stop ends the line, since nothing may go on when a bubble ends.
func (h *haul) stop(transport *http.Transport) {
	h.line.served.Wait() // an answer may arrive before its handler has ended
	transport.CloseIdleConnections()
	h.line.server.Close()
}

// A staff says what the mailboxes of a haul are like.
type staff struct {
	mailboxes int
	median    float64 // of their messages
	sigma     float64 // of the logarithm of the number of their messages, which is normal
	size      int     // of a message, in octets
}

// loads returns the mailboxes of o, the same ones each time.
func (o staff) loads(name string) (ls []*load) {
	r := rand.New(rand.NewPCG(7, 7))
	for i := range o.mailboxes {
		n := int(o.median * math.Exp(o.sigma*r.NormFloat64()))
		ls = append(ls, &load{fmt.Sprintf("%s%d@example.org", name, i), []loadFolder{
			{"INBOX", n / 2, o.size, false},
			{"Clients", n - n/2 - n/10, o.size, false},
			{"Copies", n / 10, o.size, true},
		}})
	}
	return ls
}

// gmailBound is the least time that the units allow: for import, for what
// places a copy under a second label, and for the labels that folders need.
func gmailBound(ls []*load, user, project int64) time.Duration {
	var all, largest int64
	for _, l := range ls {
		var units int64
		for _, f := range l.folders {
			switch {
			case f.copies:
				units += 5 + 5*int64(f.messages) // labels.create, messages.modify
			case f.name == "INBOX":
				units += 25 * int64(f.messages)
			default:
				units += 5 + 25*int64(f.messages)
			}
		}
		all, largest = all+units, max(largest, units)
	}
	return max(time.Duration(float64(largest)/float64(user)*float64(time.Minute)), time.Duration(float64(all)/float64(project)*float64(time.Minute)))
}

func TestGmailIsGivenAllThatItsQuotaAllows(t *testing.T) {
	type scale struct {
		staff
		project   int64 // units per minute
		perMinute bool  // how they are counted: by minutes of the clock, or as a rate
	}
	largest, all := scale{staff{3, 500, 0.8, 1000}, 1_200_000, true}, scale{staff{3, 700, 0.2, 1000}, 8_000, false}
	if *ceiling {
		largest, all = scale{staff{300, 500, 1, 3000}, 1_200_000, true}, scale{staff{300, 900, 0.2, 3000}, 1_200_000, false}
	}
	for name, s := range map[string]scale{"where the largest mailbox decides": largest, "where the project decides": all} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim, err := gmailsim.New(gmailsim.Options{
					Quota:   gmailsim.Quota{UserPerMinute: 6000, ProjectPerMinute: s.project, PerMinute: s.perMinute},
					Latency: 170 * time.Millisecond,
				})
				if err != nil {
					t.Fatal(err)
				}
				defer sim.Close()
				profile := gmail.Profiles()[0]
				shared := append(profile.Project, profile.Daily...)
				for i := range shared { // of the same shape, for fewer mailboxes
					l := &shared[i]
					l.Amount, l.Burst = l.Amount*s.project/1_200_000, l.Burst*s.project/1_200_000
				}
				h := haul{loads: s.loads("user"), line: newLine(sim, 200*time.Millisecond, 500*time.Millisecond)}
				h.bound = gmailBound(h.loads, 6000, s.project)
				transport := h.line.transport()
				defer h.stop(transport)
				h.run(t, pace.NewLimiter(nil, shared...), profile.User, func(ctx context.Context, user string, l *pace.Limiter) (migrate.Target, error) {
					return gmail.Open(ctx, gmail.Config{User: user, Endpoint: "http://localhost/", Limiter: l, Transport: transport, Route: gmail.RouteImport,
						TokenSource: gmail.Static(func() (string, error) { return "test", nil })})
				})
				h.check(t)
			})
		})
	}
}

// graphBound is the least time that the limits allow: for two calls with each
// message, four at once, which take call each, and for the octets of imports.
// What does not fit into one stretch of time of a limit waits for the next one.
func graphBound(ls []*load, q graphsim.Quota, call time.Duration) (bound time.Duration) {
	for _, l := range ls {
		var requests, octets, largest int64
		for i, f := range l.folders {
			requests += 2 * int64(f.messages)
			for uid := range f.messages {
				n := int64(base64.StdEncoding.EncodedLen(len(l.octets(i, migrate.UID(uid+1)))))
				octets, largest = octets+n, max(largest, n)
			}
		}
		busy := func(requests int64) time.Duration {
			return time.Duration(requests) * call / time.Duration(q.Concurrent)
		}
		for left, from := requests, time.Duration(0); left > 0; left, from = left-int64(q.Requests), from+q.Per {
			bound = max(bound, from+busy(left))
		}
		for left, from := octets, time.Duration(0); left > 0; left, from = left-q.Upload, from+q.UploadPer {
			bound = max(bound, from+busy(2*left/largest))
		}
	}
	return bound
}

func TestMicrosoftIsGivenAllThatItsLimitsAllow(t *testing.T) {
	type scale struct {
		light, heavy staff
		compressed   int // how many times shorter the stretches of time of the limits are, and less fits into them
	}
	calls, uploads := scale{staff{1, 1400, 0, 1000}, staff{1, 300, 0, 60_000}, 10}, scale{staff{1, 300, 0, 1000}, staff{1, 1300, 0, 60_000}, 4}
	if *ceiling {
		calls, uploads = scale{staff{30, 2000, 1, 4000}, staff{10, 1500, 0.5, 60_000}, 1}, scale{staff{30, 1000, 0.5, 4000}, staff{10, 3000, 0.3, 60_000}, 1}
	}
	for name, s := range map[string]scale{"where calls decide": calls, "where uploads decide": uploads} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := graphsim.DocumentedQuota()
				q.Requests, q.Per = q.Requests/s.compressed, q.Per/time.Duration(s.compressed)
				q.Upload, q.UploadPer = q.Upload/int64(s.compressed), q.UploadPer/time.Duration(s.compressed)
				sim, err := graphsim.New(graphsim.Options{Quota: q, Latency: 120 * time.Millisecond})
				if err != nil {
					t.Fatal(err)
				}
				defer sim.Close()
				own := graph.MailboxLimits()
				for i := range own {
					own[i].Amount, own[i].Per = own[i].Amount/int64(s.compressed), own[i].Per/time.Duration(s.compressed)
				}
				h := haul{loads: append(s.light.loads("light"), s.heavy.loads("heavy")...), line: newLine(sim, 80*time.Millisecond, 0)}
				transport := h.line.transport()
				defer h.stop(transport)
				h.run(t, pace.NewLimiter(nil, graph.AppLimits()...), own, func(ctx context.Context, user string, l *pace.Limiter) (migrate.Target, error) {
					return graph.Open(ctx, graph.Config{User: user, Endpoint: "http://localhost", Limiter: l, Transport: transport,
						Token: graph.StaticToken("test"), Route: graph.RouteImport, Probed: true})
				})
				h.bound = graphBound(h.loads, q, h.line.mean())
				h.check(t)
				t.Log(sim.Fired())
			})
		})
	}
}

func TestAMailboxThatIsParkedHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, err := gmailsim.New(gmailsim.Options{UploadBytes: 150_000, ParkTime: 15 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		h := haul{loads: []*load{
			{"parked@example.org", []loadFolder{{"INBOX", 300, 1000, false}}},
			{"other@example.org", []loadFolder{{"INBOX", 80, 1000, false}}},
		}, line: newLine(sim, 200*time.Millisecond, 500*time.Millisecond)}
		transport := h.line.transport()
		defer h.stop(transport)
		profile := gmail.Profiles()[0]
		h.run(t, pace.NewLimiter(nil, profile.Project...), profile.User, func(ctx context.Context, user string, l *pace.Limiter) (migrate.Target, error) {
			return gmail.Open(ctx, gmail.Config{User: user, Endpoint: "http://localhost/", Limiter: l, Transport: transport, Route: gmail.RouteImport,
				TokenSource: gmail.Static(func() (string, error) { return "test", nil })})
		})
		for i, want := range []struct{ from, to time.Duration }{{15 * time.Minute, 19 * time.Minute}, {20 * time.Second, time.Minute}} {
			s := h.progress.Snapshot()[i]
			if took := s.Ended.Sub(s.Started); took < want.from || took > want.to {
				t.Errorf("%s took %v, want %v to %v", s.Source, took, want.from, want.to)
			}
		}
		if n := h.line.refused[http.StatusTooManyRequests]; n == 0 || n > 8 {
			t.Errorf("%d calls were refused, want those that were on their way", n)
		}
	})
}
