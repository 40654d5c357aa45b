package gmail

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim/discovery"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

func starredLabelsOf(sim *gmailsim.Server) map[migrate.MessageID]string {
	all := labelsOf(sim)
	for _, m := range sim.Messages(user) {
		if m.Starred {
			all[migrate.MessageID(m.ID)] = "* " + all[migrate.MessageID(m.ID)]
		}
	}
	return all
}

// A front stands before a simulator, counts the requests by their last part
// and may fail one of them.
type front struct {
	sim     *gmailsim.Server
	checked http.Handler

	mu    sync.Mutex
	seen  map[string]int
	total int
	fail  int  // number of the request that fails; 0 for none
	after bool // it takes effect, and its answer is lost
}

func newFront(t *testing.T, o gmailsim.Options) *front {
	t.Helper()
	sim, err := gmailsim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	return &front{sim: sim, checked: discovery.Checked(t, sim), seen: map[string]int{}}
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.total++
	f.seen[r.Method+" "+r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]]++
	failing := f.total == f.fail
	f.mu.Unlock()
	if !failing {
		f.checked.ServeHTTP(w, r)
		return
	}
	if f.after {
		f.checked.ServeHTTP(httptest.NewRecorder(), r)
	}
	panic(http.ErrAbortHandler) // closes the connection
}

// open opens ann's mailbox as a new process would.
func (f *front) open(t *testing.T) *Target {
	t.Helper()
	return open(t, Config{User: user, Endpoint: "http://localhost/", Transport: line{f}, TokenSource: Static(token), Route: RouteImport, Settle: -1})
}

// count forgets the requests so far; the n-th from now fails.
func (f *front) count(n int, after bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen, f.total, f.fail, f.after = map[string]int{}, 0, n, after
}

func (f *front) counted() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen
}

func stored(t *testing.T, target *Target, folder migrate.FolderID, name string, flags ...migrate.Flag) migrate.MessageID {
	t.Helper()
	stored, err := target.Append(t.Context(), folder, targettest.Letter(name, flags...))
	if err != nil {
		t.Fatal(err)
	}
	return stored.ID
}

func TestUpdateNamesWhatItCannotHold(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{Sent: gmailsim.PolicyOwn})
	target := open(t, config(server))
	one := placed(t, target, folders("One"))[0].ID
	update := func(id migrate.MessageID, folder migrate.FolderID, flags []migrate.Flag, labels string, notes ...string) {
		t.Helper()
		got, err := target.Update(t.Context(), migrate.Change{AddFolder: folder, AddFlags: flags}, id)
		if err != nil || !slices.Equal(got, notes) {
			t.Errorf("notes %q, want %q, error %v", got, notes, err)
		}
		if at := starredLabelsOf(sim)[id]; at != labels {
			t.Errorf("it is in %q, want %q", at, labels)
		}
	}
	id := stored(t, target, inbox, "a", migrate.Seen)
	update(id, one, []migrate.Flag{migrate.Flagged}, "* INBOX One")
	update(id, one, []migrate.Flag{migrate.Answered}, "* INBOX One", NoteFlags)
	update(id, one, []migrate.Flag{"work"}, "* INBOX One", NoteFlags)
	for _, folder := range []migrate.FolderID{junk, trash} {
		update(id, folder, nil, "* INBOX One", NoteNotPlaced)
	}
	update(id, draft, []migrate.Flag{migrate.Draft}, "* INBOX One", NoteFlags, NoteNotPlaced)
	update(stored(t, target, trash, "b"), trash, nil, "TRASH")
	update(stored(t, target, draft, "c"), draft, []migrate.Flag{migrate.Flagged}, "DRAFT", NoteFlags)

	if _, err := target.Update(t.Context(), migrate.Change{AddFolder: junk}, "18c0ffee00000000"); !errors.Is(err, migrate.ErrNotFound) {
		t.Errorf("a message that is not there: %v", err)
	}
}

