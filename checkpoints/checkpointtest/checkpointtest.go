// Package checkpointtest holds what every implementation of
// [migrate.Checkpoints], [verify.Ledger], [report.Ledger],
// [proof.Ledger] and [proof.Log] must do, as tests: each sentence of
// the interfaces' comments, on every kind of value that mail brings. It cannot
// pull the plug; an implementation tests for itself that what was saved
// survives that.
package checkpointtest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/proof"
	"github.com/mailhaul/mailhaul/migrate/report"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

// Checkpoints are what is tested.
type Checkpoints interface {
	migrate.Checkpoints

	// Verifications is Mailbox for verification.
	Verifications(ctx context.Context, source, target string) (verify.Ledger, error)

	// Reports is Mailbox for reports.
	Reports(ctx context.Context, source, target string) (report.Ledger, error)

	// Proofs is Mailbox for the log.
	Proofs(ctx context.Context, source, target string) (proof.Ledger, error)

	Log() proof.Log
}

// An Open returns checkpoints that are empty, and a function that closes them
// and opens anew what they saved. It sees to it that they are closed when the
// test ends.
type Open func(t *testing.T) (c Checkpoints, reopen func() Checkpoints)

// Test tests the implementation that open opens.
func Test(t *testing.T, open Open) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Open)
	}{
		{"a pair of mailboxes has one memory", pairHasOneMemory},
		{"other pairs have other memories", pairsAreApart},
		{"the state of a mailbox is as it was saved last", stateIsAsSaved},
		{"a folder is as it was saved last", folderIsAsSaved},
		{"a folder is known by path, UIDVALIDITY and epoch", folderIsKnownByPathAndUIDValidity},
		{"a folder that is known by its ID may get another path", folderIsRenamed},
		{"any path is kept octet for octet", anyPathIsKept},
		{"folders come oldest first", foldersComeOldestFirst},
		{"saving a folder leaves the count of listed messages alone", savingFolderKeepsListed},
		{"a record is as it was saved last", recordIsAsSaved},
		{"any target ids are kept octet for octet", anyTargetIDIsKept},
		{"records come in ascending order within bounds", recordsComeInOrder},
		{"records may be saved while they are read", recordsMayBeSavedWhileRead},
		{"a record that exists is not added", existingRecordIsNotAdded},
		{"a record that does not exist is not saved", missingRecordIsNotSaved},
		{"a record of another mailbox is out of reach", foreignRecordIsOutOfReach},
		{"goroutines save side by side and fail alone", goroutinesSaveSideBySide},
		{"equal content is found where it arrived", equalContentIsFound},
		{"equal content in doubt is found", equalContentInDoubtIsFound},
		{"all equal content is found, what has vanished first", allEqualContentIsFound},
		{"equal content that leaves doubt is found all the while", equalContentDoesNotSlipThrough},
		{"equal content is not found in another mailbox", equalContentStaysInMailbox},
		{"messages that were not read are not equal", unreadMessagesAreNotEqual},
		{"a tally counts messages and octets by outcome", tallyCounts},
		{"a tally covers the mailboxes that were named", tallyCoversNamed},
		{"a tally adds up while messages are added and saved", tallyAddsUpMeanwhile},
		{"a verification is as it was saved last", verificationIsAsSaved},
		{"a finding is as it was saved", findingIsAsSaved},
		{"a verification replaces the one before", verificationReplacesTheOneBefore},
		{"findings come in the order in which they were saved", findingsComeInOrder},
		{"what was counted is saved with its findings or not at all", refusedFolderSavesNoFinding},
		{"verifications of mailboxes are apart", verificationsAreApart},
		{"a record says when it came to its outcome", recordSaysWhenItSettled},
		{"heads are kept of notable records alone", headsAreOfNotableRecords},
		{"notable records come by folder and UID", notableRecordsComeInOrder},
		{"every pass is kept as it was saved last", passesAreKept},
		{"what was left out is counted by its rule", excludedAreCountedByRule},
		{"what was copied is counted by the hour", copiesAreCountedByTheHour},
		{"replicas are as they were saved last", replicasAreAsSaved},
		{"a replica counts until its message comes to another outcome", replicasAreOfThisOutcome},
		{"the log has its entries in their order", logKeepsOrder},
		{"the log knows the latest entry of each message", logKnowsLatest},
		{"the log has one secret", logHasOneSecret},
		{"the log has its heads in their order", logKeepsHeads},
		{"goroutines append to one log", goroutinesAppend},
		{"a cancelled context is an error", cancelledContextIsError},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open) })
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// same compares by value.
func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %.500q\nwant %.500q", what, fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want))
	}
}

// sameRecords compares records one by one. Each has Settled unless it is
// pending, whatever want has.
func sameRecords(t *testing.T, what string, got, want []migrate.Record) {
	t.Helper()
	same(t, what+", how many", len(got), len(want))
	for i := range min(len(got), len(want)) {
		g, w := got[i], want[i]
		if g.Settled.IsZero() != (g.Outcome == migrate.Pending) {
			t.Errorf("%s, number %d: %v was settled at %v", what, i, g.Outcome, g.Settled)
		}
		g.Settled, w.Settled = time.Time{}, time.Time{}
		same(t, fmt.Sprintf("%s, number %d", what, i), g, w)
	}
}

// mailbox returns the memory of a pair.
func mailbox(t *testing.T, c migrate.Checkpoints, source string) migrate.Ledger {
	t.Helper()
	l, err := c.Mailbox(t.Context(), source, "new-"+source)
	must(t, err)
	return l
}

// folder saves a folder with one part in its path and returns its id.
func folder(t *testing.T, l migrate.Ledger, name string) int64 {
	t.Helper()
	s := migrate.FolderState{Folder: migrate.Folder{Path: []string{name}, UIDValidity: 1}}
	must(t, l.SaveFolder(t.Context(), &s))
	return s.ID
}

// records returns all records of a folder.
func records(t *testing.T, l migrate.Ledger, folder int64) (rs []migrate.Record) {
	t.Helper()
	for r, err := range l.Records(t.Context(), folder, 0, 1<<32-1) {
		must(t, err)
		rs = append(rs, r)
	}
	return rs
}

// pending returns records of a folder as they are when they are listed.
func pending(folder int64, uids ...migrate.UID) (rs []migrate.Record) {
	for _, uid := range uids {
		rs = append(rs, migrate.Record{Folder: folder, UID: uid, Size: 1000 + int64(uid)})
	}
	return rs
}

// tally returns the tally of one folder.
func tally(t *testing.T, c migrate.Checkpoints, source, folder string) migrate.Tally {
	t.Helper()
	ts, err := c.Tally(t.Context(), source)
	must(t, err)
	i := slices.IndexFunc(ts, func(t migrate.Tally) bool { return slices.Equal(t.Folder.Path, []string{folder}) })
	if i < 0 {
		t.Fatalf("no tally of folder %s of %s in %+v", folder, source, ts)
	}
	return ts[i]
}

func digest(s string) migrate.Digest { return sha256.Sum256([]byte(s)) }

func wantError(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
	}
}
