package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/mailhaul/mailhaul/migrate/plan/assess"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
	"github.com/mailhaul/mailhaul/targets/gmail"
	"github.com/mailhaul/mailhaul/targets/graph"
)

// foreseen makes a plan, and returns how severe each of its risks is and what it
// touches.
func foreseen(t *testing.T, config string, args ...string) map[string]string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "plan")
	code, _, stderr := planned(t.Context(), append(args, "--config", config, "--out", out, "--verify", "none")...)
	if code != exitDone {
		t.Fatalf("exit status %d: %s", code, stderr)
	}
	var p struct {
		Risks []struct {
			Risk, Severity               string
			Mailboxes, Folders, Messages int64
		}
	}
	data, err := os.ReadFile(filepath.Join(out, planJSON))
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, r := range p.Risks {
		all[r.Risk] = fmt.Sprintf("%s: mailboxes %d, folders %d, messages %d", r.Severity, r.Mailboxes, r.Folders, r.Messages)
	}
	return all
}

func TestThePlanForeseesTroubleWithMailAndFolders(t *testing.T) {
	o := newOffice(t)
	ann := o.person(t, "ann")
	deep := strings.Repeat("d/", 300) + "d"
	for _, folder := range []string{"Work", "work", "Chats", " lead", "Trash", "Drafts", deep} {
		if err := ann.Create(folder, nil); err != nil {
			t.Fatal(err)
		}
	}
	const from, date = "From: ann@example.com\n", "Date: Fri, 03 Jul 2009 14:15:16 +0000\n"
	store := func(folder, id, text string, flags ...imap.Flag) {
		put(t, ann, folder, strings.ReplaceAll("Message-ID: <"+id+"@example.com>\n"+text, "\n", "\r\n"), flags...)
	}
	part := "Content-Type: multipart/%s; boundary=b\n\n--b\n\ntext\n--b\n%s\n\nx\n--b--\n"
	store("INBOX", "1", date+"\nno sender\n")
	store("INBOX", "2", from+"\nno date\n")
	store("INBOX", "3", from+"Date: someday\n\nno date that can be read\n")
	store("INBOX", "4", from+date+fmt.Sprintf(part, "mixed", "Content-Disposition: attachment; filename=setup.exe"))
	store("INBOX", "5", from+date+fmt.Sprintf(part, "signed", "Content-Type: application/pgp-signature"))
	store("INBOX", "6", from+date+"\na line of "+strings.Repeat("very ", 300)+"many octets\n")
	store("INBOX", "7", from+date+"\nthere twice\n", "Project", imap.FlagDeleted)
	store("Sent", "7", from+date+"\nthere twice\n")
	store("Trash", "8", from+date+"\nthrown away\n")
	store("Drafts", "9", from+date+"\n"+strings.Repeat("This line is one of a million.\n", gmail.MaxDraftSize/31))
	store("Sent", "10", from+date+fmt.Sprintf(part, "encrypted", "Content-Type: application/pgp-encrypted")+strings.Repeat("x", graph.MaxImportSize))
	old := from + date + "\r\nof 1899\r\n"
	if _, err := ann.Append("INBOX", literal{bytes.NewReader([]byte(old))}, &imap.AppendOptions{Time: time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)}); err != nil {
		t.Fatal(err)
	}

	message, folder := "mailboxes 1, folders 0, messages 1", "mailboxes 1, folders 1, messages 0"
	both := map[string]string{"no-from": "serious: " + message, "no-date": "minor: mailboxes 1, folders 0, messages 2", "sealed": "minor: mailboxes 1, folders 0, messages 2", "malformed": "minor: " + message,
		"flagged-deleted": "minor: " + message, "no-arrival": "minor: " + message, "folder-collision": "minor: " + folder}
	for kind, own := range map[string]map[string]string{
		"gmail": {"blocked-attachment": "serious: " + message, "merged": "minor: " + message, "keywords": "minor: " + message,
			"trash-expires": "serious: mailboxes 1, folders 1, messages 1", "draft-too-large": "severe: " + message,
			"folder-reserved": "minor: " + folder, "folder-renamed": "minor: mailboxes 1, folders 189, messages 0"},
		"graph": {"doubled": "minor: " + message, "message-large": "serious: " + message, "sealed-too-large": "severe: " + message,
			"folder-depth": "severe: " + folder, "folder-renamed": "minor: " + folder},
	} {
		want := maps.Clone(both)
		maps.Copy(want, own)
		if got := foreseen(t, o.migration(t, kind, "http://127.0.0.1:1", "", `deleted = "copy"`, "ann")); !maps.Equal(got, want) {
			t.Errorf("%s: it foresees\n%v, want\n%v", kind, got, want)
		}
	}
}