// Gmail refuses SENT in a modify.
func TestASecondSentCopyAddsItsStar(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{})
	target := open(t, config(server))
	id := stored(t, target, sent, "a", migrate.Seen)
	notes, err := target.Update(t.Context(), migrate.Change{AddFolder: sent, AddFlags: []migrate.Flag{migrate.Flagged}}, id)
	if at := starredLabelsOf(sim)[id]; err != nil || notes != nil || at != "* SENT" {
		t.Errorf("it is in %q, notes %q, error %v", at, notes, err)
	}
	id = stored(t, target, inbox, "b", migrate.Seen)
	notes, err = target.Update(t.Context(), migrate.Change{AddFolder: sent}, id)
	if at := labelsOf(sim)[id]; err != nil || !slices.Equal(notes, []string{NoteSentLabel}) || at != "INBOX "+sentName {
		t.Errorf("it is in %q, notes %q, error %v", at, notes, err)
	}
}

const (
	one migrate.FolderID = "Label_1"
	two migrate.FolderID = "Label_2"
)

// A way is a change of places of a message.
type way struct {
	name   string
	o      gmailsim.Options
	before string // its labels, by their ids
	add    migrate.FolderID
	remove migrate.FolderID
	bin    bool   // Change.Trash
	after  string // its labels, by their names; empty if it cannot be moved
	notes  string
}

const nowhereElse = "-" // no labels at all

