package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/window"
	"github.com/mailhaul/mailhaul/targets/gmail"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// A stretch is a time of trouble: from, to in hours since a month began.
type stretch [2]float64

// A month is thirty days in the life of a run, from a Monday at 09:00 UTC.
type month struct {
	begin time.Time

	sourceDown, revoked, full, suspended, brokenList []stretch // what goes wrong, and when
}

func (m *month) in(ss []stretch) bool {
	at := time.Since(m.begin).Hours()
	return slices.ContainsFunc(ss, func(s stretch) bool { return s[0] <= at && at < s[1] })
}

const (
	monthStaff = 6
	monthBulk  = 300 // messages of each mailbox at first
	monthDaily = 5   // that come to each every day at noon
	monthUser  = "user%d@example.org"
)

// mailbox is a mailbox at the source, as it is now.
func (m *month) mailbox(user string) *monthSource {
	days := int(time.Since(m.begin).Hours()-3) / 24
	if time.Since(m.begin) < 3*time.Hour {
		days = -1
	}
	return &monthSource{load{user, []loadFolder{{"INBOX", monthBulk + monthDaily*(days+1), 600, false}}}, m}
}

// A monthSource is a load that cannot be reached at times.
type monthSource struct {
	load
	month *month
}

func (s *monthSource) reach() error {
	if s.month.in(s.month.sourceDown) {
		return &migrate.Error{Op: "connect", Class: migrate.Transient, Hint: "Nothing listens on that port.", Err: fmt.Errorf("%w: connection refused", migrate.ErrUnreachable)}
	}
	return nil
}

func (s *monthSource) Folders(ctx context.Context) ([]migrate.Folder, error) {
	if err := s.reach(); err != nil {
		return nil, err
	}
	*s = *s.month.mailbox(s.user)
	return s.load.Folders(ctx)
}

func (s *monthSource) List(ctx context.Context, f migrate.Folder, from migrate.UID) iter.Seq2[[]migrate.Message, error] {
	if err := s.reach(); err != nil {
		return func(yield func([]migrate.Message, error) bool) { yield(nil, err) }
	}
	return s.load.List(ctx, f, from)
}

func (s *monthSource) Read(ctx context.Context, f migrate.Folder, ms []*migrate.Message, body func(*migrate.Message, io.Reader) error) error {
	if err := s.reach(); err != nil {
		return err
	}
	return s.load.Read(ctx, f, ms, body)
}

// fullDisk is where checkpoints are that cannot be saved at times.
type fullDisk struct {
	migrate.Checkpoints
	month *month
}

func (d fullDisk) err() error {
	if d.month.in(d.month.full) {
		return &migrate.Error{Op: "save", Class: migrate.Fatal, Err: fmt.Errorf("the disk is full: %w", syscall.ENOSPC), Hint: "Make room."}
	}
	return nil
}

func (d fullDisk) Mailbox(ctx context.Context, source, target string) (migrate.Ledger, error) {
	l, err := d.Checkpoints.Mailbox(ctx, source, target)
	return fullLedger{l, d}, errors.Join(d.err(), err)
}

type fullLedger struct {
	migrate.Ledger
	disk fullDisk
}

func (l fullLedger) SaveState(ctx context.Context, s migrate.MailboxState) error {
	if err := l.disk.err(); err != nil {
		return err
	}
	return l.Ledger.SaveState(ctx, s)
}

func (l fullLedger) AddListed(ctx context.Context, rs ...migrate.Record) error {
	if err := l.disk.err(); err != nil {
		return err
	}
	return l.Ledger.AddListed(ctx, rs...)
}

func (l fullLedger) Save(ctx context.Context, rs ...migrate.Record) error {
	if err := l.disk.err(); err != nil {
		return err
	}
	return l.Ledger.Save(ctx, rs...)
}

