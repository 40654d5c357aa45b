package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/migratetest"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// smallSite delivers the corpus and some generated mailboxes, each of so many
// messages. Several, because a fault makes all of one mailbox wait.
func smallSite(t *testing.T, mailboxes, messages int) *site {
	s := &site{sourcetest.Dovecot(t, sourcetest.Options{Separator: "/"}), map[string][]delivered{}}
	s.deliverCorpus(t)
	for n := range mailboxes {
		user := fmt.Sprintf("user%d@example.com", n)
		box := migratetest.Large(migratetest.Spec{User: user, Seed: uint64(n), Messages: messages, Separator: "/"})
		for i, f := range box.Folders {
			for m := range box.All(i) {
				s.deliver(user, f.Path, m.Octets, m.Flags, m.InternalDate)
			}
		}
	}
	return s
}

// A trial is one migration to a simulator of its own.
type trial struct {
	config string
	fired  func() map[string]int // faults
	check  func(*testing.T)      // compares the source, the checkpoints and the target
	code   int
	stderr string
}

// run makes one pass in each trial, all at the same time.
func run(t *testing.T, trials ...*trial) {
	var group sync.WaitGroup
	for _, tr := range trials {
		group.Go(func() {
			tr.code, _, tr.stderr = mailhaul(t.Context(), "run", "--config", tr.config, "--jobs", "16")
		})
	}
	group.Wait()
}

func (s *site) gmailTrial(t *testing.T, o gmailsim.Options) *trial {
	sim := newGmail(t, o)
	config := s.migration(t, "gmail", serveTest(t, sim, nil))
	return &trial{config: config, fired: sim.Fired, check: func(t *testing.T) { s.checkGmail(t, config, sim); verifies(t, config) }}
}

func (s *site) graphTrial(t *testing.T, o graphsim.Options, route string) *trial {
	sim := newGraph(t, o)
	config := s.migration(t, "graph", serveTest(t, sim, nil))
	edit(t, config, "profile =", fmt.Sprintf("route = %q\nprofile =", route))
	return &trial{config: config, fired: sim.Fired, check: func(t *testing.T) { s.checkGraph(t, config, sim); verifies(t, config) }}
}

func edit(t *testing.T, file, old, new string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), old) {
		t.Fatalf("no %q in %s: %v", old, file, err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), old, new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// refusal names a message that failed by its content, which is the same for
// every target.
func refusal(user string, r kept) string { return fmt.Sprintf("%s %s %x", user, r.folder, r.Digest) }

// refusals counts what failed.
func (s *site) refusals(t *testing.T, tr *trial) map[string]int {
	failed := map[string]int{}
	for user, records := range s.records(t, tr.config) {
		for _, r := range records {
			if r.Outcome == migrate.Failed {
				failed[refusal(user, r)]++
			}
		}
	}
	return failed
}

func (s *site) outcomes(t *testing.T, tr *trial) (count [migrate.Outcomes]int) {
	for _, records := range s.records(t, tr.config) {
		for _, r := range records {
			count[r.Outcome]++
		}
	}
	return count
}

// endure runs a calm trial and wild ones, whose faults of all kinds must strike
// and must change nothing: not what arrives, nor what is refused.
func (s *site) endure(t *testing.T, calm *trial, kinds []string, wild ...*trial) {
	t.Helper()
	run(t, append(wild, calm)...)
	want := s.refusals(t, calm)
	for i, tr := range append(wild, calm) {
		if tr.code != exitDone && tr.code != exitPerson {
			t.Fatalf("trial %d: exit code %d: %s", i, tr.code, tr.stderr)
		}
		tr.check(t)
		if got := s.refusals(t, tr); !maps.Equal(got, want) {
			t.Errorf("trial %d: %d messages are refused, %d without faults", i, len(got), len(want))
		}
		if tr == calm {
			continue
		}
		fired := tr.fired()
		for _, kind := range kinds {
			if fired[kind] == 0 {
				t.Errorf("trial %d: no %s among the faults %v", i, kind, fired)
			}
		}
		if s.outcomes(t, tr)[migrate.Adopted] == 0 {
			t.Errorf("trial %d: no lost answer was noticed", i)
		}
	}
}

func TestFaultsLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	s := smallSite(t, 10, 150)
	t.Run("gmail", func(t *testing.T) {
		t.Parallel()
		list := "lost-reply:0.02,cut:0.01,503:0.02,429:0.003,500:0.02,html502:0.01,precondition:0.02"
		faults, err := gmailsim.ParseFaults(list)
		if err != nil {
			t.Fatal(err)
		}
		expiring := s.gmailTrial(t, gmailsim.Options{Fault: faults, Seed: 2, ExpireTokenAt: 700})
		serviceAccount(t, expiring.config)
		s.endure(t, s.gmailTrial(t, gmailsim.Options{}), kinds(list),
			s.gmailTrial(t, gmailsim.Options{Fault: faults, Seed: 0}), s.gmailTrial(t, gmailsim.Options{Fault: faults, Seed: 1}), expiring)
	})
	list := "lost-reply:0.02,cut:0.02,503:0.02,429:0.003,504:0.02,509:0.02"
	faults, err := graphsim.ParseFaults(list)
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range []string{"importmime", "json"} {
		t.Run("graph by "+route, func(t *testing.T) {
			t.Parallel()
			s.endure(t, s.graphTrial(t, graphsim.Options{}, route), kinds(list),
				s.graphTrial(t, graphsim.Options{Faults: faults, Seed: 0}, route), s.graphTrial(t, graphsim.Options{Faults: faults, Seed: 1}, route))
		})
	}
}