var ways = []way{
	{name: "to another folder", before: "Label_1", add: two, remove: one, after: "Two"},
	{name: "beside others", before: "INBOX Label_1", add: two, remove: one, after: "INBOX Two"},
	{name: "from where it is not", before: "INBOX", add: two, remove: one, after: "INBOX Two"},
	{name: "to where it is", before: "Label_1 Label_2", add: two, remove: one, after: "Two"},
	{name: "from a folder to itself", before: "Label_1", add: one, remove: one, after: "One"},
	{name: "out of a folder", before: "Label_1 Label_2", remove: one, after: "Two"},
	{name: "out of its last folder", before: "Label_1", remove: one, after: nowhereElse},
	{name: "out of the inbox", before: "INBOX", remove: inbox, after: nowhereElse},
	{name: "into the archive", before: "INBOX", add: archive, remove: inbox, after: nowhereElse},
	{name: "out of the archive", before: "", add: one, remove: archive, after: "One"},
	{name: "out of the archive alone", before: "Label_1", remove: archive, after: "One"},
	{name: "out of the trash", before: "TRASH", add: one, remove: trash, after: "One"},
	{name: "to a folder of what a person threw away", before: "TRASH", add: two, remove: one, after: "Two"},
	{name: "to the archive of what a person called spam", before: "SPAM", add: archive, remove: one, after: nowhereElse},
	{name: "out of spam alone", before: "SPAM", remove: junk, after: nowhereElse},
	{name: "out of spam into the archive", before: "SPAM", add: archive, remove: junk, after: nowhereElse},
	{name: "from the inbox to the trash", before: "INBOX", add: trash, remove: inbox, after: "TRASH"},
	{name: "from a folder to spam", before: "Label_1", add: junk, remove: one, after: "SPAM"},
	{name: "from spam to the trash", before: "SPAM", add: trash, remove: junk, after: "TRASH"},
	{name: "from the trash to spam", before: "TRASH", add: junk, remove: trash, after: "SPAM"},
	{name: "from the archive to the trash", before: "", add: trash, remove: archive, after: "TRASH"},
	{name: "to the trash, where it is", before: "TRASH", add: trash, remove: inbox, after: "TRASH"},
	{name: "to the trash from one of two folders", before: "INBOX Label_1", add: trash, remove: inbox, after: "One", notes: NoteNotPlaced},
	{name: "to the trash from the archive of what is elsewhere", before: "Label_1", add: trash, remove: archive, after: "One", notes: NoteNotPlaced},
	{name: "to the trash of what a person called spam", before: "SPAM", add: trash, remove: one, after: "TRASH"},
	{name: "a copy in the trash of what is archived", before: "", add: trash, after: nowhereElse, notes: NoteNotPlaced},
	{name: "to spam from where it is not", before: "INBOX", add: junk, remove: one, after: "INBOX", notes: NoteNotPlaced},
	{name: "to the trash of what a person has labelled", before: "INBOX Label_2", add: trash, remove: inbox, after: "Two", notes: NoteNotPlaced},
	{name: "to the trash of what Gmail has labelled", before: "INBOX CATEGORY_SOCIAL IMPORTANT", add: trash, remove: inbox, after: "CATEGORY_SOCIAL IMPORTANT TRASH"},

	{name: "thrown away", before: "INBOX", bin: true, after: "TRASH"},
	{name: "thrown away from several folders", before: "INBOX Label_1", bin: true, after: "One TRASH"},
	{name: "thrown away out of a folder", before: "Label_1", remove: one, bin: true, after: "TRASH"},
	{name: "thrown away whatever the folder", before: "Label_1", add: two, bin: true, after: "One TRASH"},
	{name: "thrown away again", before: "TRASH", remove: inbox, bin: true, after: "TRASH"},
	{name: "thrown away from spam", before: "SPAM", bin: true, after: "TRASH"},
	{name: "thrown away out of the trash", before: "TRASH", remove: trash, bin: true, after: "TRASH"},

	{name: "out of Sent", before: "SENT", add: one, remove: sent, after: "One SENT", notes: NoteSentKept},
	{name: "out of Sent alone", before: "Label_1 SENT", remove: sent, after: "One SENT", notes: NoteSentKept},
	{name: "out of Sent, which Gmail allows", o: gmailsim.Options{SentLeaves: true}, before: "SENT", add: one, remove: sent, after: "One"},
	{name: "from Sent to the trash", before: "SENT", add: trash, remove: sent, after: "SENT TRASH"},
	{name: "from Sent to spam of what is elsewhere", before: "Label_1 SENT", add: junk, remove: sent, after: "One SENT", notes: NoteNotPlaced + " " + NoteSentKept},
	{name: "from elsewhere to the trash of what is in Sent", before: "Label_1 SENT", add: trash, remove: one, after: "SENT", notes: NoteNotPlaced},
	{name: "thrown away from Sent", before: "SENT", remove: sent, bin: true, after: "SENT TRASH"},
	{name: "into Sent", before: "Label_1", add: sent, remove: one, after: sentName, notes: NoteSentLabel},
	{name: "into Sent, where it is", before: "Label_1 SENT", add: sent, remove: one, after: "SENT"},
	{name: "from spam into Sent", before: "SPAM", add: sent, remove: junk, after: sentName, notes: NoteSentLabel},
	{name: "out of the label for Sent", before: "Label_3", add: one, remove: sent, after: "One", notes: NoteSentKept},
	{name: "out of the label for Sent, and Gmail allows", o: gmailsim.Options{SentLeaves: true}, before: "Label_3", add: one, remove: sent, after: "One"},
	{name: "from the label for Sent to the trash", before: "Label_3", add: trash, remove: sent, after: "TRASH"},

	{name: "a draft to a folder", before: "DRAFT", add: one, remove: draft},
	{name: "a draft to spam", before: "DRAFT", add: junk, remove: draft},
	{name: "a draft out of Drafts", before: "DRAFT", remove: draft},
	{name: "a message to Drafts", before: "Label_1", add: draft, remove: one},
	{name: "a draft to the trash", before: "DRAFT", add: trash, remove: draft, after: "DRAFT TRASH"},
	{name: "a draft thrown away", before: "DRAFT", remove: draft, bin: true, after: "DRAFT TRASH"},
	{name: "a draft back from the trash", before: "DRAFT TRASH", add: draft, after: "DRAFT"},
	{name: "a draft from the trash to Drafts", before: "DRAFT TRASH", add: draft, remove: trash, after: "DRAFT"},
	{name: "a copy in Drafts of what is elsewhere, to a folder", before: "INBOX", add: one, remove: draft, after: "INBOX One"},
	{name: "a copy in Drafts of what is elsewhere, to the trash", before: "INBOX", add: trash, remove: draft, after: "INBOX", notes: NoteNotPlaced},
	{name: "a copy in Drafts of what is archived, to the trash", before: "", add: trash, remove: draft, after: nowhereElse, notes: NoteNotPlaced},
	{name: "a copy of a draft to the trash", before: "DRAFT", add: trash, remove: one, after: "DRAFT", notes: NoteNotPlaced},
}

