package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWithoutItsCheckpointsAMailboxAtMicrosoft365IsNotDoubled(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	for _, route := range []string{"importmime", "json"} {
		sim, url := serveGraph(t, nil)
		o.dir = t.TempDir()
		o.write(t, "password", officePassword+"\n")
		o.write(t, "token", "test\n")
		config := o.migration(t, "graph", url, "", "", "ann")
		edit(t, config, "route = \"auto\"", "route = \""+route+"\"")
		ends(t, exitDone, []string{"run", "--config", config})
		if err := os.Remove(filepath.Join(o.dir, "mailhaul.db")); err != nil {
			t.Fatal(err)
		}
		for n := range 2 { // it may well be run again
			_, _, stderr := mailhaul(t.Context(), "run", "--config", config)
			_, status, _ := mailhaul(t.Context(), "status", "--config", config)
			if !strings.Contains(status, "has copied this mailbox before") || !strings.Contains(status, "checkpoint file of the earlier run") {
				t.Errorf("%s, run %d: nobody is told: %s\n%s", route, n, stderr, status)
			}
			if n := len(sim.Messages("ann@example.org")); n != officeMail {
				t.Errorf("%s: %d messages became %d", route, officeMail, n)
			}
		}
	}
}
