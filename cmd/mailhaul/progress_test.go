package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
)

func TestTheMeterTellsTheRateOfTheLastHalfMinute(t *testing.T) {
	var m meter
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if r := m.rate(now, 1000); r != 0 {
		t.Errorf("%v before anything can be told", r)
	}
	var n int64 = 1000
	for range 100 {
		now, n = now.Add(time.Second), n+20
		m.rate(now, n)
	}
	if r := m.rate(now, n); r < 19.9 || r > 20.1 {
		t.Errorf("%v, want 20", r)
	}
	for range 40 { // nothing happens
		now = now.Add(time.Second)
		m.rate(now, n)
	}
	if r := m.rate(now, n); r != 0 {
		t.Errorf("%v after 40 s of nothing", r)
	}
	if len(m.at) > 40 {
		t.Errorf("%d readings are kept", len(m.at))
	}
}

func TestProgressTellsWhatIsDoneWhatIsLeftAndWhatIsWaitedFor(t *testing.T) {
	start := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	ann := migrate.MailboxSnapshot{Source: "ann@example.org", Started: start, Total: 2000, Known: 500, Done: 500, Bytes: 18_200_000, Phase: "INBOX"}
	bob := migrate.MailboxSnapshot{Source: "bob@example.org", Started: start, Ended: start, Total: 10, Done: 10, Failed: 3, Err: errors.New("x")}

	v := &progressView{
		snapshot: func() []migrate.MailboxSnapshot { return []migrate.MailboxSnapshot{ann, bob} },
		bad:      "failed",
		limiters: map[string]*pace.Limiter{},
		meters:   map[string]*meter{},
	}
	v.mailbox(0, start)
	v.total(start)
	ann.Done += 100
	now := start.Add(10 * time.Second)
	for what, want := range map[string]string{
		v.mailbox(0, now): "ann@example.org 1,100 of 2,000, 18.2 MB, 10/s, 90 s left; INBOX",
		v.total(now):      "1 of 2 mailboxes, 1,110 of 2,010 messages, 18.2 MB, 10/s, 90 s left, 3 failed, 1 stopped early",
	} {
		if what != want {
			t.Errorf("got  %s\nwant %s", what, want)
		}
	}
	ann.Wait, ann.Until = "import: \x1b[31mHTTP 429", now.Add(15*time.Minute)
	if line := v.mailbox(0, now); !strings.HasSuffix(line, `; waits until 12:15:10: import: \x1b[31mHTTP 429`) {
		t.Error(line)
	}
	ann.Wait = ""
	synctest.Test(t, func(t *testing.T) {
		v.limiters["ann@example.org"] = pace.NewLimiter(nil)
		quota := v.limiters["ann@example.org"]
		quota.Park(time.Now().Add(time.Hour), "Gmail asked for it")
		ctx, cancel := context.WithCancel(t.Context())
		go quota.Wait(ctx, pace.Cost{})
		synctest.Wait()
		if line := v.mailbox(0, time.Now()); !strings.HasSuffix(line, ": Gmail asked for it") {
			t.Error(line)
		}
		cancel()
	})
}

func TestWithoutATerminalProgressIsALineNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		stop := showProgress(t.Context(), new(migrate.Progress).Snapshot, "failed", nil, &out)
		<-time.After(2*lineEvery + time.Second)
		stop()
		if n := strings.Count(out.String(), "\n"); n != 3 {
			t.Errorf("%d lines: %s", n, out.String())
		}
	})
}

func TestWithoutATerminalAMailboxThatWaitsIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &progressView{meters: map[string]*meter{}, snapshot: func() []migrate.MailboxSnapshot {
			return []migrate.MailboxSnapshot{{Source: "ann@example.org", Wait: "connect: refused"}}
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 5*lineEvery+time.Second)
		defer cancel()
		var out bytes.Buffer
		v.lines(ctx, &out)
		if n := strings.Count(out.String(), "connect: refused"); n != 1 {
			t.Errorf("told %d times: %s", n, out.String())
		}
	})
}
