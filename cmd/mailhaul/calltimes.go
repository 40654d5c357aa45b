package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
)

// assessments is the folder where commands keep what they find out for a plan.
func assessments(c *cobra.Command) string {
	path, _ := c.Flags().GetString("config")
	return filepath.Join(filepath.Dir(path), "assessments")
}

// A heading says what is in a file that is kept there, and of which target. A
// file with another one counts as none.
type heading struct {
	Format   string `json:"format"`
	Version  int    `json:"version"`
	Target   string `json:"target"`
	Endpoint string `json:"endpoint"`
}

// file returns where a file of that format is in dir.
func (c *Config) file(dir, format string) (string, heading) {
	return filepath.Join(dir, format+"-"+c.Target.Kind+".json"), heading{"mailhaul-" + format, 1, c.Target.Kind, c.endpoint()}
}

// keptMost is how long a file may be that is read: those of 100,000 mailboxes are
// shorter.
const keptMost = 64 << 20

// readKept reads JSON.
func readKept(path string, v any) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return json.NewDecoder(io.LimitReader(f, keptMost)).Decode(v)
}

// writeKept writes JSON for this user alone, whole or not at all.
func writeKept(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "*.tmp") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // if it was not renamed
	_, err = f.Write(append(data, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}

// callTimes is the file of how long calls take.
type callTimes struct {
	heading
	measured
}

// readMeasured returns what commands have measured of the target of c, of which
// dir has a file or not.
func readMeasured(dir string, c *Config) measured {
	path, want := c.file(dir, "times")
	var f callTimes
	if readKept(path, &f) != nil || f.heading != want {
		return measured{}
	}
	return measured{Answers: f.Answers.sound(), Imports: f.Imports.sound(), Large: f.Large.sound(), Opens: f.Opens.sound()}
}

// sound returns t unless it makes no sense.
func (t times) sound() times {
	if t.Calls < 1 || t.Median <= 0 || t.Median > 2*time.Hour || t.Sigma < 0 || t.Sigma > 10 || t.By != byCheck && t.By != byRun {
		return times{}
	}
	return t
}

// save keeps in dir what of m tells more than what is there.
func (m measured) save(dir string, c *Config, by string) error {
	for _, t := range []*times{&m.Answers, &m.Imports, &m.Large, &m.Opens} {
		t.At, t.By = time.Now().UTC().Truncate(time.Second), by
	}
	earlier := readMeasured(dir, c)
	if m = m.over(earlier); m == earlier {
		return nil
	}
	path, h := c.file(dir, "times")
	return writeKept(path, callTimes{h, m})
}

// measure lets what is measured be kept in dir, now and then while a run works.
func (k *connections) measure(ctx context.Context, dir string) {
	k.stopwatch.keeps(func(m measured) {
		if err := m.save(dir, k.config, byRun); err != nil {
			logger(ctx).Warn("how long calls take is not kept", "reason", err.Error())
		}
	})
}
