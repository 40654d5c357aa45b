package report

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/privacy"
)

func TestAUserReadsHowItStands(t *testing.T) {
	for i, want := range [][]string{
		{"Your mail has moved", "good: 43,115 messages are in your new mailbox in Google Workspace. That is all that was to move.", "deleting it deletes it under all of them"},
		{"Your mail has moved", "good: 9,000 messages", "11 messages were left behind on purpose", "4 messages that you deleted or moved away", "3 messages that you deleted in the old mailbox lately"},
		{"Your mail has moved", "neutral: 95 messages", "Please look at the list below", "2 messages that you deleted or moved away", "Plans of the house in Hauptstraße 12", "It is larger than the new system accepts.",
			"Lunch?", "It was copied, and is not in the new system any more."},
		{"Your mail is moving", "warn: 0 messages", "not finished yet"},
	} {
		text := dump(t, userPage(t, sample(t, "en"), i))
		for _, s := range want {
			if !strings.Contains(text, s) {
				t.Errorf("page %d does not say %q:\n%s", i, s, text)
			}
		}
		for _, s := range []string{"***", "# Messages to look at", "# Folders with another name", "# What looks different"} {
			has := map[string][]int{"# Messages to look at": {2}, "# Folders with another name": {0}, "# What looks different": {0}}[s]
			if strings.Contains(text, s) != slices.Contains(has, i) {
				t.Errorf("page %d has %q: %v", i, s, strings.Contains(text, s))
			}
		}
	}
}

func TestAPendingMessageIsStillToCome(t *testing.T) {
	m := sample(t, "en")
	m.Mailboxes[1].Tallies = append(m.Mailboxes[1].Tallies, tally(9, "Late", "", migrate.Pending, 2))
	m.Mailboxes[1].Ledger.(*memory).verification.Folders = append(m.Mailboxes[1].Ledger.(*memory).verification.Folders, migrate.FolderVerification{Folder: 9})
	if text := dump(t, userPage(t, m, 1)); !strings.Contains(text, "2 messages are still to come.") || !strings.Contains(text, "Your mail is moving") {
		t.Error(text)
	}
}

// All that a user may read, in both languages, is free of what only technicians know.
func TestAUserReadsNoTechnicalWords(t *testing.T) {
	technical := regexp.MustCompile(`\b(IMAP|UID|MIME|API|JSON|HTTP|SMTP|Message-ID|octets?|Oktett|bytes?|metadata|header|import|digest|hash|charset|flags?)\b`)
	for _, tag := range []string{"en", "de"} {
		m := sample(t, tag)
		box := &m.Mailboxes[2]
		l := box.Ledger.(*memory)
		var all []string
		for _, d := range seen {
			all = append(all, d.notes...)
		}
		l.notable = append(l.notable[:0], migrate.Record{Folder: 6, Outcome: migrate.Copied, Notes: all})
		var n int64
		for _, s := range failures {
			l.notable = append(l.notable, migrate.Record{Folder: 6, Outcome: migrate.Failed, Hint: s.said, Reason: s.said})
			n++
		}
		box.Tallies[0].Listed += n - 3
		box.Tallies[0].Count[migrate.Failed] = n
		for _, k := range kinds {
			l.findings = append(l.findings, migrate.Finding{Kind: k, Folder: 6})
		}
		l.verification.Folders[0].Present -= 3
		box.Tallies[0].Left = 1
		text := strings.ReplaceAll(dump(t, userPage(t, m, 2)), "table ", "")
		body := regexp.MustCompile(`(?m)^(\d+ )?[a-z_]+: "?|\([a-z]+\)$|^mailhaul.*$`).ReplaceAllString(text, "")
		if found := technical.FindAllString(body, -1); found != nil {
			t.Errorf("%s: the page says %q", tag, found)
		}
		if got := strings.Count(text, "reason: "); got != int(n)+len(kinds)-1+2 {
			t.Errorf("%s: %d reasons", tag, got)
		}
	}
}

func TestARouteThatTookTheRestCounts(t *testing.T) {
	m := sample(t, "en")
	m.Target, m.Routes, m.Privacy = "graph", []Route{Import}, privacy.Policy{}
	_, rows := table(t, made(t, m), "losses")
	if len(rows) != 3 {
		t.Errorf("by importmime: %v", rows)
	}
	for _, note := range []string{"too-large-to-import", "import-refused"} {
		m.Mailboxes[0].Ledger.(*memory).notable[0].Notes = []string{note}
		d := made(t, m)
		if _, rows = table(t, d, "losses"); len(rows) != 5 {
			t.Errorf("with %s: %v", note, rows)
		}
		_, changes := table(t, d, "changes")
		if len(changes) != 1 || changes[0][0] != note || changes[0][2] != int64(1) {
			t.Errorf("changes: %v", changes)
		}
	}
	m.Routes = []Route{Import, JSON}
	if text := dump(t, made(t, m)); strings.Count(text, "Messages were taken apart") != 1 {
		t.Error("a route is said twice")
	}
	m.Routes = []Route{JSON}
	if _, rows = table(t, made(t, m), "losses"); len(rows) != 3 || rows[0][1] != int64(52_210) {
		t.Errorf("by json: %v", rows)
	}
}

func TestAUserReadsOfFoldersThatHoldMailAndOfLabelsAtGmail(t *testing.T) {
	m := sample(t, "en")
	empty := tally(9, "Empty", "")
	empty.Note = "placed as Empty (2)"
	m.Mailboxes[0].Tallies = append(m.Mailboxes[0].Tallies, empty)
	if text := dump(t, userPage(t, m, 0)); strings.Contains(text, "Empty") {
		t.Error("an empty folder is listed")
	}
	m.Target, m.Routes = "graph", []Route{JSON}
	if text := dump(t, userPage(t, m, 0)); strings.Contains(text, "labels") {
		t.Error("Microsoft 365 has no labels")
	}
}
