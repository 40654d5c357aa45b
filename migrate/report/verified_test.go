package report

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/privacy"
)

func TestAComparisonMakesAStatement(t *testing.T) {
	folder := func(present, compared int64) migrate.FolderVerification {
		return migrate.FolderVerification{Arrived: present, Present: present, Compared: compared}
	}
	for _, c := range []struct {
		depth   string
		folder  migrate.FolderVerification
		found   map[migrate.Kind]int64
		stopped bool
		en, de  string
	}{
		{depth: "sample", folder: folder(52_000, 400), en: "0 differences in the content of 400 of 52,000 messages: with 95 % confidence, under 0.75 % differ.",
			de: "0 Unterschiede im Inhalt von 400 der 52.000 Nachrichten: Mit 95 % Sicherheit weichen unter 0,75 % ab."},
		{depth: "sample", folder: folder(52_000, 400), found: map[migrate.Kind]int64{migrate.KindContent: 1, migrate.KindFlags: 7},
			en: "One difference in the content of 400 of 52,000 messages: with 95 % confidence, under 1.2 % differ.",
			de: "Ein Unterschied im Inhalt von 400 der 52.000 Nachrichten: Mit 95 % Sicherheit weichen unter 1,2 % ab."},
		{depth: "sample", folder: folder(300, 300), en: "0 differences in the content of 300 messages, all that could be compared.", de: "0 Unterschiede im Inhalt von 300 Nachrichten, allen vergleichbaren."},
		{depth: "sample", folder: folder(0, 0), en: "There was nothing to compare.", de: "Es gab nichts zu vergleichen."},
		{depth: "content", folder: folder(300, 290), found: map[migrate.Kind]int64{migrate.KindContent: 2}, en: "2 differences in the content of 290 messages, all that could be compared.",
			de: "2 Unterschiede im Inhalt von 290 Nachrichten, allen vergleichbaren."},
		{depth: "metadata", folder: folder(300, 300), found: map[migrate.Kind]int64{migrate.KindExtra: 5}, en: "No difference was found.", de: "Kein Unterschied wurde gefunden."},
		{depth: "counts", folder: folder(300, 300), found: map[migrate.Kind]int64{migrate.KindMissing: 1}, en: "One difference was found.", de: "Ein Unterschied wurde gefunden."},
		{depth: "content", folder: folder(300, 20), stopped: true, en: "The comparison was stopped before its end.", de: "Der Vergleich wurde vor seinem Ende abgebrochen."},
	} {
		a := &account{found: c.found, verification: migrate.Verification{Depth: c.depth, Started: at(0), Ended: at(1), Folders: []migrate.FolderVerification{c.folder}}}
		if c.stopped {
			a.verification.Ended = time.Time{}
		}
		for tag, want := range map[string]string{"en": c.en, "de": c.de} {
			w := spoken(t, tag)
			if got := (&report{Migration: Migration{Cover: document.Cover{Language: w.language}}, words: w}).statement(a); got != want {
				t.Errorf("%s: %q, want %q", c.depth, got, want)
			}
		}
	}
}

// visible are the columns that the page shows of a table.
func visible(d *document.Table) (keys []string) {
	for _, c := range d.Columns {
		if !c.Hidden {
			keys = append(keys, c.Key)
		}
	}
	return keys
}

func TestThePageShowsColumnsThatSaySomething(t *testing.T) {
	m := sample(t, "en")
	for _, level := range []privacy.Level{privacy.Masked, privacy.Full} {
		m.Privacy.Level = level
		d := made(t, m)
		for key, want := range map[string]string{
			"mailboxes":     "mailbox source target grade why listed arrived failed",
			"folders":       "mailbox source path listed copied merged adopted moved removed excluded gone failed bytes",
			"exceptions":    map[privacy.Level]string{privacy.Masked: "mailbox", privacy.Full: "source"}[level] + " path date from subject bytes reason remedy",
			"verifications": map[privacy.Level]string{privacy.Masked: "mailbox source", privacy.Full: "source"}[level] + " depth verified_at statement verified present found_missing found_flags found_extra",
		} {
			d, _ := table(t, d, key)
			if got := strings.Join(visible(d), " "); got != want {
				t.Errorf("%s, %s: %s\nwant %s", level, key, got, want)
			}
		}
	}
}

func TestADifferenceIsListedAndNewMailIsNot(t *testing.T) {
	d := made(t, sample(t, "en"))
	differences, rows := table(t, d, "differences")
	var keys []string
	for _, row := range rows {
		keys = append(keys, cell(t, differences, row, "difference").(document.Term).Key)
	}
	if !slices.Equal(keys, []string{"missing", "flags"}) {
		t.Errorf("differences: %v", keys)
	}
}