// prepare makes the labels of ways and n messages that are placed as w wants.
func (w way) prepare(t *testing.T, f *front, n int) (target *Target, ids []migrate.MessageID) {
	t.Helper()
	target = f.open(t)
	placed(t, target, folders("One", "Two"))
	if label, err := target.sentLabel(t.Context()); err != nil || label != "Label_3" {
		t.Fatal(label, err)
	}
	labels, folder := strings.Fields(w.before), archive
	if slices.Contains(labels, string(draft)) {
		folder = draft
	}
	for i := range n {
		id := stored(t, target, folder, fmt.Sprint("way-", i), migrate.Seen)
		if err := f.sim.Relabel(user, string(id), nil, labels); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return target, ids
}

func (w way) change() migrate.Change {
	return migrate.Change{AddFolder: w.add, RemoveFolder: w.remove, Trash: w.bin, Key: "of no use"}
}

// check looks at all messages but the first and the last.
func (w way) check(t *testing.T, f *front, ids []migrate.MessageID, notes []string, err error) {
	t.Helper()
	want := strings.ReplaceAll(w.after, nowhereElse, "")
	if w.after == "" {
		want = strings.NewReplacer("Label_1", "One").Replace(w.before)
		if e, ok := errors.AsType[*migrate.Error](err); !errors.Is(err, migrate.ErrUnmovable) || !ok || e.Class != migrate.Permanent || !e.Refused || e.Hint == "" {
			t.Errorf("%s: %#v", w.name, err)
		}
	} else if err != nil || strings.Join(notes, " ") != w.notes {
		t.Errorf("%s: notes %q, want %q, error %v", w.name, notes, w.notes, err)
	}
	for _, m := range f.sim.Messages(user) {
		if got := strings.Join(m.Labels, " "); slices.Contains(ids, migrate.MessageID(m.ID)) && got != want {
			t.Errorf("%s: %s is in %q, want %q", w.name, m.ID, got, want)
		}
	}
}

func TestAMessageGoesWhereGmailAllows(t *testing.T) {
	for _, w := range ways {
		for _, n := range []int{1, 12} {
			f := newFront(t, w.o)
			target, ids := w.prepare(t, f, n)
			for range 2 {
				notes, err := target.Update(t.Context(), w.change(), ids...)
				w.check(t, f, ids, notes, err)
				target = f.open(t) // as after a crash
				placed(t, target, folders("One", "Two"))
			}
		}
	}
}

// A process may die before and after each request of an update.
func TestAnUpdateThatWasCutOffIsMadeAgain(t *testing.T) {
	for _, w := range ways {
		for _, n := range []int{2, 10} {
			if n == 10 && !strings.HasSuffix(w.name, "beside others") && !strings.HasSuffix(w.name, "out of Sent") {
				continue
			}
			for _, after := range []bool{false, true} {
				for at, failed := 1, true; failed; at++ {
					f := newFront(t, w.o)
					target, ids := w.prepare(t, f, n)
					f.count(at, after)
					notes, err := target.Update(t.Context(), w.change(), ids...)
					failed = f.total >= at
					if failed {
						if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient {
							t.Errorf("%s, cut off at request %d: %v", w.name, at, err)
						}
						target = f.open(t)
						placed(t, target, folders("One", "Two"))
						notes, err = target.Update(t.Context(), w.change(), ids...)
					}
					if w.check(t, f, ids, notes, err); at > 100 {
						t.Fatal(w.name, "has no end")
					}
				}
			}
		}
	}
}

func TestOneDraftAmongSeveralMessagesKeepsAllWhereTheyAre(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{})
	target := open(t, config(server))
	ids := []migrate.MessageID{stored(t, target, inbox, "a"), stored(t, target, draft, "b")}
	if _, err := target.Update(t.Context(), migrate.Change{AddFolder: junk, RemoveFolder: draft}, ids...); !errors.Is(err, migrate.ErrUnmovable) {
		t.Error(err)
	}
	if all := labelsOf(sim); all[ids[0]] != "INBOX" || all[ids[1]] != "DRAFT" {
		t.Errorf("they are in %q", all)
	}
}

// Gmail gives SENT to all mail that is inserted from the user's own address, so
// that it cannot be told whether it was in Sent too.
func TestOwnMailThatWasInsertedIsNotThrownAwayWithOneOfItsCopies(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{})
	c := config(server)
	c.Route = RouteInsert
	target := open(t, c)
	id := stored(t, target, inbox, "own")
	notes, err := target.Update(t.Context(), migrate.Change{AddFolder: trash, RemoveFolder: inbox}, id)
	if at := labelsOf(sim)[id]; err != nil || !slices.Equal(notes, []string{NoteNotPlaced}) || at != "SENT" {
		t.Errorf("it is in %q, notes %q, error %v", at, notes, err)
	}
}

