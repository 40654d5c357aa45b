package main

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
)

// A shredder is a target that takes everything and keeps nothing, but when each
// tenth of all messages began.
type shredder struct {
	mu     sync.Mutex
	taken  int
	each   int
	tenths []moment
}

// A moment is a time and how long this process has computed until then.
type moment struct {
	at  time.Time
	cpu time.Duration
}

func present() moment {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return moment{time.Now(), time.Duration(u.Utime.Nano() + u.Stime.Nano())}
}

func (s *shredder) Capabilities() migrate.Capabilities {
	return migrate.Capabilities{Parallel: 8, Labels: true}
}

func (s *shredder) Position(context.Context) (migrate.Position, error) { return "1", nil }

func (s *shredder) Place(_ context.Context, fs []migrate.Folder) (ps []migrate.Placement, _ error) {
	for _, f := range fs {
		ps = append(ps, migrate.Placement{ID: migrate.FolderID(f.String()), Name: f.String()})
	}
	return ps, nil
}

func (s *shredder) Append(context.Context, migrate.FolderID, *migrate.Message) (migrate.Stored, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken%s.each == 0 {
		s.tenths = append(s.tenths, present())
	}
	s.taken++
	return migrate.Stored{ID: migrate.MessageID(fmt.Sprintf("%016x", s.taken))}, nil
}

func (s *shredder) Find(context.Context, migrate.FolderID, *migrate.Message, migrate.Position) (migrate.Stored, error) {
	return migrate.Stored{}, migrate.ErrNotFound
}

func (s *shredder) Update(context.Context, migrate.Change, ...migrate.MessageID) ([]string, error) {
	return nil, nil
}

func (s *shredder) Close() error { return nil }

// BenchmarkFolder moves one folder of a million messages through the engine
// and the checkpoints, and then makes a second pass, which finds nothing to do.
// docs/benchmarks.md has the command.
func BenchmarkFolder(b *testing.B) {
	const messages = 1_000_000
	for b.Loop() {
		store, err := sqlite.Open(filepath.Join(b.TempDir(), "mailhaul.db"))
		if err != nil {
			b.Fatal(err)
		}
		target := &shredder{each: messages / 10}
		engine := &migrate.Engine{
			Checkpoints: store, Spool: migrate.NewSpool(b.TempDir(), spoolMemory, 2<<30), Jobs: 1, Grace: grace, Progress: new(migrate.Progress),
			Retry: migrate.Retry{First: time.Second, Max: time.Minute, Patience: time.Hour},
		}
		pass := func() moment {
			results, err := engine.Run(b.Context(), []migrate.Mailbox{{
				Source: "ann@example.org", Target: "ann@example.org",
				OpenSource: func(context.Context) (migrate.Source, error) {
					return &load{"ann@example.org", []loadFolder{{"INBOX", messages, 300, false}}}, nil
				},
				OpenTarget: func(context.Context) (migrate.Target, error) { return target, nil },
			}})
			if err != nil || results[0].Err != nil {
				b.Fatal(err, results[0].Err)
			}
			return present()
		}
		ended := pass()
		again := pass()
		if target.taken != messages {
			b.Fatalf("%d messages were written", target.taken)
		}
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		for name, tenth := range map[string][2]moment{"first": {target.tenths[0], target.tenths[1]}, "last": {target.tenths[9], ended}} {
			b.ReportMetric(messages/10/tenth[1].at.Sub(tenth[0].at).Seconds(), name+"-tenth-messages/s")
			b.ReportMetric(float64((tenth[1].cpu-tenth[0].cpu).Microseconds())/(messages/10), name+"-tenth-CPU-µs/message")
		}
		b.ReportMetric(again.at.Sub(ended.at).Seconds(), "second-pass-s")
		b.ReportMetric(float64(memory.Sys)/(1<<20), "memory-MiB")
		if err := store.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
