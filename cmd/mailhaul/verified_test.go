package main

import (
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

func TestAVerificationClosesFolderByFolder(t *testing.T) {
	tally := func(folder string, copied, merged, failed int64) migrate.Tally {
		return migrate.Tally{ID: int64(folder[0]), Mailbox: "ann@example.com", Folder: migrate.Folder{Path: []string{folder}, UIDValidity: 7}, Listed: copied + merged + failed,
			Count: [migrate.Outcomes]int64{migrate.Copied: copied, migrate.Merged: merged, migrate.Failed: failed}}
	}
	folder := func(name string, arrived, present int64, found map[migrate.Kind]int64) folderVerification {
		return folderVerification{Path: []string{name}, UIDValidity: 7, Counts: comparison{Arrived: arrived, Present: present, Found: found}, id: int64(name[0])}
	}
	ended := time.Unix(1, 0)
	for _, test := range []struct {
		what    string
		v       verification
		tallies []migrate.Tally
		want    string
	}{
		{"all is there", verification{Ended: ended, Folders: []folderVerification{folder("INBOX", 5, 5, map[migrate.Kind]int64{migrate.KindExtra: 9, migrate.KindDoubled: 9})}},
			[]migrate.Tally{tally("INBOX", 3, 2, 9), tally("Empty", 0, 0, 4)}, ""},
		{"each absent one is found", verification{Ended: ended, Folders: []folderVerification{folder("INBOX", 9, 3, map[migrate.Kind]int64{
			migrate.KindMissing: 1, migrate.KindDeleted: 2, migrate.KindMisplaced: 3})}},
			[]migrate.Tally{tally("INBOX", 9, 0, 0)}, ""},
		{"one is nowhere", verification{Ended: ended, Folders: []folderVerification{folder("INBOX", 1, 1, nil), folder("Sent", 9, 3, map[migrate.Kind]int64{
			migrate.KindMissing: 1, migrate.KindDeleted: 2, migrate.KindMisplaced: 2})}},
			[]migrate.Tally{tally("INBOX", 1, 0, 0), tally("Sent", 9, 0, 0)},
			"ann@example.com, folder Sent: 9 messages arrived, but 3 are present, 1 missing, 2 deleted and 2 misplaced"},
		{"one is too many", verification{Ended: ended, Folders: []folderVerification{folder("INBOX", 1, 1, map[migrate.Kind]int64{migrate.KindMissing: 1})}},
			[]migrate.Tally{tally("INBOX", 1, 0, 0)},
			"ann@example.com, folder INBOX: 1 messages arrived, but 1 are present, 1 missing, 0 deleted and 0 misplaced"},
		{"fewer than arrived", verification{Ended: ended, Folders: []folderVerification{folder("INBOX", 4, 4, nil)}},
			[]migrate.Tally{tally("INBOX", 5, 0, 0)}, "ann@example.com, folder INBOX: 5 messages arrived by their records, but 4 were compared"},
		{"a folder was left out", verification{Ended: ended}, []migrate.Tally{tally("INBOX", 5, 0, 0)},
			"ann@example.com, folder INBOX: 5 messages arrived by their records, but 0 were compared"},
		{"a folder that was made anew is another", verification{Ended: ended, Folders: []folderVerification{{Path: []string{"INBOX"}, UIDValidity: 8, Counts: comparison{Arrived: 5, Present: 5}, id: 8}}},
			[]migrate.Tally{tally("INBOX", 5, 0, 0)}, "ann@example.com, folder INBOX: 5 messages arrived by their records, but 0 were compared"},
		{"the records do not add up", verification{Ended: ended}, []migrate.Tally{{Mailbox: "ann@example.com", Folder: migrate.Folder{Path: []string{"INBOX"}}, Listed: 1}},
			"ann@example.com, folder INBOX: 1 messages were listed, but the outcomes add up to 0"},
		{"it was stopped", verification{}, []migrate.Tally{tally("INBOX", 5, 0, 0)}, ""},
	} {
		got := ""
		if err := test.v.check(test.tallies); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.what, got, test.want)
		}
	}
}

func TestADifferenceControlsNoTerminal(t *testing.T) {
	d := difference{Folder: []string{"IN\x1b[2JBOX", "a"}, UID: 7, Date: time.Date(2019, 8, 7, 6, 5, 4, 0, time.UTC),
		From: "a\r\nb", MessageID: "<\x00@x>", Detail: "is in \u202eSent"}
	if got, want := d.String(), `IN\x1b[2JBOX / a, UID 7, 2019-08-07 06:05, a\r\nb, <\x00@x>, is in \u202eSent`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
