package main

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/cmd/mailhaul/notify"
)

// A listener notes what an announcer says, with the time since it began.
type listener struct {
	begun time.Time
	said  []string
}

func (l *listener) announcer() *announcer {
	l.begun = time.Now()
	note := func(text string) { l.said = append(l.said, fmt.Sprintf("%v %s", time.Since(l.begun), text)) }
	failing := false
	return &announcer{after: time.Hour, digest: true, needy: map[string]bool{}, quiet: func() bool { return false },
		targets: func(source string) string { return "to " + source },
		send:    func(e notify.Event) { note(string(e.Kind) + ": " + e.Text) },
		failing: func(now bool) {
			if now != failing {
				failing = now
				note(map[bool]string{true: "ping fail", false: "ping well"}[now])
			}
		}}
}

func (l *listener) expect(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(l.said, want) {
		t.Errorf("it said\n%q\nwant\n%q", l.said, want)
	}
}

func happens(a *announcer, kind eventKind, mailbox, text string) {
	a.tell(event{Kind: kind, Time: time.Now(), Mailbox: mailbox, Text: text})
}

func TestAPersonIsToldOfAPauseThatLastsAndOfItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l listener
		a := l.announcer()
		happens(a, runStarted, "", "began")
		happens(a, paused, "", "short")
		time.Sleep(59 * time.Minute)
		happens(a, resumed, "", "short")
		time.Sleep(time.Minute)
		happens(a, paused, "", "long")
		time.Sleep(5 * time.Hour)
		happens(a, resumed, "", "long")
		happens(a, paused, "", "at the end")
		happens(a, stopped, "", "time is over")
		a.end()
		time.Sleep(3 * time.Hour)
		l.expect(t, "2h0m0s paused: long", "2h0m0s ping fail", "6h0m0s resumed: long", "6h0m0s ping well", "6h0m0s stopped: time is over")
	})
}

func TestAPersonIsToldOnceOfEachNeedAndOfManyTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l listener
		a := l.announcer()
		for i := range 300 {
			happens(a, needsPerson, fmt.Sprint("m", i), fmt.Sprint("need ", i))
			happens(a, needsPerson, fmt.Sprint("m", i), "the same")
			time.Sleep(time.Second)
		}
		happens(a, needsPerson, "", "the files are broken")
		time.Sleep(2*time.Hour - 5*time.Minute)
		happens(a, needsPerson, "last", "need of the last")
		happens(a, needsPerson, "really", "need of really the last")
		happens(a, stopped, "", "time is over")
		a.end()
		time.Sleep(3 * time.Hour)
		l.expect(t, "0s needs_person: need 0", "0s ping fail", "5m0s needs_person: the files are broken", "1h0m0s needs_person: 299 more mailboxes need a person.",
			"2h0m0s needs_person: need of the last", "2h0m0s needs_person: need of really the last", "2h0m0s stopped: time is over")
	})
}

func TestAPersonIsNotToldOfANeedThatIsOverAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l listener
		a := l.announcer()
		for _, m := range []string{"first", "second", "third", "fourth"} {
			happens(a, needsPerson, m, "need of the "+m)
		}
		happens(a, mailboxRecovered, "second", "")
		happens(a, mailboxRecovered, "fourth", "")
		time.Sleep(2 * time.Hour)
		happens(a, needsPerson, "second", "need of the second again")
		happens(a, needsPerson, "fourth", "need of the fourth again")
		for _, m := range []string{"first", "second", "third", "fourth"} {
			happens(a, mailboxRecovered, m, "")
		}
		happens(a, done, "", "all is done")
		a.end()
		time.Sleep(3 * time.Hour)
		l.expect(t, "0s needs_person: need of the first", "0s ping fail", "1h0m0s needs_person: need of the third",
			"2h0m0s needs_person: need of the second again", "2h0m0s ping well", "2h0m0s done: all is done")
	})
}

func TestNothingElseIsToldAndNobodyWhoIsThereIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l listener
		a := l.announcer()
		a.digest, a.quiet = false, func() bool { return true }
		for _, kind := range []eventKind{runStarted, passStarted, passEnded, mailboxFailed, mailboxRecovered, windowClosed, windowOpened, digest, stopped} {
			happens(a, kind, "ann", string(kind))
		}
		a.end()
		l.expect(t)
	})
}

func TestANotificationHasWhatTheEventHas(t *testing.T) {
	a := (&listener{}).announcer()
	var got notify.Event
	a.name, a.send = "Acme", func(e notify.Event) { got = e }
	at := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	a.tell(event{Kind: digest, Time: at, Text: "text", Mailbox: "ann", Reason: "reason", Hint: "hint", Until: at.Add(time.Hour),
		Tally: tally{Mailboxes: 1, Complete: 2, Trouble: 3, Messages: 4, Bytes: 5, New: 6, Failed: 7, Pending: 8}})
	if len(got.ID) != 36 || len(got.Names) != 1 || got.Names[0] != "to ann" || *got.Tally != (notify.Tally{Mailboxes: 1, Complete: 2, Trouble: 3, Messages: 4, Bytes: 5, New: 6, Failed: 7, Pending: 8}) {
		t.Errorf("%+v", got)
	}
	if got.Kind != notify.Digest || !got.Time.Equal(at) || got.Migration != "Acme" || got.Text != "text" || got.Mailbox != "ann" || got.Reason != "reason" || got.Hint != "hint" || !got.Until.Equal(at.Add(time.Hour)) {
		t.Errorf("%+v", got)
	}
	first := got.ID
	if a.tell(event{Kind: digest, Time: at}); got.ID == first {
		t.Error("two events have one id")
	}
}

func TestARunWithoutNotificationsTellsNobody(t *testing.T) {
	c := defaults()
	tell, end, err := c.announce(context.Background(), nil, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	tell(event{Kind: done})
	end()
}