// Import that goes by the Message-ID alone makes different messages one.
func TestARunThatStoppedGoesOnWhereImportsMerge(t *testing.T) {
	t.Parallel()
	s := smallSite(t, 1, 60)
	s.deliver("user0@example.com", []string{"INBOX"}, []byte("X-List: staff\r\n"+letter("ann", 0, "")), nil, time.Unix(1_700_000_000, 0))
	s.deliver("user0@example.com", []string{"Sent"}, []byte(letter("ann", 0, "")), nil, time.Unix(1_700_000_000, 0))
	lost, err := gmailsim.ParseFaults("lost-reply:0.05")
	if err != nil {
		t.Fatal(err)
	}
	sim := newGmail(t, gmailsim.Options{Same: gmailsim.SameMessageID, NewIDOnMerge: true, Fault: lost})
	var writes atomic.Int64
	config := s.migration(t, "gmail", serveTest(t, sim, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && writes.Add(1) == 40 {
				w.WriteHeader(http.StatusForbidden)
				io.WriteString(w, `{"error":{"code":403,"errors":[{"reason":"dailyLimitExceeded"}]}}`)
				return
			}
			next.ServeHTTP(w, r)
		})
	}))
	first := &trial{config: config}
	if run(t, first); first.code != exitStopped {
		t.Fatalf("the first run ends with %d: %s", first.code, first.stderr)
	}
	second := &trial{config: config}
	if run(t, second); second.code != exitDone && second.code != exitPerson {
		t.Fatalf("the second run ends with %d: %s", second.code, second.stderr)
	}
	s.checkGmail(t, config, sim)
}

func TestChangesAreMadeOnceAndRecorded(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	bob := o.person(t, "bob")
	put(t, bob, "INBOX", letter("bob", 1, ""))
	put(t, bob, "INBOX", "From: bob@example.com\r\nMessage-ID: <2@example.com>\r\n\r\nno Date\r\n")
	put(t, bob, "INBOX", "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nMessage-ID: <3@example.com>\r\n\r\nno From\r\n")
	put(t, bob, "Sent", "Date: yesterday\r\nFrom: ann@example.com, bob@example.com\r\nMessage-ID: <4@example.com>\r\n\r\nneither\r\n")
	faults, err := gmailsim.ParseFaults("lost-reply@2,lost-reply@4,lost-reply@6")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		transform    string
		code, arrive int
		want         string // messages that arrived, those that are dated as at the source, notes
	}{
		{"from = \"never\"\n", exitPerson, 2, "2 1 map[date-is-import-time:1]"},
		{"", exitDone, 4, "4 2 map[date-is-import-time:2 from-repaired:2]"},
		{"date = \"always\"\n", exitDone, 4, "4 4 map[date-repaired:2 from-repaired:2]"},
	} {
		sim, url := gmailFor(t, gmailsim.Options{Fault: faults}, nil)
		o.dir = t.TempDir()
		o.write(t, "password", officePassword+"\n")
		o.write(t, "token", officeToken+"\n")
		config := o.migration(t, "gmail", url, "", "", "bob")
		edit(t, config, "[run]", "[transform]\n"+test.transform+"[run]")
		ends(t, test.code, []string{"run", "--config", config})
		if s := sumsOf(t, config, test.code); s.Total.Outcomes["failed"] != int64(4-test.arrive) {
			t.Errorf("%q: the outcomes are %v", test.transform, s.Total.Outcomes)
		}
		messages := sim.Messages("bob@example.org")
		dated, notes := 0, map[string]int{}
		for _, m := range messages {
			if m.InternalDate.Equal(time.Unix(1_700_000_000, 0)) {
				dated++
			}
		}
		store, err := sqlite.OpenReadOnly(filepath.Join(o.dir, "mailhaul.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		ledger, err := store.Mailbox(t.Context(), "bob@example.com", "bob@example.org")
		if err != nil {
			t.Fatal(err)
		}
		for folder := range int64(2) {
			for r, err := range ledger.Records(t.Context(), folder+1, 1, ^migrate.UID(0)) {
				if err != nil {
					t.Fatal(err)
				}
				for _, n := range r.Notes {
					notes[n]++
				}
			}
		}
		if got := fmt.Sprint(len(messages), dated, notes); got != test.want {
			t.Errorf("%q: %s, want %s", test.transform, got, test.want)
		}
	}
}

func kinds(list string) (names []string) {
	for item := range strings.SplitSeq(list, ",") {
		name, _, _ := strings.Cut(item, ":")
		names = append(names, name)
	}
	return names
}

// serviceAccount makes a migration get its tokens from the simulator, one for
// each mailbox.
func serviceAccount(t *testing.T, config string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	_, endpoint, _ := strings.Cut(string(text), "endpoint = \"")
	endpoint, _, _ = strings.Cut(endpoint, "\"")
	account, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "mover@project.example", "private_key_id": "1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"token_uri":   endpoint + "/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(config), "account.json"), account, 0o600); err != nil {
		t.Fatal(err)
	}
	edit(t, config, `token_file = "token"`, `service_account_file = "account.json"`)
}
