package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/cmd/mailhaul/live"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
)

func unlimited() map[string]*pace.Limiter { return nil }

func TestWithoutATerminalARunIsToldInLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ann := migrate.MailboxSnapshot{Source: "ann@example.org", Started: time.Now(), Total: 2000, Known: 500, Done: 500, Bytes: 18_200_000, Phase: "INBOX"}
		bob := migrate.MailboxSnapshot{Source: "bob@example.org", Started: time.Now(), Total: 10, Done: 7}
		progress := make(chan [2]migrate.MailboxSnapshot, 1)
		progress <- [2]migrate.MailboxSnapshot{ann, bob}
		change := func(fn func(ann, bob *migrate.MailboxSnapshot)) {
			both := <-progress
			fn(&both[0], &both[1])
			progress <- both
		}
		var out bytes.Buffer
		stop := shown{Taker: live.Taker{Bad: "failed"}}.show(t.Context(), func() []migrate.MailboxSnapshot {
			both := <-progress
			progress <- both
			return both[:]
		}, unlimited, &out)
		<-time.After(6 * time.Second) // one line, as 00:00:10 tells nothing new
		<-time.After(5 * time.Second)
		change(func(ann, bob *migrate.MailboxSnapshot) {
			ann.Done, ann.Wait, ann.Until = 600, "import: \x1b[31mHTTP 503", time.Now().Add(15*time.Minute)
			bob.Done, bob.Failed, bob.Ended, bob.Err = 10, 3, time.Now(), errors.New("folder INBOX: gone")
		})
		<-time.After(13 * time.Second) // it still waits
		stop()
		stop() // again: that is nothing
		want := `00:00:05 0 of 2 mailboxes, 1,007 of 2,010 messages, 18.2 MB
00:00:15 ann@example.org 1,100 of 2,000; waits until 00:15:11: import: \x1b[31mHTTP 503
00:00:15 bob@example.org: stopped early: folder INBOX: gone; 10 messages, 0 B, 3 failed, in 11 s
00:00:15 bob@example.org: 3 messages failed
00:00:15 1 of 2 mailboxes, 1,110 of 2,010 messages, 18.2 MB, 6.87/s, 3 failed, 1 stopped early
00:00:20 1 of 2 mailboxes, 1,110 of 2,010 messages, 18.2 MB, 5.15/s, 3 failed, 1 stopped early
00:00:24 1 of 2 mailboxes, 1,110 of 2,010 messages, 18.2 MB, 4.29/s, 3 failed, 1 stopped early in 24 s
`
		if out.String() != want {
			t.Errorf("got\n%swant\n%s", out.String(), want)
		}
	})
}

func TestAMailboxThatGoesOnWaitingIsToldOnce(t *testing.T) {
	l := newLines()
	m := atWork("ann@example.com", 10, 100, 0, "INBOX")
	m.Wait, m.Until = "connect: refused", noon.Add(time.Second)
	s := live.State{At: noon, Bad: "failed", Mailboxes: []live.Mailbox{m}}
	told := func(want int, what string) {
		t.Helper()
		if text := l.news(s); len(text) != want {
			t.Errorf("%s: %q, want %d lines", what, text, want)
		}
	}
	told(1, "at first")
	s.Mailboxes[0].Until = noon.Add(time.Minute)
	told(0, "the next pause for the same reason")
	s.Mailboxes[0].Wait = ""
	told(0, "it tries again")
	s.Mailboxes[0].Wait = "connect: refused"
	told(0, "it could not")
	s.Mailboxes[0].Wait = "login: refused"
	told(1, "for another reason")
	s.Mailboxes[0].Wait = ""
	s.Mailboxes[0].Done++
	told(0, "it goes on")
	s.Mailboxes[0].Wait = "login: refused"
	told(1, "once more, after it got on")
	s.Mailboxes[0].Wait, s.Mailboxes[0].AtLimit, s.Mailboxes[0].Until = "user limit", "user limit", noon.Add(20*time.Second)
	told(0, "a limit that makes wait for some seconds")
	s.Mailboxes[0].Until = noon.Add(time.Hour)
	told(1, "a limit that makes wait for an hour")
}

func TestAMailboxThatIsBegunAgainIsToldAgain(t *testing.T) {
	l := newLines()
	m := atEnd("ann@example.com", 10)
	m.Error, m.Failed = "login: refused", 2
	s := live.State{At: noon, Bad: "failed", Mailboxes: []live.Mailbox{m}}
	first := l.news(s)
	s.Mailboxes[0].Ended = time.Time{}
	s.Mailboxes[0].Began, s.Mailboxes[0].Failed = noon, 0
	between := l.news(s)
	s.Mailboxes[0].Failed, s.Mailboxes[0].Ended = 1, noon.Add(time.Minute)
	second := l.news(s)
	if len(first) != 2 || len(between) != 0 || len(second) != 2 || !strings.Contains(second[1], "1 message failed") {
		t.Errorf("%q, %q, %q", first, between, second)
	}
}

