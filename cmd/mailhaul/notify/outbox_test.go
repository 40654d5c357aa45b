package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/privacy"
)

// A way of functions.
type way func(ctx context.Context, e Event) error

func (way) Name() string                              { return "pigeon" }
func (w way) Send(ctx context.Context, e Event) error { return w(ctx, e) }

func event(i int) Event {
	return Event{ID: fmt.Sprint("id-", i), Kind: Paused, Time: time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC), Text: fmt.Sprint("text ", i)}
}

var errBusy = &migrate.Error{Op: "pigeon", Class: migrate.Transient, Err: errors.New("busy")}

func TestEventsAreSentInOrderByEachWayHoweverSlowAnotherIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var sent []string
		fast := way(func(_ context.Context, e Event) error { sent = append(sent, e.ID); return nil })
		slow := way(func(ctx context.Context, e Event) error {
			select {
			case <-ctx.Done():
			case <-time.After(time.Hour):
			}
			return ctx.Err()
		})
		var r reports
		o := NewOutbox(privacy.Policy{}, r.add, slow, fast)
		for i := range 3 {
			o.Add(event(i))
		}
		synctest.Wait()
		if want := []string{"id-0", "id-1", "id-2"}; !slices.Equal(sent, want) || time.Since(begun) != 0 {
			t.Errorf("after %v there are %v, want %v at once", time.Since(begun), sent, want)
		}
		o.Close(t.Context())
		if time.Since(begun) != 3*time.Hour || len(r.list()) != 0 {
			t.Errorf("after %v: %v", time.Since(begun), r.list())
		}
	})
}

func TestAnEventIsTriedAgainUntilItIsSentAndStaysTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var ids []string
		var r reports
		o := NewOutbox(privacy.Policy{}, r.add, way(func(_ context.Context, e Event) error {
			ids = append(ids, e.ID)
			if len(ids) < 5 {
				return errBusy
			}
			return nil
		}))
		o.Add(event(7))
		o.Close(t.Context())
		if want := slices.Repeat([]string{"id-7"}, 5); !slices.Equal(ids, want) || len(r.list()) != 0 {
			t.Errorf("sent %v, reported %v", ids, r.list())
		}
		// 5, 10, 20 and 40 seconds, and up to an eighth more.
		if took := time.Since(begun); took < 75*time.Second || took > 85*time.Second {
			t.Errorf("that took %v", took)
		}
	})
}

func TestASenderGivesUpInTheEndAndSaysSoOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		n := 0
		var r reports
		o := NewOutbox(privacy.Policy{}, r.add, way(func(context.Context, Event) error { n++; return errBusy }))
		o.Add(event(1))
		o.Close(t.Context())
		if took := time.Since(begun); took < time.Hour || took > 90*time.Minute {
			t.Errorf("it gave up after %v", took)
		}
		want := fmt.Sprintf(`the notification "paused" of 2026-11-22 03:00:00 was not sent: pigeon: gave up after %d attempts: busy`, n)
		if got := r.list(); len(got) != 1 || got[0] != want || n > 20 {
			t.Errorf("reported %q, want %q", got, want)
		}
	})
}

func TestWhatCannotBeMendedIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		n := 0
		var r reports
		o := NewOutbox(privacy.Policy{}, r.add, way(func(context.Context, Event) error { n++; return failed("pigeon", "", "shot") }))
		o.Add(event(1))
		o.Add(event(2))
		o.Close(t.Context())
		if n != 2 || time.Since(begun) != 0 || len(r.list()) != 2 {
			t.Errorf("%d attempts in %v, reported %q", n, time.Since(begun), r.list())
		}
	})
}

