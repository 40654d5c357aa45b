package migrate

import (
	"context"
	"errors"
	"fmt"
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