func TestTheStateOfADraftIsNotChanged(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{})
	target := open(t, config(server))
	id := stored(t, target, draft, "a", migrate.Draft)
	for _, change := range []migrate.Change{
		{AddFolder: draft, AddFlags: []migrate.Flag{migrate.Flagged}, RemoveFlags: []migrate.Flag{migrate.Seen}},
		{AddFolder: trash, RemoveFolder: draft, AddFlags: []migrate.Flag{migrate.Flagged}},
	} {
		notes, err := target.Update(t.Context(), change, id)
		if m := sim.Messages(user)[0]; err != nil || !slices.Equal(notes, []string{NoteFlags}) || m.Starred || m.Unread {
			t.Errorf("notes %q, error %v, it is %+v", notes, err, m)
		}
	}
}

func TestManyMessagesAreChangedForFewUnits(t *testing.T) {
	f := newFront(t, gmailsim.Options{})
	target := f.open(t)
	ids := []migrate.MessageID{stored(t, target, inbox, "many")}
	for range 2000 {
		twin, err := f.sim.Double(user, string(ids[0]))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, migrate.MessageID(twin))
	}
	read := migrate.Change{AddFlags: []migrate.Flag{migrate.Seen}}
	for n, want := range map[int]string{0: "map[]", 1: "map[POST modify:1]", 9: "map[POST modify:9]", 10: "map[POST batchModify:1]", 1000: "map[POST batchModify:1]", 2001: "map[POST batchModify:2 POST modify:1]"} {
		f.count(0, false)
		if _, err := target.Update(t.Context(), read, ids[:n]...); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(f.counted()); got != want {
			t.Errorf("%d messages: %s, want %s", n, got, want)
		}
	}
	for _, m := range f.sim.Messages(user) {
		if m.Unread {
			t.Fatal("one was not read")
		}
	}
	f.count(0, false)
	if _, err := target.Update(t.Context(), read, slices.Repeat(ids[:1], 50)...); err != nil || fmt.Sprint(f.counted()) != "map[POST modify:1]" {
		t.Errorf("one message named 50 times: %v, error %v", f.counted(), err)
	}
}

func TestMessagesThatAreGoneAreNoReasonNotToChangeTheOthers(t *testing.T) {
	for _, lost := range []gmailsim.Missing{gmailsim.MissingPassedOver, gmailsim.MissingNotFound, gmailsim.MissingInvalid, gmailsim.MissingStops} {
		for _, missing := range [][]int{{0}, {149}, {7, 8, 99}, {}} {
			f := newFront(t, gmailsim.Options{BatchLost: lost})
			target := f.open(t)
			ids := []migrate.MessageID{stored(t, target, inbox, "some")}
			for range 149 {
				twin, err := f.sim.Double(user, string(ids[0]))
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, migrate.MessageID(twin))
			}
			for _, i := range missing {
				if err := f.sim.Drop(user, string(ids[i])); err != nil {
					t.Fatal(err)
				}
			}
			f.count(0, false)
			change := migrate.Change{AddFlags: []migrate.Flag{migrate.Seen, migrate.Flagged}}
			if _, err := target.Update(t.Context(), change, ids...); err != nil {
				t.Errorf("%d: %v", lost, err)
			}
			for _, m := range f.sim.Messages(user) {
				if m.Unread || !m.Starred {
					t.Errorf("%d: %s was not changed", lost, m.ID)
				}
			}
			if got := f.counted(); got["POST batchModify"]*50+got["POST modify"]*5 > 1500 {
				t.Errorf("%d, %d missing: it took %v", lost, len(missing), got)
			}
			for _, i := range missing {
				if _, err := target.Update(t.Context(), change, ids[i]); !errors.Is(err, migrate.ErrNotFound) {
					t.Errorf("%d: alone it is %v", lost, err)
				}
			}
		}
	}
}

func TestMailThatLeavesSentCostsOneMoreRequest(t *testing.T) {
	f := newFront(t, gmailsim.Options{})
	w := way{before: "SENT"}
	target, ids := w.prepare(t, f, 20)
	f.count(0, false)
	if _, err := target.Update(t.Context(), migrate.Change{AddFolder: one, RemoveFolder: sent}, ids...); err != nil || fmt.Sprint(f.counted()) != "map[POST batchModify:2]" {
		t.Errorf("it took %v, error %v", f.counted(), err)
	}
}

