package main

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
)

func TestARunFromVerifyCopiesWhatIsMissingAndNothingElse(t *testing.T) {
	t.Parallel()
	vaults(t, func(t *testing.T, v *vault) {
		_, config := hurt(t, v)
		heal := []string{"run", "--config", config, "--from-verify"}
		ends(t, exitError, heal, "none of these mailboxes was verified", `Run "mailhaul verify" first.`)
		ends(t, exitPerson, []string{"verify", "--config", config, "--depth", "content"})
		before := recorded(t, config, "bob", "INBOX")
		held := v.held("bob@example.org")
		ends(t, exitDone, heal, "bob@example.com: 1 message is missing at the target")
		if n := v.held("bob@example.org") - held; n != 1 {
			t.Errorf("%d messages were written", n)
		}
		for uid, r := range recorded(t, config, "bob", "INBOX") {
			was := before[uid]
			if changed := r.Target != was.Target; changed != (uid == 1) || r.Outcome != migrate.Copied {
				t.Errorf("message %d was %+v and is %+v", uid, was, r)
			}
		}
		ends(t, exitPerson, []string{"status", "--config", config}, "content: 7 differences, a pass since")
		ends(t, exitDone, heal, "The latest verification found nothing missing.")
		text := ends(t, exitPerson, []string{"verify", "--config", config, "--depth", "content"}, "compared; 6 differences need a person", "deleted:", "misplaced:",
			"1 message came to the source since the last run")
		if strings.Contains(text, "missing:") || strings.Contains(text, "--from-verify") {
			t.Errorf("something is missing still:\n%s", text)
		}
		ends(t, exitDone, heal, "The latest verification found nothing missing.")
	})
}

// One message at Gmail may stand for several of the source.
func TestARunFromVerifyCopiesAMessageOfTwoFoldersOnce(t *testing.T) {
	t.Parallel()
	v := gmailVault(t)
	o := newOffice(t)
	bob := o.person(t, "bob")
	put(t, bob, "INBOX", letter("bob", 1, ""))
	put(t, bob, "Sent", letter("bob", 1, ""))
	config := o.migration(t, v.kind, v.url, "", "", "bob")
	ends(t, exitDone, []string{"run", "--config", config})
	if err := v.drop("bob@example.org", string(recorded(t, config, "bob", "Sent")[1].Target)); err != nil {
		t.Fatal(err)
	}
	ends(t, exitPerson, []string{"verify", "--config", config, "--depth", "counts"}, "compared; 2 differences need a person")
	ends(t, exitDone, []string{"run", "--config", config, "--from-verify"}, "2 messages are missing at the target")
	inbox, sent := recorded(t, config, "bob", "INBOX")[1], recorded(t, config, "bob", "Sent")[1]
	first, second := min(inbox.Outcome, sent.Outcome), max(inbox.Outcome, sent.Outcome) // either may be written first
	if inbox.Target != sent.Target || first != migrate.Copied || second != migrate.Merged {
		t.Errorf("%+v\n%+v", inbox, sent)
	}
	ends(t, exitDone, []string{"verify", "--config", config, "--depth", "content"}, "1 more in other folders are the same messages")
}

func TestOnlyWhatIsMissingStillIsMadePending(t *testing.T) {
	store, err := sqlite.Open(filepath.Join(t.TempDir(), "mailhaul.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	memory, err := store.Mailbox(t.Context(), "ann@example.com", "ann@example.org")
	if err != nil {
		t.Fatal(err)
	}
	verifications, err := store.Verifications(t.Context(), "ann@example.com", "ann@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if err := verifications.BeginVerification(t.Context(), migrate.Verification{Started: time.Unix(1, 0)}); err != nil {
		t.Fatal(err)
	}
	const many = 2*loseBatch + 7
	var inbox, sent migrate.FolderState
	inbox.Folder = migrate.Folder{Path: []string{"INBOX"}, UIDValidity: 1}
	sent.Folder = migrate.Folder{Path: []string{"Sent"}, UIDValidity: 1}
	before := map[migrate.UID]migrate.Record{}
	for _, f := range []*migrate.FolderState{&inbox, &sent} {
		if err := memory.SaveFolder(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		var records []migrate.Record
		var found []migrate.Finding
		for uid := migrate.UID(1); uid <= many; uid++ {
			r := migrate.Record{Folder: f.ID, UID: uid, Outcome: []migrate.Outcome{migrate.Copied, migrate.Adopted, migrate.Merged}[uid%3],
				Target: "was", Digest: migrate.Digest{1}, Size: 7, Notes: []string{"flag-dropped"}}
			kind := migrate.KindMissing
			switch uid % 10 {
			case 0:
				kind = migrate.KindMisplaced
			case 1:
				r.Target = "is" // it was copied again
			case 2:
				r.Outcome = migrate.Failed // it is lost at the source too
			case 3:
				r.Outcome, r.Notes, r.Doubt = migrate.Pending, nil, true // a run from this verification was killed
			}
			records = append(records, r)
			if uid%10 != 4 {
				found = append(found, migrate.Finding{Kind: kind, Folder: f.ID, UID: uid, Target: "was"})
			}
			before[uid] = r
		}
		if err := memory.AddListed(t.Context(), records...); err != nil {
			t.Fatal(err)
		}
		if err := verifications.SaveVerified(t.Context(), migrate.FolderVerification{Folder: f.ID}, nil, found...); err != nil {
			t.Fatal(err)
		}
	}

	want := int64(0)
	for uid := range before {
		if uid%10 == 3 || uid%10 > 4 {
			want += 2
		}
	}
	for range 2 { // as often as one likes
		if n, err := lose(t.Context(), memory, verifications); n != want || err != nil {
			t.Errorf("%d messages are to be copied again, want %d; error %v", n, want, err)
		}
	}
	for _, f := range []migrate.FolderState{inbox, sent} {
		for r, err := range memory.Records(t.Context(), f.ID, 1, many) {
			if err != nil {
				t.Fatal(err)
			}
			want := before[r.UID]
			want.Folder = f.ID
			if r.UID%10 > 4 {
				want.Outcome, want.Notes = migrate.Pending, nil
			}
			if r.Settled.IsZero() != (r.Outcome == migrate.Pending) {
				t.Errorf("%+v: the time", r)
			}
			if r.Settled = (time.Time{}); !reflect.DeepEqual(r, want) {
				t.Fatalf("%+v, want %+v", r, want)
			}
		}
	}
}
