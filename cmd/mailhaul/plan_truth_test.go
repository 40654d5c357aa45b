package main

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/plan"
	"github.com/mailhaul/mailhaul/migrate/verify"
	"github.com/mailhaul/mailhaul/migrate/window"
	"github.com/mailhaul/mailhaul/targets/gmail"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

var truth = flag.Int("truth", 0, "compare plans with so many runs of each scenario; 100 take an hour")

// truths is how many runs of s a plan is compared with; with many, with their
// spread as well. Thousands of mailboxes take half a minute.
func (s *scenario) truths() int {
	mailboxes := 0
	for _, o := range s.staff {
		mailboxes += o.mailboxes
	}
	quick, large := os.Getenv("MAILHAUL_REQUIRE") == "", mailboxes > 1000
	switch {
	case *truth > 0:
		return *truth
	case quick && large:
		return 0
	case quick || large:
		return 1
	}
	return 3
}

// A scenario is a migration that is planned, and run against a simulator.
type scenario struct {
	name  string
	gmail bool
	staff []staff
	jobs  int

	small, large delay // of calls, and of those that carry a message

	project    int64 // units a minute of Gmail's project
	daily      int64 // and in 24 hours; 0: no bound
	compressed int   // how many times shorter Microsoft's stretches of time are, and less fits into them
	window     string
	bandwidth  int64 // octets a second of the source; 0: no bound
	depth      verify.Depth
	sample     verify.Sample
}

// A delay is how long calls take: it is log-normal, and messages take longer the
// more octets they have.
type delay struct {
	median time.Duration
	sigma  float64
	rate   int64 // octets a second; 0: no bound
}

// Latencies of a run are all so much longer or shorter than those of another, as
// on a good or a bad day, and its pace is so much off for other reasons. Both are
// standard deviations of a logarithm.
const (
	days  = 0.04
	paces = 0.04
)

var (
	gmailCall   = delay{170 * time.Millisecond, 0.4, 0}
	gmailImport = delay{800 * time.Millisecond, 0.4, 20_000_000}
	graphCall   = delay{150 * time.Millisecond, 0.4, 0}
	graphImport = delay{250 * time.Millisecond, 0.4, 20_000_000}
)

// minutes is open for one minute of three.
const minutes = "00:00-00:01, 00:03-00:04, 00:06-00:07, 00:09-00:10, 00:12-00:13, 00:15-00:16, 00:18-00:19, 00:21-00:22"

var scenarios = []scenario{
	{name: "one mailbox", gmail: true, staff: []staff{{1, 400, 0, 2000}}, jobs: 1, small: gmailCall, large: gmailImport, project: 1_200_000},
	{name: "three of twelve at once", gmail: true, staff: []staff{{12, 40, 1, 2000}}, jobs: 3, small: gmailCall, large: gmailImport, project: 1_200_000},
	{name: "the project decides", gmail: true, staff: []staff{{8, 70, 0.7, 2000}}, jobs: 8, small: gmailCall, large: gmailImport, project: 12_000},
	{name: "2,000 mailboxes", gmail: true, staff: []staff{{2000, 3, 0.5, 2000}}, jobs: 200, small: gmailCall, large: gmailImport, project: 60_000},
	{name: "huge messages", gmail: true, staff: []staff{{2, 30, 0.3, 6_000_000}, {1, 60, 0, 5000}}, jobs: 3, small: gmailCall, large: delay{800 * time.Millisecond, 0.4, 4_000_000}, project: 1_200_000},
	{name: "a window", gmail: true, staff: []staff{{4, 150, 0.5, 2000}}, jobs: 2, small: gmailCall, large: gmailImport, project: 1_200_000, window: minutes},
	{name: "a daily threshold", gmail: true, staff: []staff{{4, 100, 0.5, 2000}}, jobs: 4, small: gmailCall, large: gmailImport, project: 1_200_000, daily: 4500},
	{name: "all is read back", gmail: true, staff: []staff{{3, 100, 0.5, 2000}}, jobs: 3, small: gmailCall, large: gmailImport, project: 1_200_000, depth: verify.Content},
	{name: "one mailbox", staff: []staff{{1, 400, 0, 2000}}, jobs: 1, small: graphCall, large: graphImport, compressed: 10},
	{name: "calls decide", staff: []staff{{4, 230, 0.8, 2000}}, jobs: 3, small: graphCall, large: graphImport, compressed: 40},
	{name: "large messages", staff: []staff{{2, 90, 0.3, 300_000}, {1, 45, 0, 1_500_000}}, jobs: 3, small: graphCall, large: graphImport, compressed: 1},
	{name: "huge messages", staff: []staff{{4, 14, 0.3, 6_000_000}, {1, 40, 0, 5_000}}, jobs: 2, small: graphCall, large: graphImport, compressed: 1},
	{name: "a hundred mailboxes", staff: []staff{{100, 8, 0.7, 2000}}, jobs: 20, small: graphCall, large: graphImport, compressed: 10},
	{name: "a slow source", staff: []staff{{5, 50, 0.8, 30_000}}, jobs: 3, small: graphCall, large: graphImport, compressed: 10, bandwidth: 100_000},
	{name: "a window, and a sample is read back", staff: []staff{{4, 200, 0.5, 10_000}}, jobs: 2, small: graphCall, large: graphImport, compressed: 10,
		window: minutes, depth: verify.Sampled, sample: verify.Sample{N: 40}},
}