func TestAMessageThatIsGoneIsPassedOverWhereverTheOthersGo(t *testing.T) {
	for _, change := range []migrate.Change{
		{AddFolder: trash, RemoveFolder: one}, {AddFolder: sent, RemoveFolder: one}, {Trash: true}, {AddFolder: two, RemoveFolder: draft},
	} {
		f := newFront(t, gmailsim.Options{})
		target, ids := way{before: "Label_1"}.prepare(t, f, 3)
		if err := f.sim.Drop(user, string(ids[0])); err != nil {
			t.Fatal(err)
		}
		if _, err := target.Update(t.Context(), change, ids...); err != nil {
			t.Errorf("%+v: %v", change, err)
		}
		for id, labels := range labelsOf(f.sim) {
			if labels == "One" {
				t.Errorf("%+v: %s was not changed", change, id)
			}
		}
		if _, err := target.Update(t.Context(), change, ids[0]); !errors.Is(err, migrate.ErrNotFound) {
			t.Errorf("%+v alone: %v", change, err)
		}
	}
}

// Each message of a batch that Gmail refuses for another reason would be
// refused as well.
func TestABatchThatIsRefusedIsNotSentOneByOne(t *testing.T) {
	var mu sync.Mutex
	requests := 0
	_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/profile") {
			fmt.Fprint(w, `{"historyId":"1"}`)
			return
		}
		mu.Lock()
		requests++
		mu.Unlock()
		w.WriteHeader(400)
		fmt.Fprint(w, envelope(400, "invalidArgument", "Request contains an invalid argument."))
	})
	var ids []migrate.MessageID
	for i := range 1000 {
		ids = append(ids, migrate.MessageID(fmt.Sprintf("%016x", i)))
	}
	_, err := open(t, config(server)).Update(t.Context(), migrate.Change{AddFlags: []migrate.Flag{migrate.Seen}}, ids...)
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Permanent || requests > 10 {
		t.Errorf("after %d requests: %v", requests, err)
	}
}