// serve is the target, in front of which a token is revoked or a user suspended
// at times.
func (m *month) serve(sim http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if m.in(m.revoked) {
			r.Header.Set("Authorization", "Bearer revoked")
		}
		if m.in(m.suspended) && strings.Contains(r.URL.Path, fmt.Sprintf(monthUser, 2)) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `{"error":{"code":"ErrorAccessDenied","message":"Access is denied.","errors":[{"reason":"forbidden","message":"Access is denied."}]}}`)
			return
		}
		sim.ServeHTTP(w, r)
	})
}

// live runs for thirty days and returns the events, those that come every day
// in numbers.
func (m *month) live(t *testing.T, l *line, shared *pace.Limiter, own []pace.Limit, open func(context.Context, string, *pace.Limiter) (migrate.Target, error)) (notable []string, daily map[eventKind]int) {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	hours, err := window.Parse("Mon-Fri 19:00-07:00, Sat-Sun", zone)
	if err != nil {
		t.Fatal(err)
	}
	first := &work{limiters: map[string]*pace.Limiter{}, window: hours, engine: migrate.Engine{
		Spool: migrate.NewSpool(t.TempDir(), spoolMemory, 2<<30), Jobs: 4, Grace: grace,
		Retry: migrate.Retry{First: time.Second, Max: time.Minute, Patience: yield},
	}}
	for i := range monthStaff {
		user := fmt.Sprintf(monthUser, i)
		limiter := pace.NewLimiter(shared, own...)
		first.limiters[user] = limiter
		first.boxes = append(first.boxes, migrate.Mailbox{Source: user, Target: user,
			OpenSource: func(context.Context) (migrate.Source, error) {
				s := m.mailbox(user)
				return s, s.reach()
			},
			OpenTarget: func(ctx context.Context) (migrate.Target, error) { return open(ctx, user, limiter) },
		})
	}
	path := filepath.Join(t.TempDir(), "mailhaul.db")
	daily = map[eventKind]int{}
	w := &watch{
		schedule: schedule{every: 24 * time.Hour, until: m.begin.Add(30*24*time.Hour - 2*time.Hour - 30*time.Minute), zone: zone},
		load: func(context.Context) (*work, error) {
			if m.in(m.brokenList) {
				return nil, errors.New("mailboxes.csv:3: no target")
			}
			return first, nil
		},
		open: func() (migrate.Checkpoints, error) {
			store, err := sqlite.Open(path)
			if err != nil {
				return nil, err
			}
			return fullDisk{store, m}, nil
		},
		tell: func(e event) {
			if !e.Time.Equal(time.Now()) || e.Text == "" {
				t.Errorf("at %v: %+v", time.Now(), e)
			}
			switch e.Kind {
			case passStarted, passEnded, windowOpened, windowClosed, digest:
				daily[e.Kind]++
				return
			}
			notable = append(notable, strings.TrimSpace(e.Time.UTC().Format("2 Jan 15h ")+string(e.Kind)+" "+e.Mailbox))
		},
	}
	w.take(first)
	if err := w.run(t.Context()); !errors.Is(err, errUntil) {
		t.Errorf("it ended with %v", err)
	}
	for _, r := range w.results() {
		if r.Err != nil {
			t.Errorf("%s: %v", r.Mailbox.Source, r.Err)
		}
	}
	return notable, daily
}

// monthHas is how many messages a mailbox has in the end.
const monthHas = monthBulk + 30*monthDaily