func TestWordsDuringAViewAreShownThereAndStayAfterIt(t *testing.T) {
	var out bytes.Buffer
	n := new(remarks)
	n.say("too early")
	n.to(&out)
	n.say("at once")
	n.hold(true)
	if out.String() != "too early\nat once\n" {
		t.Errorf("%q", out.String())
	}
	for i := range 200 {
		n.say(fmt.Sprint("later ", i))
	}
	if got := n.latest(); len(got) != 1 || got[0] != "later 199" || strings.Contains(out.String(), "later") {
		t.Errorf("%q shown, %q written", got, out.String())
	}
	n.hold(false)
	if got := out.String(); !strings.HasSuffix(got, "later 198\nlater 199\n") || strings.Count(got, "\n") != 2+keptRemarks {
		t.Errorf("%q", got)
	}
}

func TestAPauseOfTheWholeIsToldWithItsEnd(t *testing.T) {
	l := newLines()
	s := live.State{At: noon, Pause: "outside the window", Until: noon.Add(7 * time.Hour)}
	var text []string
	text = append(text, l.news(s)...)
	text = append(text, l.news(s)...)
	s.Pause = "the source\nis down"
	s.Until = time.Time{}
	text = append(text, l.news(s)...)
	s.Pause = ""
	text = append(text, l.news(s)...)
	if got, want := strings.Join(text, "|"), `The run pauses until 19:00: outside the window|The run pauses: the source\nis down|The run goes on.`; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestLinesOnTheWholeGrowRareInALongRun(t *testing.T) {
	l := newLines()
	s := live.State{Began: noon, Mailboxes: []live.Mailbox{atWork("ann@example.com", 0, 1_000_000, 0, "INBOX")}}
	n := 0
	for d := lineEvery; d <= 65*time.Minute; d += lineEvery {
		s.Mailboxes[0].Done++
		if l.whole(s, noon.Add(d)) != "" {
			n++
		}
	}
	if n != 60+60 {
		t.Errorf("%d lines in 65 minutes, want one in 5 s for 5 minutes and then one a minute", n)
	}
}

func TestARunShowsItselfToOtherProcessesUntilItEnds(t *testing.T) {
	config := &Config{}
	config.Run.Checkpoints = filepath.Join(t.TempDir(), "acme", "mailhaul.db")
	if err := os.Mkdir(filepath.Dir(config.Run.Checkpoints), 0o700); err != nil {
		t.Fatal(err)
	}
	path := live.Path(config.Run.Checkpoints)
	synctest.Test(t, func(t *testing.T) {
		progress := new(migrate.Progress)
		m := progress.Add("ann@example.org", "ann@example.com")
		m.Begin()
		stop := newShown(config, "verify", "different").show(t.Context(), progress.Snapshot, unlimited, new(bytes.Buffer))
		synctest.Wait()
		if s, err := live.Read(path); err != nil || s.Command != "verify" || s.Migration != "acme" || s.Bad != "different" || len(s.Mailboxes) != 1 {
			t.Errorf("%+v, %v", s, err)
		}
		m.Phase("INBOX")
		<-time.After(3*live.Every + time.Millisecond)
		if s, err := live.Read(path); err != nil || s.Mailboxes[0].Phase != "INBOX" || !s.At.Equal(time.Now().Add(-time.Millisecond)) {
			t.Errorf("3 seconds later: %+v, %v", s, err)
		}
		stop()
	})
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the run: %v", err)
	}
}

func TestAViewThatCannotBeWrittenToAFileCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		v := shown{File: filepath.Join(t.TempDir(), "gone", "x.live")}
		stop := v.show(t.Context(), new(migrate.Progress).Snapshot, unlimited, &out)
		<-time.After(10 * live.Every)
		stop()
		if n := strings.Count(out.String(), "\n"); n != 2 {
			t.Errorf("%d lines: %s", n, out.String())
		}
	})
}

func TestLinesGoOnWhenTheRunIsToldToStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		progress := new(migrate.Progress)
		m := progress.Add("ann@example.org", "ann@example.com")
		m.Begin()
		var out bytes.Buffer
		stop := shown{}.show(ctx, progress.Snapshot, unlimited, &out)
		<-time.After(6 * time.Second)
		cancel()
		m.End(errors.New("interrupted"))
		<-time.After(5 * time.Second)
		stop()
		if got := out.String(); !strings.Contains(got, "00:00:10 ann@example.org: stopped early: interrupted") {
			t.Error(got)
		}
	})
}