func (s *scenario) String() string {
	if s.gmail {
		return "Gmail, " + s.name
	}
	return "Microsoft 365, " + s.name
}

func TestAPlanSaysHowLongARunTakes(t *testing.T) {
	var table strings.Builder
	for i, s := range scenarios {
		t.Run(s.String(), func(t *testing.T) {
			truths := s.truths()
			if truths == 0 {
				t.Skip("so many mailboxes take half a minute: ask for them with -truth 1")
			}
			m := s.plan(t)
			f, err := m.Forecast(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			low, middle, high := f.Whole.End.P10.Sub(m.Start), f.Whole.End.P50.Sub(m.Start), f.Whole.End.P90.Sub(m.Start)
			var took []time.Duration
			within := 0
			for seed := range truths {
				normal := math.Sqrt2 * math.Erfinv(2*(float64(seed)+0.5)/float64(truths)-1) // days are spread evenly
				d := s.run(t, math.Exp(days*normal), rand.New(rand.NewPCG(uint64(seed), uint64(i))))
				if took = append(took, d); low <= d && d <= high {
					within++
				}
			}
			slices.Sort(took)
			median := took[len(took)/2]
			ratio := median.Seconds() / middle.Seconds()
			messages := int64(0)
			for _, b := range s.loads() {
				messages += int64(b.messages())
			}
			row := fmt.Sprintf("| %s | %d | %d | %v | %v | %v | %v | %.3f | %d of %d |", s.String(), len(m.Loads), messages, low.Round(time.Second/10), middle.Round(time.Second/10),
				high.Round(time.Second/10), median.Round(time.Second/10), ratio, within, len(took))
			t.Log(row)
			table.WriteString(row + "\n")
			if math.Abs(ratio-1) > 0.1 {
				t.Errorf("the plan says %v, runs took %v: ratio %.3f", middle, took, ratio)
			}
			if len(took) >= 20 && within < len(took)*8/10 {
				t.Errorf("%d of %d runs took between %v and %v", within, len(took), low, high)
			}
		})
	}
	t.Log("\n| to | mailboxes | messages | P10 | P50 | P90 | taken | ratio | P10 to P90 |\n|---|---|---|---|---|---|---|---|---|\n" + table.String())
}

func (s *scenario) loads() (ls []*load) {
	for i, o := range s.staff {
		ls = append(ls, o.loads(fmt.Sprintf("s%d-", i))...)
	}
	return ls
}

// limits returns those of each mailbox, and those of all.
func (s *scenario) limits() (own, shared []pace.Limit) {
	if !s.gmail {
		own = graph.MailboxLimits()
		for i := range own {
			own[i].Amount, own[i].Per = own[i].Amount/int64(s.compressed), own[i].Per/time.Duration(s.compressed)
		}
		return own, graph.AppLimits()
	}
	profile := gmail.Profiles()[0]
	for _, l := range profile.Project {
		l.Amount, l.Burst = l.Amount*s.project/1_200_000, l.Burst*s.project/1_200_000
		shared = append(shared, l)
	}
	for _, l := range profile.Daily {
		if l.Amount = s.daily; s.daily > 0 {
			shared = append(shared, l)
		}
	}
	return profile.User, shared
}

// hours returns the window, nil if there is none.
func (s *scenario) hours(t *testing.T) *window.Window {
	if s.window == "" {
		return nil
	}
	w, err := window.Parse(s.window, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// plan returns the scenario as one that is planned.
func (s *scenario) plan(t *testing.T) *plan.Migration {
	m := &plan.Migration{Model: s.model(), Source: plan.Source{Bandwidth: s.bandwidth}, Jobs: s.jobs, Window: s.hours(t), Depth: s.depth, Sample: s.sample,
		Start: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), Runs: 100, Doubt: plan.Doubt{Latency: days, Pace: paces}}
	for _, l := range s.loads() {
		load := s.seen(l)
		load.Name, load.Folders = l.user, load.Folders-1 // the inbox is there
		m.Loads = append(m.Loads, load)
	}
	return m
}

// model is what a plan knows of the target when its times were measured.
func (s *scenario) model() plan.Model {
	c := defaults()
	if c.Target.Kind = "graph"; s.gmail {
		c.Target.Kind = "gmail"
	}
	m := planModel(&c, measured{Answers: s.small.times(), Imports: s.large.times(),
		Large: times{Calls: manyImports, Median: time.Duration(1e6 * int64(time.Second) / s.large.rate)}})
	m.Own, m.Shared = s.limits()
	return m
}

func (d delay) times() times { return times{Calls: manyImports, Median: d.median, Sigma: d.sigma} }

// run runs the scenario in virtual time, on a day on which calls take so much
// longer, and returns how long it took.
func (s *scenario) run(t *testing.T, day float64, random *rand.Rand) (took time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		d := s.target(t, day, random)
		defer d.Handler.(io.Closer).Close()
		h := haul{line: newLine(d, 0, 0)}
		transport := h.line.transport()
		defer h.stop(transport)
		work := s.work(t, transport)
		path := filepath.Join(t.TempDir(), "mailhaul.db")
		begun := time.Now()
		passes(t, path, work)
		if s.depth != "" {
			s.verify(t, path, work)
		}
		took = time.Since(begun)
		if n := h.line.refused[http.StatusForbidden] + h.line.refused[http.StatusTooManyRequests]; n > 2+h.line.calls/1000 { // on its way a call may come into the window of another
			t.Errorf("%d of %d calls were refused", n, h.line.calls)
		}
	})
	return took
}