// The list of what was told is the point: a person who wants to sleep wants
// these and no others.
func TestARunOfThirtyDaysTellsWhatAPersonWantsToKnowAndNothingElse(t *testing.T) {
	trouble := func() *month {
		return &month{
			sourceDown: []stretch{
				{4*24 + 9.05, 4*24 + 9.15}, // for some minutes: nobody wants to know
				{3*24 + 9, 3*24 + 12},
			},
			revoked:    []stretch{{7*24 + 9.05, 8*24 + 1}}, // renewed in office hours
			full:       []stretch{{10*24 + 9.05, 10*24 + 10.05}},
			suspended:  []stretch{{14*24 + 8, 16*24 + 14}},
			brokenList: []stretch{{17*24 + 8, 18*24 + 8}},
		}
	}
	start := func(t *testing.T, m *month) {
		m.begin = time.Date(2000, 3, 6, 9, 0, 0, 0, time.UTC) // a Monday; in Berlin clocks change on the 26th
		time.Sleep(time.Until(m.begin))
	}
	common := []string{
		"9 Mar 18h paused", "9 Mar 21h resumed",
		"13 Mar 18h paused", "14 Mar 18h resumed",
		"16 Mar 18h paused", "16 Mar 19h resumed",
		"20 Mar 18h mailbox failed user2@example.org", "20 Mar 18h needs a person user2@example.org", "22 Mar 23h mailbox recovered user2@example.org",
		"23 Mar 18h needs a person",
		"5 Apr 06h done",
	}
	check := func(t *testing.T, notable []string, daily map[eventKind]int, want []string) {
		t.Helper()
		if !slices.Equal(notable, want) {
			t.Errorf("got:\n%s\nwant:\n%s", strings.Join(notable, "\n"), strings.Join(want, "\n"))
		}
		if daily[passStarted] != daily[passEnded] || daily[windowClosed] != daily[windowOpened] || daily[digest] != 30 {
			t.Error(daily)
		}
		t.Log(daily)
	}
	t.Run("gmail", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := trouble()
			start(t, m)
			sim, err := gmailsim.New(gmailsim.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer sim.Close()
			h := haul{line: newLine(m.serve(sim), 200*time.Millisecond, 0)}
			transport := h.line.transport()
			defer h.stop(transport)
			// A message in two minutes, and of all mailboxes 800 a day.
			shared := pace.NewLimiter(nil, pace.Limit{Name: "units per day", Unit: pace.Points, Amount: 20_000, Per: 24 * time.Hour})
			own := []pace.Limit{{Name: "units per minute and user", Unit: pace.Points, Amount: 25, Per: 2 * time.Minute, Burst: 25}}
			notable, daily := m.live(t, h.line, shared, own, func(ctx context.Context, user string, l *pace.Limiter) (migrate.Target, error) {
				return gmail.Open(ctx, gmail.Config{User: user, Endpoint: "http://localhost/", Limiter: l, Transport: transport, Route: gmail.RouteImport,
					TokenSource: gmail.Static(func() (string, error) { return "test", nil })})
			})
			check(t, notable, daily, slices.Concat([]string{"6 Mar 09h run started", "7 Mar 00h paused", "7 Mar 18h resumed", "8 Mar 00h paused", "8 Mar 18h resumed"}, common))
			for i := range monthStaff {
				if n := len(sim.Messages(fmt.Sprintf(monthUser, i))); n != monthHas {
					t.Errorf("mailbox %d has %d messages, want %d", i, n, monthHas)
				}
			}
		})
	})
	t.Run("graph", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := trouble()
			start(t, m)
			sim, err := graphsim.New(graphsim.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer sim.Close()
			h := haul{line: newLine(m.serve(sim), 200*time.Millisecond, 0)}
			transport := h.line.transport()
			defer h.stop(transport)
			own := []pace.Limit{{Name: "calls per 10 minutes and mailbox", Unit: pace.Requests, Amount: 10, Per: 10 * time.Minute}}
			notable, daily := m.live(t, h.line, nil, own, func(ctx context.Context, user string, l *pace.Limiter) (migrate.Target, error) {
				return graph.Open(ctx, graph.Config{User: user, Endpoint: "http://localhost", Limiter: l, Transport: transport,
					Token: graph.StaticToken("test"), Route: graph.RouteImport, Probed: true})
			})
			check(t, notable, daily, slices.Concat([]string{"6 Mar 09h run started"}, common))
		})
	})
}