func TestThePlanKnowsWhatEachTargetTakes(t *testing.T) {
	for _, c := range []struct {
		kind                    string
		largest, folder, octets int64 // of the largest message, in the fullest folder, in the mailbox
		foresee                 string
	}{
		{"gmail", 157_286_400, 5_000_000, 1e12, "[]"},
		{"gmail", 157_286_401, 1, 0, "[message-too-large]"},
		{"graph", 35_000_000, 1_000_000, 50e9, "[]"},
		{"graph", 35_000_001, 1, 0, "[message-large]"},
		{"graph", 157_286_401, 1, 0, "[message-too-large]"},
		{"graph", 1, 1_000_001, 0, "[folder-full]"},
		{"graph", 1, 1, 50e9 + 1, "[mailbox-full]"},
	} {
		target, bounds := planTarget(c.kind)
		most := int64(math.MaxInt64) // of the class of the largest message
		for _, b := range bounds {
			if c.largest <= b {
				most = min(most, b)
			}
		}
		a := &assess.Assessment{Depth: assess.Listed, Folders: []assess.Folder{{Path: []string{"INBOX"}, Messages: c.folder}},
			Sizes: []assess.Class{{Most: most, Tally: assess.Tally{Messages: 1, Bytes: c.octets}}}}
		var keys []string
		for _, r := range assess.Risks([]*assess.Assessment{a}, target) {
			keys = append(keys, r.Key)
		}
		if got := fmt.Sprint(keys); got != c.foresee {
			t.Errorf("%+v: it foresees %s", c, got)
		}
	}
}

func TestThePlanForeseesWhatGraphWouldHaveToRebuild(t *testing.T) {
	o := newOffice(t)
	put(t, o.person(t, "ann"), "INBOX", "Content-Type: application/pkcs7-mime; name=smime.p7m\r\n"+letter("ann", 1, ""))
	put(t, o.person(t, "bob"), "INBOX", letter("bob", 1, "-----BEGIN PGP MESSAGE-----\r\n"))
	for _, route := range []string{"json", "auto", "importmime", "json\"\nprotected = \"attach"} {
		config := o.migration(t, "graph", "http://127.0.0.1:1", "", "", "ann", "bob")
		edit(t, config, `route = "auto"`, `route = "`+route+`"`)
		want := map[string]string{"json": "severe: mailboxes 1, folders 0, messages 1"}[route]
		if got := foreseen(t, config)["sealed-too-large"]; got != want {
			t.Errorf("%s: it foresees %q, want %q", route, got, want)
		}
	}
}

func TestThePlanForeseesAMailboxWithoutMail(t *testing.T) {
	o := newOffice(t, "ann")
	o.person(t, "bob")
	for _, depth := range []string{"", "--fast"} {
		got := foreseen(t, o.migration(t, "graph", "http://127.0.0.1:1", "", "", "ann", "bob"), strings.Fields(depth)...)
		if want := "map[mailbox-empty:serious: mailboxes 1, folders 0, messages 0]"; fmt.Sprint(got) != want {
			t.Errorf("it foresees %v, want %v", got, want)
		}
	}
}

func TestThePlanForeseesAClockThatIsWrong(t *testing.T) {
	o := newOffice(t, "ann")
	url := serveTest(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
	}), nil)
	if got := fmt.Sprint(foreseen(t, o.migration(t, "gmail", url, "", "", "ann"))); got != "map[clock-skew:serious: mailboxes 0, folders 0, messages 0]" {
		t.Errorf("it foresees %s", got)
	}
}

func TestThePlanForeseesTooManyFolders(t *testing.T) {
	for _, kind := range []string{"gmail", "graph"} {
		o := newOffice(t)
		ann := o.person(t, "ann") // who has two folders
		put(t, ann, "INBOX", letter("ann", 1, ""))
		for i := range 9_999 {
			if err := ann.Create(fmt.Sprint("Case ", i), nil); err != nil {
				t.Fatal(err)
			}
		}
		if got := fmt.Sprint(foreseen(t, o.migration(t, kind, "http://127.0.0.1:1", "", "", "ann"), "--fast")); got != "map[folder-count:severe: mailboxes 1, folders 1, messages 0]" {
			t.Errorf("%s: it foresees %s", kind, got)
		}
	}
}

func TestThePlanForeseesWhatDovecotRefuses(t *testing.T) {
	srv := sourcetest.Dovecot(t, sourcetest.Options{Config: sourcetest.Quota("storage=20K")})
	for _, user := range []string{"ann", "bob"} {
		srv.Deliver(user+"@example.com", []string{"INBOX"}, []byte(letter(user, 1, strings.Repeat("one of many lines\n", map[string]int{"ann": 1000, "bob": 1}[user]))), nil, time.Unix(1e9, 0))
	}
	damaged := []string{"Damaged"}
	srv.Deliver("bob@example.com", damaged, []byte(letter("bob", 2, "")), nil, time.Unix(1e9, 0))
	if err := os.Chmod(filepath.Dir(srv.Files("bob@example.com", damaged)[0]), 0); err != nil {
		t.Fatal(err)
	}
	got := foreseen(t, madeUp(t, "gmail", &sourcetest.Generated{Host: srv.Host, Port: srv.Port}, "ann", "bob"))
	want := map[string]string{"folder-unread": "severe: mailboxes 1, folders 1, messages 0", "source-full": "serious: mailboxes 1, folders 0, messages 0"}
	if !maps.Equal(got, want) {
		t.Errorf("it foresees %v, want %v", got, want)
	}
}
