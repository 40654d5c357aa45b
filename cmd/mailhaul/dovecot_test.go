package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/mail"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/transform"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
	"github.com/mailhaul/mailhaul/targets/gmail"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// TestMain lets a test start this program as a process that it can kill. Runs
// inside the tests do not wait long after a failure.
func TestMain(m *testing.M) {
	if os.Getenv("MAILHAUL_TEST_MAIN") != "" {
		main()
	}
	migrate.DefaultRetry = migrate.Retry{First: 10 * time.Millisecond, Max: time.Second, Patience: time.Minute}
	os.Exit(m.Run())
}

// messages is the size of the generated mailbox. The gate requires Dovecot and
// gets the full one; a plain go test shall end long before its 10 minutes.
func messages() int {
	if testing.Short() || os.Getenv("MAILHAUL_REQUIRE") == "" {
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
	verifies(t, config)
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
	verifies(t, config)
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

// verifies compares every mailbox with its copy, content and all, and expects
// no difference.
func verifies(t *testing.T, config string) {
	t.Helper()
	if code, stdout, stderr := mailhaul(t.Context(), "verify", "--depth", "content", "--jobs", "16", "--config", config); code != exitDone {
		t.Errorf("verify ends with %d: %s\n%s", code, stderr, stdout)
	}
}

func target(user string) string { return strings.Replace(user, "@example.com", "@example.org", 1) }

func serveGmail(t testing.TB, wrap func(http.Handler) http.Handler) (*gmailsim.Server, string) {
	sim := newGmail(t, gmailsim.Options{})
	return sim, serveTest(t, sim, wrap)
}

func newGmail(t testing.TB, o gmailsim.Options) *gmailsim.Server {
	sim, err := gmailsim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	return sim
}

func serveGraph(t testing.TB, wrap func(http.Handler) http.Handler) (*graphsim.Server, string) {
	sim := newGraph(t, graphsim.Options{})
	return sim, serveTest(t, sim, wrap)
}

func newGraph(t testing.TB, o graphsim.Options) *graphsim.Server {
	sim, err := graphsim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	return sim
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

// copies returns what was delivered to a folder with that content, without
// what the configuration excludes.
func (s *site) copies(user, folder string, digest migrate.Digest) []delivered {
	return slices.DeleteFunc(slices.Clone(s.mail[user]), func(d delivered) bool {
		return d.folder != folder || d.digest != digest || d.has(migrate.Deleted)
	})
}

func (d delivered) has(f migrate.Flag) bool { return (&migrate.Message{Flags: d.flags}).HasFlag(f) }

// checkGmail compares what Gmail holds with what was delivered: every content
// that arrived unchanged is there once, octet for octet, under the labels of all its
// folders and no others, unread as the copy that was written was, starred if
// any copy was flagged, and with its own date.
func (s *site) checkGmail(t *testing.T, config string, sim *gmailsim.Server) {
	t.Helper()
	for user, records := range s.records(t, config) {
		messages := sim.Messages(target(user))
		written := map[migrate.MessageID]string{} // digests
		for _, m := range messages {
			written[migrate.MessageID(m.ID)] = m.SHA256
		}
		want := map[string]map[string]bool{} // labels by digest
		from := map[string][]kept{}
		for _, r := range records {
			if !r.Outcome.Arrived() {
				continue
			}
			digest := hex.EncodeToString(r.Digest[:])
			if len(transform.Applied(r.Notes)) > 0 { // verifies compares these
				digest = written[r.Target]
			}
			if want[digest] == nil {
				want[digest] = map[string]bool{}
			}
			want[digest][gmailLabel(r.place)] = true
			from[digest] = append(from[digest], r)
		}
		seen := map[string]bool{}
		for _, m := range messages {
			labels, ok := want[m.SHA256]
			if !ok && probed(m) {
				continue
			}
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
			if problem := s.compareState(user, m, from[m.SHA256]); problem != "" {
				t.Errorf("%s: %s, from %s: %s", user, m.ID, origin(from[m.SHA256]), problem)
			}
		}
		if len(seen) != len(want) {
			t.Errorf("%s: %d contents are at Gmail, want %d", user, len(seen), len(want))
		}
	}
}

// probed says whether m is what a probe left: in Trash, where it may not delete,
// or under no label, where it was killed or cut off while it cleared away.
func probed(m gmailsim.Message) bool {
	letter, err := mail.ReadMessage(m.Received())
	return err == nil && (len(m.Labels) == 0 || slices.Equal(m.Labels, []string{"TRASH"})) && letter.Header.Get("Message-ID") == "<probe@mailhaul.invalid>"
}

// origin names where messages came from.
func origin(records []kept) string {
	var names []string
	for _, r := range records {
		names = append(names, fmt.Sprintf("%s UID %d (%v)", r.folder, r.UID, r.Outcome))
	}
	return strings.Join(names, ", ")
}

// compareState says what is wrong with the flags and the date of a message at
// Gmail, given the records of its copies. Gmail gives drafts neither.
func (s *site) compareState(user string, m gmailsim.Message, records []kept) string {
	var read, starred bool
	for _, r := range records {
		for _, d := range s.copies(user, r.folder, r.Digest) {
			read, starred = read || d.has(migrate.Seen), starred || d.has(migrate.Flagged)
		}
		if r.place == "Drafts" && r.Outcome != migrate.Merged {
			return ""
		}
	}
	if m.Unread == read || m.Starred != starred {
		return fmt.Sprintf("read: %v, starred: %v; want %v, %v", !m.Unread, m.Starred, read, starred)
	}
	for _, r := range records {
		if slices.Contains(r.Notes, gmail.NoteDate) {
			// Of several Date fields of which one is no date, Gmail may take any.
			letter, err := mail.ReadMessage(m.Received())
			if time.Since(m.InternalDate) > time.Hour && (err != nil || len(letter.Header["Date"]) < 2) {
				return fmt.Sprintf("dated %v, though it is said to have the time of the import", m.InternalDate)
			}
			return ""
		}
	}
	text := bufio.NewReader(m.Received())
	if start, _ := text.Peek(5); string(start) == "From " { // left over from an mbox
		text.ReadString('\n')
	}
	letter, err := mail.ReadMessage(text)
	if err != nil {
		return fmt.Sprint("no header, and yet no note: ", err)
	}
	date, err := letter.Header.Date()
	if err != nil || !m.InternalDate.Equal(date) {
		return fmt.Sprintf("dated %v, want %q", m.InternalDate, letter.Header.Get("Date"))
	}
	return ""
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
// for octet; all carry keys that no other message has; and each is where its
// record says, with the flags, and if it was rebuilt the date, that it had.
func (s *site) checkGraph(t *testing.T, config string, sim *graphsim.Server) {
	t.Helper()
	for user, records := range s.records(t, config) {
		messages := sim.Messages(target(user))
		at := map[migrate.MessageID]graphsim.Message{}
		keys := map[string]bool{}
		for _, m := range messages {
			at[migrate.MessageID(m.ImmutableID)] = m
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
		states := map[string][]string{} // of the copies of one content in one folder that no message has yet
		arrived := 0
		for _, r := range records {
			if !r.Outcome.Arrived() {
				continue
			}
			arrived++
			m, ok := at[r.Target]
			if !ok {
				t.Errorf("%s: %s UID %d is not at Exchange, or is there for another message too", user, r.folder, r.UID)
				continue
			}
			delete(at, r.Target)
			if place := strings.Join(m.Folder, "/"); place != r.place {
				t.Errorf("%s: %s UID %d is in %q, want %q", user, r.folder, r.UID, place, r.place)
			}
			received := m.ReceivedDateTime.UTC()
			content := fmt.Sprintf("%s %x", r.folder, r.Digest)
			if m.Route == "importMime" {
				received = time.Time{} // the vendor's choice
				content += " imported"
				if octets, err := m.Octets(); err != nil || len(transform.Applied(r.Notes)) == 0 && sha256.Sum256(withoutKey(octets)) != r.Digest {
					t.Errorf("%s: %s UID %d has other octets than it had", user, r.folder, r.UID)
				}
			}
			if states[content] == nil {
				for _, d := range s.copies(user, r.folder, r.Digest) {
					date := d.date.UTC().Truncate(time.Second)
					if m.Route == "importMime" {
						date = time.Time{}
					}
					draft := d.has(migrate.Draft) && m.Route != "importMime"
					states[content] = append(states[content], graphState(d.has(migrate.Seen), d.has(migrate.Flagged), draft, keywords(d.flags), date))
				}
			}
			state := graphState(m.IsRead, m.Flag == "flagged", m.IsDraft, slices.Clone(m.Categories), received)
			i := slices.Index(states[content], state)
			if i < 0 {
				t.Errorf("%s: %s UID %d is %s at Exchange, want one of %q", user, r.folder, r.UID, state, states[content])
				continue
			}
			states[content] = slices.Delete(states[content], i, i+1)
		}
		for _, m := range at {
			t.Errorf("%s: %s in %q is at Exchange, but no record says so", user, m.ID, m.Folder)
		}
		if arrived != len(messages) {
			t.Errorf("%s: %d messages arrived, %d are there", user, arrived, len(messages))
		}
	}
}

// withoutKey is an import as it was before it was given its key.
func withoutKey(octets []byte) []byte {
	field := []byte("X-Mailhaul-Key: ")
	at := 0
	if bytes.HasPrefix(octets, []byte("From ")) {
		at = bytes.IndexByte(octets, '\n') + 1
	}
	if !bytes.HasPrefix(octets[at:], field) {
		return nil
	}
	end := at + bytes.IndexByte(octets[at:], '\n') + 1
	return slices.Concat(octets[:at], octets[end:])
}

func graphState(read, flagged, draft bool, categories []string, received time.Time) string {
	slices.Sort(categories)
	return fmt.Sprintf("read %v, flagged %v, draft %v, categories %q, received %s", read, flagged, draft, categories, received.Format(time.DateTime))
}

// keywords are the flags that people gave a message, as opposed to those that
// IMAP defines and those that mail programs set for themselves.
func keywords(flags []migrate.Flag) []string {
	list := []string{}
	for _, f := range flags {
		if !strings.HasPrefix(string(f), `\`) && f != migrate.Forwarded && f != "NonJunk" {
			list = append(list, string(f))
		}
	}
	return list
}
