package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// A replica is a message at a target, in the words of all of them.
type replica struct {
	folders    []string // names of folders or labels
	labels     bool     // they are labels
	read       bool
	flagged    bool
	answered   bool
	forwarded  bool
	draft      bool
	high       bool // importance
	categories []string
	received   time.Time
	sent       time.Time // zero if the target has none but the Date field
	handed     []byte    // the message as the target got it; nil if it got none
	octets     []byte    // the message as the target gives it back
	properties *entity   // header lines that are kept beside the message; nil if there are none

	mime *entity
}

// An arrival is what became of an original.
type arrival struct {
	*original
	migrate.Record
	place string // the folder's name at the target
	note  string // why it differs
	there *replica
}

// arrivals reads the checkpoints, checks that every original has come to one
// final outcome and the sums close, and joins it with its replica.
func arrivals(t *testing.T, config string, all []*original, replicas map[migrate.MessageID]*replica) (out []arrival) {
	t.Helper()
	store, err := sqlite.OpenReadOnly(filepath.Join(filepath.Dir(config), "mailhaul.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	tallies, err := store.Tally(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tally := range tallies {
		if err := tally.Check(); err != nil {
			t.Error(err)
		}
	}
	at := map[string]*original{}
	key := func(folder string, uid migrate.UID) string { return fmt.Sprintf("%s %d", folder, uid) }
	for _, o := range all {
		at[key(o.folder, o.uid)] = o
	}
	claimed := map[migrate.MessageID]bool{} // by a message that was copied, and not only merged
	user := all[0].user
	ledger, err := store.Mailbox(t.Context(), user, target(user))
	if err != nil {
		t.Fatal(err)
	}
	folders, err := ledger.Folders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		path := strings.Join(f.Folder.Path, "/")
		for r, err := range ledger.Records(t.Context(), f.ID, 1, ^migrate.UID(0)) {
			if err != nil {
				t.Fatal(err)
			}
			o := at[key(path, r.UID)]
			delete(at, key(path, r.UID))
			switch {
			case o == nil:
				t.Fatalf("%s UID %d was never delivered", path, r.UID)
			case r.Outcome == migrate.Pending, r.Outcome == migrate.Gone, r.Doubt:
				t.Errorf("%s UID %d: %v, in doubt: %v", path, r.UID, r.Outcome, r.Doubt)
			case r.Outcome != migrate.Excluded && r.Outcome != migrate.Failed && r.Digest != sha256.Sum256(o.octets):
				t.Fatalf("%s UID %d was shown in other octets than it was delivered", path, r.UID)
			case r.Outcome.Arrived() && replicas[r.Target] == nil:
				t.Errorf("%s UID %d is not at the target", path, r.UID)
				continue
			case claimed[r.Target] && r.Outcome == migrate.Copied:
				t.Errorf("%s UID %d is at the target for another message too", path, r.UID)
			}
			if r.Outcome.Arrived() {
				claimed[r.Target] = r.Outcome != migrate.Merged || claimed[r.Target]
			}
			out = append(out, arrival{o, r, f.Name, f.Note, replicas[r.Target]})
		}
	}
	for where := range at {
		t.Errorf("%s has no outcome", where)
	}
	for id := range replicas {
		if _, ok := claimed[id]; !ok {
			t.Errorf("%s is at the target, and no record says so", id)
		}
	}
	return out
}

// gmailReplicas returns what Gmail holds, as users.messages.get gives it.
func gmailReplicas(t *testing.T, sim *gmailsim.Server, user string) map[migrate.MessageID]*replica {
	t.Helper()
	replicas := map[migrate.MessageID]*replica{}
	for _, m := range sim.Messages(user) {
		r := &replica{
			folders: m.Labels, labels: true, read: !m.Unread, flagged: m.Starred, draft: slices.Contains(m.Labels, "DRAFT"),
			categories: m.Labels, received: m.InternalDate,
		}
		r.handed, r.octets = readAll(t, m.Received()), readAll(t, m.Raw())
		r.mime = parseEntity(r.octets, "text/plain", 0)
		replicas[migrate.MessageID(m.ID)] = r
	}
	return replicas
}

// graphReplicas returns what Exchange holds, as Graph gives it.
func graphReplicas(t *testing.T, sim *graphsim.Server, url, token, user string) map[migrate.MessageID]*replica {
	t.Helper()
	replicas := map[migrate.MessageID]*replica{}
	for _, m := range sim.Messages(user) {
		r := &replica{
			folders: []string{strings.Join(m.Folder, "/")}, read: m.IsRead, flagged: m.Flag == "flagged", draft: m.IsDraft,
			high: m.Importance == "high", categories: m.Categories, received: m.ReceivedDateTime, sent: m.SentDateTime,
		}
		switch m.SingleValue["Integer 0x1081"] { // PidTagLastVerbExecuted
		case "102", "103":
			r.answered = true
		case "104":
			r.forwarded = true
		}
		if block := m.SingleValue["String 0x7d"]; block != "" { // PidTagTransportMessageHeaders
			r.properties = parseEntity([]byte(block), "text/plain", 0)
		}
		if m.Route != graphsim.RouteJSON {
			octets, err := m.Octets()
			if err != nil {
				t.Fatal(err)
			}
			r.handed = octets
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/v1.0/users/"+user+"/messages/"+m.ID+"/$value", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		r.octets = readAll(t, answer.Body)
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", answer.Status, r.octets)
		}
		r.mime = parseEntity(r.octets, "text/plain", 0)
		replicas[migrate.MessageID(m.ImmutableID)] = r
	}
	return replicas
}

func readAll(t *testing.T, r io.Reader) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
