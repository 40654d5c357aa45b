package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/cmd/mailhaul/live"
	"github.com/mailhaul/mailhaul/migrate"
)

// watching is a watcher of a migration whose checkpoints hold 3 messages.
func watching(t *testing.T) (watcher, *sqlite.Store) {
	t.Helper()
	v := watcher{&Config{}, []Mailbox{{Source: "ann@example.org", Target: "ann@example.com"}}}
	v.config.Run.Checkpoints = filepath.Join(t.TempDir(), "mailhaul.db")
	store, err := sqlite.Open(v.config.Run.Checkpoints)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	ledger, err := store.Mailbox(t.Context(), "ann@example.org", "ann@example.com")
	if err != nil {
		t.Fatal(err)
	}
	f := migrate.FolderState{Folder: migrate.Folder{Path: []string{"INBOX"}, UIDValidity: 1}}
	if err := ledger.SaveFolder(t.Context(), &f); err != nil {
		t.Fatal(err)
	}
	if err := ledger.AddListed(t.Context(), migrate.Record{Folder: f.ID, UID: 1, Outcome: migrate.Copied, Size: 5},
		migrate.Record{Folder: f.ID, UID: 2, Outcome: migrate.Failed, Reason: "too large"}, migrate.Record{Folder: f.ID, UID: 3}); err != nil {
		t.Fatal(err)
	}
	return v, store
}

func TestAWatcherSeesTheRunAndTheCheckpoints(t *testing.T) {
	v, store := watching(t)
	path := live.Path(v.config.Run.Checkpoints)
	look := func() watched {
		t.Helper()
		seen, next, err := v.look(t.Context(), watched{}, time.Time{})
		if err != nil || time.Until(next) < sumsEvery-5*time.Second {
			t.Fatalf("%v, again in %v", err, time.Until(next))
		}
		return seen
	}
	const sums = "3 messages listed: 1 copied, 1 failed, 1 pending"
	if s := look(); s.Run != nil || s.Running == "" || s.Total.String() != sums {
		t.Errorf("%+v", s)
	}
	host, _ := os.Hostname()
	s := live.State{Version: live.Version, At: time.Now().Add(-time.Hour), PID: os.Getpid(), Host: host, Command: "run"}
	write := func() {
		t.Helper()
		if err := live.Write(path, s); err != nil {
			t.Fatal(err)
		}
	}
	write()
	if s := look(); s.Run == nil {
		t.Error("a State of the process that has the checkpoints is not taken, as it is old")
	}
	s.PID++
	write()
	if s := look(); s.Run != nil {
		t.Error("an old State of another process is taken")
	}
	s.At = time.Now()
	write()
	if s := look(); s.Run == nil || s.Run.Command != "run" {
		t.Errorf("a new State is not taken: %+v", s)
	}
	s.PID, s.At = os.Getpid(), time.Now().Add(-time.Hour)
	write()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if s := look(); s.Run != nil || s.Running != "" {
		t.Errorf("after the run: %+v", s)
	}
}

