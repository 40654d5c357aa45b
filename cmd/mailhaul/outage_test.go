package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
)

// A suspended user looks like trouble at the vendor that has no end.
func TestAMailboxThatAlwaysFailsIsGivenUpAloneAndNeverAsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, err := gmailsim.New(gmailsim.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		const suspended = "user2@example.org"
		l := newLine(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, suspended) && r.Method != http.MethodGet {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			sim.ServeHTTP(w, r)
		}), 200*time.Millisecond, 0)
		transport := l.transport()
		h := haul{line: l}
		defer h.stop(transport)
		store, err := sqlite.Open(filepath.Join(t.TempDir(), "mailhaul.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		var boxes []migrate.Mailbox
		for i := range 5 {
			source := &load{fmt.Sprintf("user%d@example.org", i), []loadFolder{{"INBOX", 20, 500, false}}}
			boxes = append(boxes, migrate.Mailbox{
				Source: source.user, Target: source.user,
				OpenSource: func(context.Context) (migrate.Source, error) { return source, nil },
				OpenTarget: func(ctx context.Context) (migrate.Target, error) {
					return gmail.Open(ctx, gmail.Config{User: source.user, Endpoint: "http://localhost/", Transport: transport, Route: gmail.RouteImport,
						TokenSource: gmail.Static(func() (string, error) { return "test", nil })})
				},
			})
		}
		engine := &migrate.Engine{
			Checkpoints: store, Spool: migrate.NewSpool(t.TempDir(), spoolMemory, 2<<30), Jobs: 2, Grace: grace, Progress: new(migrate.Progress),
			Retry: migrate.Retry{First: time.Second, Max: time.Minute, Patience: time.Hour},
		}
		begun := time.Now()
		results, err := engine.Run(t.Context(), boxes)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took > 3*time.Hour {
			t.Errorf("it was given up after %v", took)
		}
		for _, r := range results {
			want := 20
			if r.Mailbox.Target == suspended {
				want = 0
			}
			if n := len(sim.Messages(r.Mailbox.Target)); n != want || (r.Err == nil) != (want > 0) {
				t.Errorf("%s: %d messages, %v", r.Mailbox.Target, n, r.Err)
			}
		}
		if _, hint := migrate.Explain(results[2].Err); !strings.Contains(hint, "suspended") {
			t.Errorf("the hint is %q", hint)
		}
	})
}