func TestALabelThatAPersonDeletedIsNoReasonNotToMoveMail(t *testing.T) {
	for name, test := range map[string]struct {
		deleted []string
		change  func(places []migrate.Placement) migrate.Change
		want    string
	}{
		"the one to leave": {[]string{"One"}, func(p []migrate.Placement) migrate.Change {
			return migrate.Change{AddFolder: p[1].ID, RemoveFolder: p[0].ID}
		}, "Two"},
		"the one to leave for the inbox": {[]string{"One"}, func(p []migrate.Placement) migrate.Change {
			return migrate.Change{AddFolder: inbox, RemoveFolder: p[0].ID}
		}, "INBOX"},
		"the one to leave for the archive": {[]string{"One"}, func(p []migrate.Placement) migrate.Change {
			return migrate.Change{AddFolder: p[2].ID, RemoveFolder: p[0].ID}
		}, ""},
		"the one to leave for nowhere": {[]string{"One"}, func(p []migrate.Placement) migrate.Change {
			return migrate.Change{RemoveFolder: p[0].ID}
		}, ""},
		"the one to leave for the trash": {[]string{"One"}, func(p []migrate.Placement) migrate.Change {
			return migrate.Change{AddFolder: trash, RemoveFolder: p[0].ID}
		}, "TRASH"},
		"the new one": {[]string{"Two"}, func(p []migrate.Placement) migrate.Change {
			return migrate.Change{AddFolder: p[1].ID, RemoveFolder: p[0].ID}
		}, "Two"},
		"both": {[]string{"One", "Two"}, func(p []migrate.Placement) migrate.Change {
			return migrate.Change{AddFolder: p[1].ID, RemoveFolder: p[0].ID}
		}, "Two"},
		"the one for Sent": {[]string{sentName}, func(p []migrate.Placement) migrate.Change {
			return migrate.Change{AddFolder: p[1].ID, RemoveFolder: sent}
		}, "One Two"},
		"the one for Sent, and it is to be there": {[]string{"One", sentName}, func(p []migrate.Placement) migrate.Change {
			return migrate.Change{AddFolder: sent, RemoveFolder: p[0].ID}
		}, sentName},
	} {
		for _, n := range []int{1, 12} {
			f := newFront(t, gmailsim.Options{SentLeaves: true})
			target := f.open(t)
			places := placed(t, target, append(folders("One", "Two"), migrate.Folder{Path: []string{"Archive"}, Role: migrate.RoleArchive}))
			label, err := target.sentLabel(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var ids []migrate.MessageID
			for i := range n {
				ids = append(ids, stored(t, target, places[0].ID, fmt.Sprint("left-", i)))
			}
			for _, name := range test.deleted {
				deleteLabels(t, target, map[string]migrate.FolderID{"One": places[0].ID, "Two": places[1].ID, sentName: label}[name])
			}
			for range 2 {
				if _, err := target.Update(t.Context(), test.change(places), ids...); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				for _, id := range ids {
					if got := labelsOf(f.sim)[id]; got != test.want {
						t.Errorf("%s: it is in %q, want %q", name, got, test.want)
					}
				}
			}
			for made := range labelNames(t, target) {
				if made != "One" && made != "Two" && made != sentName {
					t.Errorf("%s: there is a label %q", name, made)
				}
			}
		}
	}
}

func TestMailLeavesALabelThatWasMadeAgain(t *testing.T) {
	f := newFront(t, gmailsim.Options{})
	target := f.open(t)
	places := placed(t, target, folders("One", "Two"))
	deleteLabels(t, target, places[0].ID)
	id := stored(t, target, places[0].ID, "again")
	if _, err := target.Update(t.Context(), migrate.Change{AddFolder: places[1].ID, RemoveFolder: places[0].ID}, id); err != nil {
		t.Error(err)
	}
	if got := labelsOf(f.sim)[id]; got != "Two" {
		t.Errorf("it is in %q", got)
	}
}

// What Find learnt of a message does not hold when that has moved on.
func TestAMessageThatLeftItsFolderIsNotTakenForOneInDoubt(t *testing.T) {
	_, server := serve(t, gmailsim.Options{NothingAdded: true})
	target := open(t, config(server))
	places := placed(t, target, folders("One", "Two"))
	since, err := target.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	written := targettest.Letter("myself")
	delivered := targettest.Message(append([]byte("Received: from localhost by mail.example.org; Fri, 03 Jul 2009 14:15:17 +0000\r\n"), written.Body.(targettest.Octets)...), written.MessageID)
	moved, err := open(t, config(server)).Append(t.Context(), places[0].ID, delivered)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := target.Find(t.Context(), places[0].ID, written, since); err != nil { // it cannot tell whose that field is
		t.Fatal(err)
	}
	if _, err := target.Update(t.Context(), migrate.Change{AddFolder: places[1].ID, RemoveFolder: places[0].ID}, moved.ID); err != nil {
		t.Fatal(err)
	}
	if found, err := target.Find(t.Context(), places[0].ID, written, since); !errors.Is(err, migrate.ErrNotFound) {
		t.Errorf("found %q, error %v", found.ID, err)
	}
}

func TestUpdatesKeepTheSafeProfile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, profile := range Profiles() {
			quota, err := gmailsim.ParseQuota(profile.Name)
			if err != nil {
				t.Fatal(err)
			}
			limiter := pace.NewLimiter(pace.NewLimiter(nil, profile.Project...), profile.User...)
			sim, target := inside(t, gmailsim.Options{Quota: quota}, Config{Limiter: limiter, Settle: -1})
			ids := []migrate.MessageID{stored(t, target, inbox, "paced")}
			for range 99 {
				twin, err := sim.Double(user, string(ids[0]))
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, migrate.MessageID(twin))
			}
			began := time.Now()
			for range 40 {
				for _, change := range []migrate.Change{{AddFlags: []migrate.Flag{migrate.Seen}}, {RemoveFlags: []migrate.Flag{migrate.Seen}}} {
					if _, err := target.Update(t.Context(), change, ids...); err != nil {
						t.Fatal(profile.Name, err)
					}
					if _, err := target.Update(t.Context(), change, ids[:5]...); err != nil {
						t.Fatal(profile.Name, err)
					}
				}
			}
			if _, err := target.Update(t.Context(), migrate.Change{AddFolder: trash, RemoveFolder: inbox}, ids...); err != nil {
				t.Fatal(profile.Name, err)
			}
			// 80 batches of 50 units, 400 messages of 5, 100 of 25.
			if rate := 8_500 / time.Since(began).Minutes(); rate < 5_400 && profile.Name == "new" {
				t.Errorf("%s: %.0f units a minute", profile.Name, rate)
			}
		}
	})
}