func TestAFullQueueDropsTheOldestAndSaysHowMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var sent []string
		var r reports
		o := NewOutbox(privacy.Policy{}, r.add, way(func(_ context.Context, e Event) error {
			<-release
			sent = append(sent, e.ID)
			return nil
		}))
		o.Add(event(0))
		synctest.Wait() // it is on its way
		for i := range queueLimit + 10 {
			o.Add(event(i + 1))
		}
		close(release)
		o.Close(t.Context())
		o.Add(event(1000))
		if len(sent) != queueLimit+1 || sent[1] != "id-11" || sent[queueLimit] != fmt.Sprint("id-", queueLimit+10) {
			t.Errorf("%d were sent: %v", len(sent), sent)
		}
		if want := []string{"pigeon: 10 notifications were dropped: more than 64 waited to be sent"}; !slices.Equal(r.list(), want) {
			t.Errorf("reported %q", r.list())
		}
	})
}

func TestTheEndWaitsForWhatIsLeftButNotLongerThanItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var r reports
		o := NewOutbox(privacy.Policy{}, r.add, way(func(ctx context.Context, e Event) error { return errBusy }))
		for i := range 4 {
			o.Add(event(i))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		o.Close(ctx)
		if took := time.Since(begun); took != 30*time.Second {
			t.Errorf("it took %v", took)
		}
		want := []string{
			`the notification "paused" of 2026-11-22 03:00:00 was not sent: pigeon: busy; the end came before it could be tried again`,
			"pigeon: 3 notifications were not sent before the end",
		}
		if !slices.Equal(r.list(), want) {
			t.Errorf("reported %q", r.list())
		}
	})
}

func TestWhatOthersMayNotSeeIsGoneBeforeItIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := event(1)
		e.Mailbox, e.Names = "anna-secret@example.com", []string{"secret-login"}
		e.Text = "1 mailbox needs a person, it is anna-secret@example.com"
		e.Hint = "Check the password of secret-login and of anna-secret@example.com.\r\nBcc: x@example.com"
		e.Reason = "folder secret: 550 anna-secret@example.com"
		key := []byte("key")
		for _, p := range []privacy.Policy{{}, {Level: privacy.Masked}, {Level: privacy.Hashed, Key: key}, {Level: privacy.Full}} {
			var got Event
			o := NewOutbox(p, func(error) {}, way(func(_ context.Context, e Event) error { got = e; return nil }))
			o.Add(e)
			o.Close(t.Context())
			all := fmt.Sprintf("%+v", got)
			if strings.Contains(all, "secret") != p.Everything() {
				t.Errorf("%q: %s", p.Level, all)
			}
			if strings.ContainsAny(all, "\r\n") || got.Mailbox == "" || got.Version != Version {
				t.Errorf("%q: %q", p.Level, all)
			}
		}
	})
}

func TestTextsAreBoundedAndOfOneLine(t *testing.T) {
	e := event(1)
	for _, text := range []string{strings.Repeat("ä", 1<<20), strings.Repeat("a@b ", 1<<16), "\x00\x1b[31m\xff\u2028\u202e\r\nx"} {
		e.Text, e.Hint, e.Reason, e.Mailbox, e.Migration = text, text, text, text, text
		for _, p := range []privacy.Policy{{}, {Level: privacy.Full}} {
			got := e.under(p)
			for _, s := range []string{got.Text, got.Hint, got.Reason, got.Mailbox, got.Migration} {
				if n := len([]rune(s)); n > fieldLimit || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '\u202e' || r == '\u2028' }) {
					t.Errorf("%d characters: %.100q", n, s)
				}
			}
		}
	}
}

func TestATryIsMadeOnceByEachWay(t *testing.T) {
	n := 0
	busy := way(func(context.Context, Event) error { n++; return errBusy })
	fine := way(func(_ context.Context, e Event) error {
		n++
		if e.Mailbox != "a***@example.com" {
			t.Errorf("it went out as %q", e.Mailbox)
		}
		return nil
	})
	e := event(1)
	e.Mailbox = "anna@example.com"
	errs := Try(t.Context(), privacy.Policy{}, e, busy, fine)
	if n != 2 || len(errs) != 2 || errs[0] == nil || errs[1] != nil {
		t.Errorf("%d attempts: %v", n, errs)
	}
}
