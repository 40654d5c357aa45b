package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

// The dump is what a person can compare with the source without this program.
func TestADumpOfGmailEqualsTheSourceBelowTheHeadersThatGmailAdds(t *testing.T) {
	t.Parallel()
	s := newSite(t, sourcetest.Options{Separator: "/"}, 500)
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	out, url := io.Pipe()
	code := make(chan int)
	go func() {
		code <- execute(ctx, []string{"simulate", "gmail", "--dump", dir}, url, io.Discard)
	}()
	endpoint, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	config := s.migration(t, "gmail", strings.TrimSpace(endpoint))
	edit(t, config, "[target]", "[transform]\nfrom = \"never\"\n[target]")
	if code, _, stderr := mailhaul(t.Context(), "run", "--config", config); code != exitDone && code != exitPerson {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	stop()
	if c := <-code; c != exitDone {
		t.Fatalf("simulate ends with %d", c)
	}

	want := map[migrate.Digest]bool{}
	for _, records := range s.records(t, config) {
		for _, r := range records {
			if r.Outcome.Arrived() {
				want[r.Digest] = true
			}
		}
	}
	index, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var users []struct {
		Messages []struct {
			File      string
			Prepended int
		}
	}
	if err := json.Unmarshal(index, &users); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, u := range users {
		for _, m := range u.Messages {
			octets, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(m.File)))
			if err != nil {
				t.Fatal(err)
			}
			if m.Prepended == 0 || m.Prepended > len(octets) {
				t.Fatalf("%s: %d octets are said to be added on top of %d", m.File, m.Prepended, len(octets))
			}
			if !want[sha256.Sum256(octets[m.Prepended:])] {
				t.Errorf("%s is not what was delivered", m.File)
			}
			n++
		}
	}
	if n < len(want) || n == 0 {
		t.Errorf("%d messages are in the dump, %d contents arrived", n, len(want))
	}
}
