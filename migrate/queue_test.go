package migrate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheMoreMailboxesRunTheFewerMessagesOfEachAreOnTheirWay(t *testing.T) {
	for jobs, want := range map[int]int{1: 256, 300: 32} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.batch = 500
			var contents []string
			for i := range 400 {
				contents = append(contents, fmt.Sprint("message ", i))
			}
			w.add("INBOX", contents...)
			read := map[UID]bool{}
			w.onRead = func(m *Message) ([]byte, error) {
				read[m.UID] = true
				return nil, nil
			}
			ctx, stop := context.WithCancel(t.Context())
			time.AfterFunc(time.Minute, stop)
			slow := &slowTarget{worldTarget: (*worldTarget)(w), started: func() {}}
			e := w.engine()
			e.Jobs = jobs
			_, err := e.Run(ctx, []Mailbox{{
				OpenSource: func(context.Context) (Source, error) { return (*worldSource)(w), nil },
				OpenTarget: func(context.Context) (Target, error) { return slow, nil },
			}})
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("got %v", err)
			}
			if len(read) != want {
				t.Errorf("with %d jobs %d messages were read while none was written, want %d", jobs, len(read), want)
			}
		})
	}
}

// Each is more than may be on its way of small ones together.
func TestLargeMessagesKeepAllWorkersBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.parallel = 8
		var contents []string
		for i := range 40 {
			contents = append(contents, strings.Repeat(fmt.Sprint(i), queuedBytes))
		}
		w.add("INBOX", contents...)
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, stop)
		var started atomic.Int64
		slow := &slowTarget{worldTarget: (*worldTarget)(w), started: func() { started.Add(1) }}
		_, err := w.engine().Run(ctx, []Mailbox{{
			OpenSource: func(context.Context) (Source, error) { return (*worldSource)(w), nil },
			OpenTarget: func(context.Context) (Target, error) { return slow, nil },
		}})
		if !errors.Is(err, context.Canceled) || started.Load() != 8 {
			t.Errorf("%d were being written at once, want 8; %v", started.Load(), err)
		}
	})
}
