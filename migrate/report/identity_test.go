package report

import (
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/locale"
)

func TestTheIdentityIsSaidInWords(t *testing.T) {
	moved := tally(1, "a", "", migrate.Copied, 10, migrate.Moved, 2)
	left := tally(1, "a", "", migrate.Copied, 5)
	left.Left = 1
	doubts := tally(1, "a", "", migrate.Copied, 5, migrate.Failed, 2)
	doubts.Doubts = 2
	for _, c := range []struct {
		tally   migrate.Tally
		unfound int64
		target  string
		first   string
		further string
	}{
		{tally: migrate.Tally{}, first: "There were no messages in the old system."},
		{tally: tally(1, "a", "", migrate.Copied, 1), first: "One message was in the old system; it is in the new one."},
		{tally: tally(1, "a", "", migrate.Copied, 52_000, migrate.Adopted, 10), first: "52,010 messages were in the old system; all of them are in the new one."},
		{tally: tally(1, "a", "", migrate.Copied, 52_297, migrate.Failed, 13),
			first: "52,310 messages were in the old system; 52,297 are in the new one; 13 are not, and each is listed with the reason and what you can do."},
		{tally: tally(1, "a", "", migrate.Copied, 1, migrate.Failed, 1),
			first: "2 messages were in the old system; one is in the new one; one is not, and it is listed with the reason and what you can do."},
		{tally: tally(1, "a", "", migrate.Copied, 90, migrate.Failed, 1, migrate.Excluded, 2, migrate.Gone, 3, migrate.Removed, 4, migrate.Pending, 5),
			first: "105 messages were in the old system; 90 are in the new one; 15 are not. One could not be copied. It is listed with the reason and what you can do. " +
				"2 were left out on purpose. The section “Left out on purpose” names the rules. " +
				"3 were deleted in the old system, or moved away there, before they could be copied. " +
				"4 were deleted in the old system after they had been copied. Their copies are in the trash of the new one. " +
				"5 are still to be copied: the migration is not finished."},
		{tally: tally(1, "a", "", migrate.Pending, 7), first: "7 messages were in the old system; 0 are in the new one; 7 are not. 7 are still to be copied: the migration is not finished."},
		{tally: tally(1, "a", "", migrate.Copied, 10), unfound: 3,
			first: "10 messages were in the old system; 10 arrived in the new one. Of those that arrived, 3 were not found later, or were found in the trash. Each is listed under “Differences”."},
		{tally: tally(1, "a", "", migrate.Copied, 10, migrate.Failed, 2), unfound: 1,
			first: "12 messages were in the old system; 10 arrived in the new one; 2 did not, and each is listed with the reason and what you can do. " +
				"Of those that arrived, one was not found later, or was found in the trash. It is listed under “Differences”."},
		{tally: moved, first: "10 messages were in the old system; all of them are in the new one. " +
			"2 messages were moved from folder to folder in the old system meanwhile. They count once here, and twice under “listed”."},
		{tally: doubts, first: "7 messages were in the old system; 5 are in the new one; 2 are not, and each is listed with the reason and what you can do. " +
			"Of 2 that count as not copied it is not certain: they may be in the new system. That is said where they are listed."},
		{tally: left, first: "5 messages were in the old system; all of them are in the new one.",
			further: "Of those in the new system, one was deleted in the old one after it had been copied."},
		{tally: tally(1, "a", "", migrate.Copied, 5, migrate.Merged, 2), first: "7 messages were in the old system; all of them are in the new one.",
			further: "2 are further copies of a message in another folder. Google Workspace keeps such a message once and shows it under each label, so its own count is lower by as many."},
		{tally: tally(1, "a", "", migrate.Copied, 5, migrate.Merged, 2), target: "graph", first: "7 messages were in the old system; all of them are in the new one."},
	} {
		r := &report{Migration: Migration{Cover: document.Cover{Target: "gmail"}}, words: spoken(t, "en")}
		if c.target != "" {
			r.Target = c.target
		}
		first, further := r.identity(c.tally, c.unfound)
		if got := strings.Join(first, " "); got != c.first {
			t.Errorf("%v\n got %s\nwant %s", c.tally.Count, got, c.first)
		}
		if got := strings.Join(further, " "); got != c.further {
			t.Errorf("%v, further\n got %s\nwant %s", c.tally.Count, got, c.further)
		}
	}
}

func spoken(t testing.TB, tag string) words {
	l, err := locale.New(tag)
	if err != nil {
		t.Fatal(err)
	}
	w, err := newWords(l)
	if err != nil {
		t.Fatal(err)
	}
	return w
}