// target returns the simulator of the target, whose calls take so much longer than
// s says.
func (s *scenario) target(t *testing.T, day float64, random *rand.Rand) *delayed {
	d := &delayed{scenario: s, day: day, random: random}
	var err error
	if s.gmail {
		d.Handler, err = gmailsim.New(gmailsim.Options{Quota: gmailsim.Quota{UserPerMinute: 6000, ProjectPerMinute: s.project}})
	} else {
		q := graphsim.DocumentedQuota()
		q.Requests, q.Per = q.Requests/s.compressed, q.Per/time.Duration(s.compressed)
		q.Upload, q.UploadPer = q.Upload/int64(s.compressed), q.UploadPer/time.Duration(s.compressed)
		d.Handler, err = graphsim.New(graphsim.Options{Quota: q})
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// delayed lets the calls of a simulator take as long as a scenario says.
type delayed struct {
	http.Handler
	*scenario
	day    float64
	mu     sync.Mutex
	random *rand.Rand
}

func (d *delayed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	delay, octets := d.small, 0.0
	whole := strings.Contains(r.URL.Path, "/upload/") || strings.HasSuffix(r.URL.Path, "/importMime")
	if whole || r.Method == http.MethodPut {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		switch octets = float64(len(body)); { // of the message
		case !whole: // the attachment, which is in base64 there
			octets *= 4.0 / 3
		case !d.gmail: // in base64
			octets *= 3.0 / 4
		}
		if delay.rate = d.large.rate; whole && (r.URL.Query().Get("uploadType") != "resumable" || r.Header.Get("Content-Range") != "") && !strings.HasSuffix(r.Header.Get("Content-Range"), "/*") {
			delay = d.large // it is stored
		}
	}
	d.mu.Lock()
	normal := d.random.NormFloat64()
	d.mu.Unlock()
	seconds := delay.median.Seconds() * math.Exp(delay.sigma*normal)
	if delay.rate > 0 {
		seconds += octets / float64(delay.rate)
	}
	half := time.Duration(seconds * d.day * float64(time.Second) / 2)
	time.Sleep(half)
	d.Handler.ServeHTTP(w, r)
	time.Sleep(half)
}

// work returns the work of a run.
func (s *scenario) work(t *testing.T, transport http.RoundTripper) *work {
	own, common := s.limits()
	shared := pace.NewLimiter(nil, common...)
	var line *pace.Limiter
	if s.bandwidth > 0 {
		line = pace.NewLimiter(nil, pace.Limit{Name: "line", Unit: pace.Bytes, Amount: s.bandwidth, Per: time.Second, Burst: s.bandwidth / 10})
	}
	w := &work{limiters: map[string]*pace.Limiter{}, window: s.hours(t), engine: migrate.Engine{
		Spool: migrate.NewSpool(t.TempDir(), spoolMemory, 2<<30),
		Retry: migrate.DefaultRetry,
		Jobs:  s.jobs,
		Grace: grace,
	}}
	for _, l := range s.loads() {
		limiter := pace.NewLimiter(shared, own...)
		w.limiters[l.user] = limiter
		w.boxes = append(w.boxes, migrate.Mailbox{
			Source: l.user, Target: l.user,
			OpenSource: func(context.Context) (migrate.Source, error) {
				if line == nil {
					return l, nil
				}
				return slowLoad{l, pace.NewLimiter(line)}, nil
			},
			OpenTarget: func(ctx context.Context) (migrate.Target, error) {
				if s.gmail {
					return gmail.Open(ctx, gmail.Config{User: l.user, Endpoint: "http://localhost/", Limiter: limiter, Transport: transport, Route: gmail.RouteImport,
						TokenSource: gmail.Static(func() (string, error) { return "test", nil })})
				}
				return graph.Open(ctx, graph.Config{User: l.user, Endpoint: "http://localhost", Limiter: limiter, Transport: transport,
					Token: graph.StaticToken("test"), Route: graph.RouteImport, Probed: true})
			},
		})
	}
	return w
}

// A slowLoad is a load on a slow line.
type slowLoad struct {
	*load
	line *pace.Limiter
}

func (l slowLoad) Read(ctx context.Context, f migrate.Folder, ms []*migrate.Message, body func(*migrate.Message, io.Reader) error) error {
	return l.load.Read(ctx, f, ms, func(m *migrate.Message, r io.Reader) error {
		if err := l.line.Wait(ctx, pace.Cost{pace.Bytes: m.Size}); err != nil {
			return err
		}
		return body(m, r)
	})
}

// passes makes one pass over all mailboxes, as the command run does.
func passes(t *testing.T, path string, all *work) {
	w := watchOnce(path, all)
	err := w.run(t.Context())
	for _, r := range w.results() {
		err = cmp.Or(err, r.Err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// verify compares all mailboxes, as the command verify does.
func (s *scenario) verify(t *testing.T, path string, all *work) {
	store, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	v := verify.Verifier{Depth: s.depth, Sample: s.sample, Jobs: s.jobs, Retry: migrate.DefaultRetry, Progress: new(migrate.Progress)}
	var boxes []verify.Mailbox
	for _, m := range all.boxes {
		ledger, err := store.Verifications(t.Context(), m.Source, m.Target)
		if err != nil {
			t.Fatal(err)
		}
		boxes = append(boxes, verify.Mailbox{Source: m.Source, Target: m.Target, Ledger: ledger,
			OpenSource: func(ctx context.Context) (verify.Source, error) { return m.OpenSource(ctx) },
			OpenTarget: func(ctx context.Context) (verify.Target, error) {
				target, err := m.OpenTarget(ctx)
				if err != nil {
					return nil, err
				}
				return target.(verify.Target), nil
			},
		})
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go shareByWork(ctx, v.Progress.Snapshot, all.limiters)
	results, err := v.Run(t.Context(), boxes)
	for _, r := range results {
		err = cmp.Or(err, r.Err)
	}
	if err != nil {
		t.Fatal(err)
	}
}
