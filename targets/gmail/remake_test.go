package gmail

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

// deleteLabels does what a person may do during a run.
func deleteLabels(t *testing.T, target *Target, ids ...migrate.FolderID) {
	t.Helper()
	for _, id := range ids {
		if err := target.service.Users.Labels.Delete(user, string(id)).Do(); err != nil {
			t.Fatal(err)
		}
	}
}

// labelsOf returns the labels of each message that the simulator holds, by ID.
func labelsOf(sim *gmailsim.Server) map[migrate.MessageID]string {
	all := map[migrate.MessageID]string{}
	for _, m := range sim.Messages(user) {
		all[migrate.MessageID(m.ID)] = strings.Join(m.Labels, " ")
	}
	return all
}

func TestALabelThatIsDeletedDuringTheRunIsMadeAgain(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{})
	target := open(t, config(server))
	fs := folders("Clients|2019", "Clients", "Other")
	places := placed(t, target, fs)
	early, err := target.Append(t.Context(), places[2].ID, targettest.Letter("early"))
	if err != nil {
		t.Fatal(err)
	}
	deleteLabels(t, target, places[0].ID, places[1].ID)

	// Many calls find out at once; one of them makes it.
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			if _, err := target.Append(t.Context(), places[i%2].ID, targettest.Letter(fmt.Sprint("late-", i))); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if _, err := target.Update(t.Context(), migrate.Change{AddFolder: places[0].ID}, early.ID); err != nil {
		t.Error(err)
	}
	count := map[string]int{}
	for _, labels := range labelsOf(sim) {
		count[labels]++
	}
	if fmt.Sprint(count) != "map[Clients:4 Clients/2019:4 Clients/2019 Other:1]" {
		t.Errorf("the messages are in %v", count)
	}
	if names := labelNames(t, target); len(names) != 3 {
		t.Errorf("the labels are %v", names)
	}

	// The next run places the folders under the new labels.
	for i := range fs {
		fs[i].Placed = places[i].ID
	}
	for i, again := range placed(t, open(t, config(server)), fs) {
		if again.Name != places[i].Name || again.ID != target.labelNow(places[i].ID) || again.Note != "" {
			t.Errorf("%s is placed at %+v", fs[i], again)
		}
	}
}

func TestALabelAboveThatIsMadeAgainIsLeftToItsFolder(t *testing.T) {
	_, server := serve(t, gmailsim.Options{})
	target := open(t, config(server))
	places := placed(t, target, folders("Clients|2019", "Clients"))
	deleteLabels(t, target, places[0].ID, places[1].ID)
	for i, place := range places { // the one below first
		if _, err := target.Append(t.Context(), place.ID, targettest.Letter(fmt.Sprint("left-", i))); err != nil {
			t.Fatal(err)
		}
	}
	if names := labelNames(t, target); len(names) != 2 || !names["Clients"] || !names["Clients/2019"] {
		t.Errorf("the labels are %v", names)
	}
}

func TestUpdateMakesADeletedLabelAgain(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{})
	target := open(t, config(server))
	places := placed(t, target, folders("A", "B"))
	stored, err := target.Append(t.Context(), places[0].ID, targettest.Letter("placed"))
	if err != nil {
		t.Fatal(err)
	}
	deleteLabels(t, target, places[1].ID)
	if _, err := target.Update(t.Context(), migrate.Change{AddFolder: places[1].ID}, stored.ID); err != nil {
		t.Error(err)
	}
	if got := labelsOf(sim)[stored.ID]; got != "A B" {
		t.Errorf("the message is in %q", got)
	}
}

func TestTheLabelOfRefusedSentMailIsMadeAgain(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{Sent: gmailsim.PolicyRefuse})
	target := open(t, config(server))
	var last migrate.Stored
	for i := range 2 {
		stored, err := target.Append(t.Context(), sent, targettest.Letter(fmt.Sprint("sent-", i), migrate.Seen))
		if err != nil {
			t.Fatal(err)
		}
		last = stored
		if i == 0 {
			deleteLabels(t, target, target.fallback)
		}
	}
	if got := labelsOf(sim)[last.ID]; got != sentName {
		t.Errorf("the message is in %q", got)
	}
	deleteLabels(t, target, target.fallback)
	if _, err := target.Update(t.Context(), migrate.Change{AddFolder: sent}, last.ID); err != nil {
		t.Error(err)
	}
	if got := labelsOf(sim)[last.ID]; got != sentName {
		t.Errorf("after the update the message is in %q", got)
	}
}

func TestALargeMessageGoesUnderTheLabelThatWasMadeAgain(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{})
	target := open(t, config(server))
	place := placed(t, target, folders("Large"))[0]
	deleteLabels(t, target, place.ID)
	stored, err := target.Append(t.Context(), place.ID, large(SingleRequest+1))
	if err != nil || labelsOf(sim)[stored.ID] != "Large" {
		t.Errorf("the message is in %q, error %v", labelsOf(sim)[stored.ID], err)
	}
}