func TestTheCheckpointsAreCountedNowAndThen(t *testing.T) {
	v, _ := watching(t)
	first, next, err := v.look(t.Context(), watched{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	second, again, err := v.look(t.Context(), first, time.Now().Add(time.Hour))
	if err != nil || second.status != first.status || second.Total.Listed != 3 || again.Sub(next) < 30*time.Minute {
		t.Errorf("%+v, %v", second, err)
	}
}

func TestCheckpointsThatCannotBeReadKeepTheOldSums(t *testing.T) {
	v, _ := watching(t)
	first, _, err := v.look(t.Context(), watched{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	v.config.Run.Checkpoints += ".gone"
	if second, _, err := v.look(t.Context(), first, time.Time{}); err == nil || second.Total.Listed != 3 {
		t.Errorf("%+v, %v", second, err)
	}
	if err := v.watch(t.Context(), false, new(bytes.Buffer)); err == nil {
		t.Error("checkpoints that were never there are watched")
	}
}

func TestWatchingInLinesTellsTheRunAndItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := make(chan watched, 1)
		seen <- watched{Total: sums{Listed: 3, Outcomes: map[string]int64{"copied": 3}}}
		current := func() watched {
			s := <-seen
			seen <- s
			return s
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var out bytes.Buffer
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			watcher{}.print(ctx, &out, current)
		}()
		<-time.After(2*lineEvery + time.Second)
		s := scenes()["one mailbox"]
		<-seen
		seen <- watched{Run: &s}
		<-time.After(2 * lineEvery)
		<-seen
		seen <- watched{Error: "the disk\nis gone", Total: sums{Listed: 1, Outcomes: map[string]int64{"pending": 1}}}
		<-time.After(lineEvery)
		<-seen
		seen <- watched{Running: "process 5 on host x", Total: sums{Listed: 1, Outcomes: map[string]int64{"pending": 1}}}
		<-time.After(2 * lineEvery)
		cancel()
		<-ended
		want := `00:00:00 No run is going on. 3 messages listed: 3 copied
00:00:15 0 of 1 mailbox, 11,200 of 40,000 messages, 717 MB, 21.7/s, about 23 min left (21 min to 26 min)
00:00:25 No run is going on. 1 message listed: 1 pending. The checkpoints cannot be read now: the disk\nis gone
00:00:30 A run is going on in process 5 on host x, but it does not show itself. 1 message listed: 1 pending
`
		if out.String() != want {
			t.Errorf("got\n%swant\n%s", out.String(), want)
		}
	})
}

func TestTheSumsInALineAddUp(t *testing.T) {
	var s sums
	tally := migrate.Tally{}
	for o := range migrate.Outcomes {
		tally.Count[o] = 1 << o
		tally.Listed += tally.Count[o]
	}
	s.add(tally)
	if got, want := s.String(), "511 messages listed: 2 copied, 8 merged, 4 adopted, 128 moved, 256 removed, 16 excluded, 64 gone, 32 failed, 1 pending"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestWatchingForMachinesWritesAnObjectInALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scenes()["failures"]
		ctx, cancel := context.WithTimeout(t.Context(), 2*lineEvery+time.Second)
		defer cancel()
		var out bytes.Buffer
		err := watcher{}.printJSON(ctx, &out, func() watched {
			return watched{At: time.Now(), Run: &s, Total: sums{Listed: 3, Outcomes: map[string]int64{"copied": 3}}}
		})
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 3 {
			t.Fatalf("%d lines", len(lines))
		}
		for _, line := range lines {
			var got watched
			if err := json.Unmarshal([]byte(line), &got); err != nil || got.Run.Mailboxes[4].Failed != 16 || got.Total.Listed != 3 {
				t.Errorf("%v: %s", err, line)
			}
		}
	})
}

func TestWatchingForMachinesEndsWhenNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if err := (watcher{}).printJSON(t.Context(), broken{}, func() watched { return watched{} }); !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	})
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestTheWatchedViewFitsItsTerminal(t *testing.T) {
	v, store := watching(t)
	store.Close()
	idle, _, err := v.look(t.Context(), watched{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	run := scenes()["one mailbox"]
	busy := idle
	busy.Run = &run
	lost := idle
	lost.Error = "open mailhaul.db: \x1b[2Jno such file"
	for what, s := range map[string]watched{"idle": idle, "busy": busy, "lost": lost, "nothing": {}} {
		for _, size := range append(sizes, [2]int{10, 3}, [2]int{1, 1}, [2]int{200, 60}) {
			p := paper{width: size[0], height: size[1], colour: true, footer: "Ctrl-C ends this view"}
			fits(t, what, drawWatched(s, noon, p), p)
		}
	}
	text := drawWatched(idle, noon, paper{width: 120, height: 24, footer: "Ctrl-C ends this view"})
	for _, want := range []string{"No run is going on. 3 messages listed: 1 copied, 1 failed, 1 pending", "ann@example.org       3  =       1", "Ctrl-C ends this view"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if text := drawWatched(busy, noon, paper{width: 120, height: 24}); !strings.Contains(text, "In the checkpoints: 3 messages listed") || !strings.Contains(text, "21.7 messages/s") {
		t.Error(text)
	}
}

func FuzzAnyStateCanBeDrawn(f *testing.F) {
	for _, s := range scenes() {
		data, err := json.Marshal(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, 80, 24)
	}
	f.Add([]byte(`{"mailboxes":[{"began":"2026-11-20T11:00:00Z","total":-5,"done":-7,"known":-9,"bytes":-3,"rate":-1e300,"failed":-2,"wait":" "},
		{"began":"2026-11-20T11:00:00Z","total":9223372036854775807,"known":9223372036854775807,"done":1,"rate":1e-300,"wait":" "}],
		"rate":1e300,"left":{"low":-5,"high":9223372036854775807,"guessed":-1},"limits":[{"used":-1e308,"rate":1e308,"name":"\u001b","unit":"octets"}]}`), 60, 20)
	f.Fuzz(func(t *testing.T, data []byte, width, height int) {
		var s live.State
		if json.Unmarshal(data, &s) != nil {
			t.Skip()
		}
		p := paper{width: 1 + max(width%300, 0), height: 1 + max(height%100, 0), colour: true, footer: "Ctrl-C stops"}
		fits(t, string(data), draw(s, noon, p), p)
		newLines().news(s)
		total(s)
	})
}
