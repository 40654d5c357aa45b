package main

import (
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// TestMain lets a test start this program as a process that it can kill.
func TestMain(m *testing.M) {
	if os.Getenv("MAILHAUL_TEST_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

// messages is the size of the generated mailbox.
func messages() int {
	if testing.Short() {
		return 1000
	}
	return 20_000
}

func TestAWholeDovecotArrivesAtGmailOctetForOctet(t *testing.T) {
	t.Parallel()
	s := newSite(t, sourcetest.Options{Separator: "/"}, messages())
	sim, url := serveGmail(t, nil)
	config := s.migration(t, "gmail", url)
	code, _, stderr := mailhaul(t.Context(), "run", "--config", config)
	if code != exitDone && code != exitPerson {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	s.checkGmail(t, config, sim)
	again(t, config, code, func() int { return len(sim.Messages(target(largeUser))) })
}

func TestAWholeDovecotArrivesAtMicrosoft365(t *testing.T) {
	t.Parallel()
	s := newSite(t, sourcetest.Options{Separator: ".", Prefix: "INBOX."}, messages())
	sim, url := serveGraph(t, nil)
	config := s.migration(t, "graph", url)
	code, _, stderr := mailhaul(t.Context(), "run", "--config", config)
	if code != exitDone && code != exitPerson {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	s.checkGraph(t, config, sim)
	again(t, config, code, func() int { return len(sim.Messages(target(largeUser))) })
}

// again runs once more and expects that nothing is written.
func again(t *testing.T, config string, want int, held func() int) {
	t.Helper()
	before := held()
	if code, _, stderr := mailhaul(t.Context(), "run", "--config", config); code != want {
		t.Errorf("a second run ends with %d: %s", code, stderr)
	}
	if after := held(); after != before {
		t.Errorf("a second run changed %d messages into %d", before, after)
	}
	if code, _, stderr := mailhaul(t.Context(), "status", "--json", "--config", config); code != want {
		t.Errorf("status ends with %d, run with %d: %s", code, want, stderr)
	}
}

func target(user string) string { return strings.Replace(user, "@example.com", "@example.org", 1) }

func serveGmail(t testing.TB, wrap func(http.Handler) http.Handler) (*gmailsim.Server, string) {
	sim, err := gmailsim.New(gmailsim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	return sim, serveTest(t, sim, wrap)
}

func serveGraph(t testing.TB, wrap func(http.Handler) http.Handler) (*graphsim.Server, string) {
	sim, err := graphsim.New(graphsim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	return sim, serveTest(t, sim, wrap)
}

func serveTest(t testing.TB, h http.Handler, wrap func(http.Handler) http.Handler) string {
	if wrap != nil {
		h = wrap(h)
	}
	url, stop, err := serve("127.0.0.1:0", h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return url
}

// checkGmail compares what Gmail holds with what was delivered: every content
// that arrived is there once, octet for octet, under the labels of all its
// folders and no others.
func (s *site) checkGmail(t *testing.T, config string, sim *gmailsim.Server) {
	t.Helper()
	for user, records := range s.records(t, config) {
		want := map[string]map[string]bool{} // labels by digest
		for _, r := range records {
			if !r.Outcome.Arrived() {
				continue
			}
			digest := hex.EncodeToString(r.Digest[:])
			if want[digest] == nil {
				want[digest] = map[string]bool{}
			}
			want[digest][gmailLabel(r.place)] = true
		}
		seen := map[string]bool{}
		for _, m := range sim.Messages(target(user)) {
			labels, ok := want[m.SHA256]
			if !ok {
				t.Errorf("%s: %s is at Gmail, but no record says so", user, m.ID)
			}
			if seen[m.SHA256] {
				t.Errorf("%s: content %s is at Gmail twice", user, m.SHA256)
			}
			seen[m.SHA256] = true
			if problem := compareLabels(m.Labels, labels); problem != "" {
				t.Errorf("%s: %s is under %q, want %q: %s", user, m.ID, m.Labels, slices.Sorted(maps.Keys(labels)), problem)
			}
		}
		if len(seen) != len(want) {
			t.Errorf("%s: %d contents are at Gmail, want %d", user, len(seen), len(want))
		}
	}
}

// compareLabels says what is wrong with the labels of a message whose copies
// were in the folders of want. Gmail hides and later deletes what is in Spam or
// Trash, so a message that was elsewhere too must not be there; SENT cannot be
// added later, and a message that was elsewhere is no draft.
func compareLabels(got []string, want map[string]bool) string {
	kept := 0
	for l := range want {
		switch l {
		case "SPAM", "TRASH", "DRAFT":
			continue
		case "SENT":
			if !slices.Contains(got, "SENT") && !slices.Contains(got, "Sent (migrated)") {
				return "not among the sent"
			}
		default:
			if !slices.Contains(got, l) {
				return "not under " + l
			}
		}
		kept++
	}
	for _, l := range got {
		switch {
		case l == "Sent (migrated)" && want["SENT"]:
		case !want[l]:
			return "under " + l
		case kept > 0 && (l == "SPAM" || l == "TRASH"):
			return "hidden by " + l
		}
	}
	if len(got) == 0 {
		return "nowhere"
	}
	return ""
}

// gmailLabel is the label's name in the API of a place as people see it.
func gmailLabel(place string) string {
	switch place {
	case "Inbox", "Sent", "Spam", "Trash":
		return strings.ToUpper(place)
	case "Drafts":
		return "DRAFT"
	}
	return place
}

// checkGraph compares what Exchange holds with what was delivered: each folder
// has as many messages as arrived in it; those imported as MIME are there octet
// for octet, and all carry keys that no other message has.
func (s *site) checkGraph(t *testing.T, config string, sim *graphsim.Server) {
	t.Helper()
	for user, records := range s.records(t, config) {
		want, got := map[string]int{}, map[string]int{}
		contents := map[string]int{}
		for _, r := range records {
			if r.Outcome.Arrived() {
				want[r.place]++
				contents[fmt.Sprintf("%s %x", r.place, r.Digest)]++
			}
		}
		keys := map[string]bool{}
		for _, m := range sim.Messages(target(user)) {
			place := strings.Join(m.Folder, "/")
			got[place]++
			if m.Route == "importMime" {
				c := place + " " + m.SHA256
				if contents[c]--; contents[c] < 0 {
					t.Errorf("%s: %s in %s is not among what was delivered, or is there too often", user, m.ID, place)
				}
			}
			key := ""
			for id, value := range m.SingleValue {
				if strings.HasSuffix(id, "MigrationKey") {
					key = value
				}
			}
			if len(key) != 64 || keys[key] {
				t.Errorf("%s: %s has the key %q, which is none or not its own", user, m.ID, key)
			}
			keys[key] = true
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: Exchange holds %v, want %v", user, got, want)
		}
		var arrived int
		for _, r := range records {
			if r.Outcome == migrate.Copied || r.Outcome == migrate.Adopted {
				arrived++
			}
		}
		if arrived != len(keys) {
			t.Errorf("%s: %d messages arrived, %d are there", user, arrived, len(keys))
		}
	}
}