// TestADoubtFromBeforeTheLabelWasDeletedIsResolved leaves messages without a
// Message-ID in doubt, which only the history of the mailbox finds.
func TestADoubtFromBeforeTheLabelWasDeletedIsResolved(t *testing.T) {
	for _, sameRun := range []bool{true, false} {
		sim, server := serve(t, gmailsim.Options{Fault: gmailsim.Faults{{Kind: "lost-reply", At: 1}, {Kind: "lost-reply", At: 4}}})
		target := open(t, config(server))
		fs := folders("Doubt")
		place := placed(t, target, fs)[0]
		since, err := target.Position(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		anonymous := func(text string) *migrate.Message {
			return targettest.Message([]byte("From: ann@example.org\r\nDate: 3 Jul 2009 14:15:16 +0000\r\n\r\n"+text+"\r\n"), "")
		}
		early, late := anonymous("early"), anonymous("late")
		if _, err := target.Append(t.Context(), place.ID, early); err == nil {
			t.Fatal("the first answer was not lost")
		}
		deleteLabels(t, target, place.ID)
		if _, err := target.Append(t.Context(), place.ID, anonymous("between")); err != nil { // calls 2 and 3
			t.Fatal(err)
		}
		if _, err := target.Append(t.Context(), place.ID, late); err == nil {
			t.Fatal("the last answer was not lost")
		}
		if !sameRun {
			target = open(t, config(server))
			fs[0].Placed = place.ID
			place = placed(t, target, fs)[0]
		}
		for _, m := range []*migrate.Message{early, late} {
			if stored, err := target.Find(t.Context(), place.ID, m, since); err != nil || stored.ID == "" {
				t.Errorf("same run %v: found %q, error %v", sameRun, stored.ID, err)
			}
		}
		if n := len(sim.Messages(user)); n != 3 {
			t.Errorf("%d messages arrived, want 3", n)
		}
	}
}

func TestALabelThatCannotBeMadeAgainBlamesNoMessage(t *testing.T) {
	for name, test := range map[string]struct {
		labels string // of the list, once the folder is placed
		create int    // status
		class  migrate.Class
	}{
		"it is there":        {`{"labels":[{"id":"Label_1","name":"Gone","type":"user"}]}`, 200, migrate.Fatal},
		"trouble at Google":  {`{}`, 503, migrate.Transient},
		"it is not accepted": {`{}`, 403, migrate.Fatal},
		"it vanishes again":  {`{}`, 200, migrate.Fatal},
	} {
		var mu sync.Mutex
		isPlaced := false
		_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case strings.HasSuffix(r.URL.Path, "/profile"):
				io.WriteString(w, `{"historyId":"1"}`)
			case strings.HasSuffix(r.URL.Path, "/import"):
				w.WriteHeader(400)
				io.WriteString(w, envelope(400, "invalidArgument", "labelId not found"))
			case r.Method == http.MethodGet && isPlaced:
				io.WriteString(w, test.labels)
			case r.Method == http.MethodGet:
				io.WriteString(w, `{}`)
			case isPlaced && test.create != 200:
				w.WriteHeader(test.create)
			case isPlaced:
				io.WriteString(w, `{"id":"Label_2"}`)
			default:
				io.WriteString(w, `{"id":"Label_1"}`)
			}
		})
		target := open(t, config(server))
		place := placed(t, target, folders("Gone"))[0]
		mu.Lock()
		isPlaced = true
		mu.Unlock()
		_, err := target.Append(t.Context(), place.ID, targettest.Letter("kept"))
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != test.class || !e.Refused || e.Hint == "" {
			t.Errorf("%s: %#v", name, err)
		}
	}
}

func TestALabelThatIsMadeAgainTakesNoOtherOnesPlace(t *testing.T) {
	_, server := serve(t, gmailsim.Options{})
	target := open(t, config(server))
	places := placed(t, target, folders("A|B|C"))
	labels, err := target.listLabels(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []migrate.FolderID
	for id, l := range labels.byID {
		if !l.system {
			all = append(all, migrate.FolderID(id))
		}
	}
	deleteLabels(t, target, all...)
	stranger, _, _, err := target.createLabel(t.Context(), "a b-c") // the same to Gmail as A/B/C
	if err != nil {
		t.Fatal(err)
	}
	if _, err := target.Append(t.Context(), places[0].ID, targettest.Letter("again")); err != nil {
		t.Fatal(err)
	}
	names := labelNames(t, target)
	for _, want := range []string{"A", "A/B", "A/B/C (2)", stranger.name} {
		if !names[want] {
			t.Errorf("there is no label %q in %v", want, names)
		}
	}
	if slices.Contains(all, target.labelNow(places[0].ID)) {
		t.Error("the label is an old one")
	}
}
