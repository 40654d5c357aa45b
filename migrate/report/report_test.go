package report

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/document"
)

// dump writes all of a document but what a face makes of it.
func dump(t testing.TB, d *document.Document) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d, %s\n%s\n%s\ndraft: %s\n", d.Format, d.Version, d.Language.Tag(), d.Title, d.Subtitle, d.Draft)
	for _, s := range d.Sections {
		fmt.Fprintf(&b, "\n# %s (%s)\n", s.Title, s.Key)
		for _, block := range s.Blocks {
			b.WriteByte('\n')
			switch block := block.(type) {
			case document.Text:
				b.WriteString(strings.Join(block, "\n") + "\n")
			case document.Notice:
				fmt.Fprintf(&b, "%s: %s\n", block.Mood, block.Text)
			case document.Signatures:
				fmt.Fprintf(&b, "signatures: %q\n", []string(block))
			case document.Figures:
				for _, f := range block.Facts {
					fmt.Fprintf(&b, "%s.%s: %s = %v (%s)\n", block.Key, f.Key, f.Label, f.Value, f.Note)
				}
			case *document.Chart:
				fmt.Fprintf(&b, "chart %s: %s, %s\n", block.Key, block.Title, block.Unit)
				for i, at := range block.Times {
					fmt.Fprintf(&b, "%s %v\n", at.Format(time.RFC3339), block.Series[0].Values[i])
				}
			case *document.Table:
				fmt.Fprintf(&b, "table %s: %s. %s\n", block.Key, block.Title, block.Note)
				_, rows := table(t, d, block.Key)
				for i, row := range append(rows, block.Total) {
					for c, v := range row {
						if date, ok := v.(document.Date); ok {
							v = time.Time(date).Format(time.DateOnly)
						}
						if v != nil {
							fmt.Fprintf(&b, "%d %s: %q\n", i+1, block.Columns[c].Key, fmt.Sprint(v))
						}
					}
				}
			}
		}
	}
	return b.String()
}

func TestTheReportSaysWhatItSaid(t *testing.T) {
	for _, tag := range []string{"en", "de"} {
		m := sample(t, tag)
		page, err := UserPage(t.Context(), m, 0)
		if err != nil {
			t.Fatal(err)
		}
		for name, d := range map[string]*document.Document{"report": made(t, m), "user": page} {
			file := "testdata/" + name + "-" + tag + ".txt"
			got := dump(t, d)
			if os.Getenv("MAILHAUL_GOLDEN") == "write" {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s differs; if that is meant: MAILHAUL_GOLDEN=write go test ./migrate/report\n%s", file, firstDifference(got, string(want)))
			}
		}
	}
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\n got %s\nwant %s", i+1, a[i], b[i])
		}
	}
	return "the lengths differ"
}

func TestTheFacesTakeAReport(t *testing.T) {
	for _, target := range []string{"gmail", "graph"} {
		m := sample(t, "en")
		if m.Target = target; target == "graph" {
			m.Routes = []Route{Import, JSON}
		}
		d := made(t, m)
		for name, write := range map[string]func(io.Writer) error{
			"html": d.WriteHTML, "xlsx": d.WriteXLSX, "json": func(w io.Writer) error { return d.WriteJSON(w, nil, nil) }} {
			if err := write(io.Discard); err != nil {
				t.Errorf("%s, %s: %v", target, name, err)
			}
		}
	}
}

// Sums of all tables that have outcomes, by mailbox.
func TestTheTablesAgree(t *testing.T) {
	d := made(t, sample(t, "en"))
	mailboxes, boxes := table(t, d, "mailboxes")
	folders, places := table(t, d, "folders")
	outcomeTable, perOutcome := table(t, d, "outcomes")
	var keys []string
	for o := range migrate.Outcomes {
		keys = append(keys, o.String())
	}
	keys = append(keys, "listed")
	for _, key := range keys {
		var all int64
		for _, box := range boxes {
			var sum int64
			for _, place := range places {
				if cell(t, folders, place, "mailbox") == cell(t, mailboxes, box, "mailbox") {
					sum += cell(t, folders, place, key).(int64)
				}
			}
			if n := cell(t, mailboxes, box, key).(int64); n != sum {
				t.Errorf("%s of mailbox %v: %d, but its folders have %d", key, cell(t, mailboxes, box, "mailbox"), n, sum)
			}
			all += sum
		}
		if a, b := cell(t, mailboxes, mailboxes.Total, key), cell(t, folders, folders.Total, key); a != all || b != all {
			t.Errorf("%s: %d in all, but the tables say %v and %v", key, all, a, b)
		}
		for _, row := range perOutcome {
			if row[0].(document.Term).Key == key && cell(t, outcomeTable, row, "messages") != all {
				t.Errorf("%s: %d in all, but the table of outcomes says %v", key, all, cell(t, outcomeTable, row, "messages"))
			}
		}
	}
	exceptions, failed := table(t, d, "exceptions")
	if n := cell(t, mailboxes, mailboxes.Total, "failed"); n != int64(len(failed)) {
		t.Errorf("%v failed, and %d are listed", n, len(failed))
	}
	for _, row := range failed {
		if cell(t, exceptions, row, "folder") != int64(6) {
			t.Errorf("the failure is of folder %v", cell(t, exceptions, row, "folder"))
		}
	}
	for _, s := range d.Sections {
		for _, b := range s.Blocks {
			if table, ok := b.(*document.Table); ok && table.Total != nil && len(table.Total) != len(table.Columns) {
				t.Errorf("the total of %q has %d values for %d columns", table.Key, len(table.Total), len(table.Columns))
			}
		}
	}
}

func TestSumsThatDoNotCloseAreNoReport(t *testing.T) {
	for name, spoil := range map[string]func(m *Migration, l *memory){
		"more listed than outcomes": func(m *Migration, _ *memory) { m.Mailboxes[2].Tallies[0].Listed++ },
		"a failure without record": func(m *Migration, _ *memory) {
			m.Mailboxes[2].Tallies[0].Listed++
			m.Mailboxes[2].Tallies[0].Count[migrate.Failed]++
		},
		"a record too many":            func(_ *Migration, l *memory) { l.notable = append(l.notable, migrate.Record{Outcome: migrate.Failed}) },
		"a message left out by a rule": func(_ *Migration, l *memory) { l.excluded = map[string]int64{"rule": 1} },
		"a message left out by no rule": func(m *Migration, _ *memory) {
			m.Mailboxes[2].Tallies[0].Listed++
			m.Mailboxes[2].Tallies[0].Count[migrate.Excluded]++
		},
		"a finding lost": func(_ *Migration, l *memory) { l.findings = l.findings[1:] },
		"a message not verified": func(_ *Migration, l *memory) {
			l.verification.Folders[0].Arrived--
			l.verification.Folders[0].Present--
		},
	} {
		m := sample(t, "en")
		spoil(&m, m.Mailboxes[2].Ledger.(*memory))
		_, err := New(t.Context(), m)
		if err == nil || !strings.Contains(err.Error(), "the sums do not close: chiyo.tanabe@example.com") && !strings.Contains(err.Error(), "messages were listed") {
			t.Errorf("%s: %v", name, err)
		}
		m.Draft = Partial
		if _, err := New(t.Context(), m); err == nil {
			t.Errorf("%s, in a report on some mailboxes: no error", name)
		}
		m.Draft = Running
		if _, err = New(t.Context(), m); (err != nil) != (name == "more listed than outcomes") {
			t.Errorf("%s, in a draft: %v", name, err)
		}
	}
}

func TestAPassAfterAVerificationMayBringMore(t *testing.T) {
	m := sample(t, "en")
	l := m.Mailboxes[2].Ledger.(*memory)
	m.Mailboxes[2].Tallies[0].Listed++
	m.Mailboxes[2].Tallies[0].Count[migrate.Copied]++
	l.state.Started, l.state.Ended = at(30), at(31)
	if _, err := New(t.Context(), m); err != nil {
		t.Error(err)
	}
}

func TestWhatALedgerFailsAtIsAnError(t *testing.T) {
	broken := errors.New("disk on fire")
	m := sample(t, "en")
	d := made(t, m)
	for _, box := range m.Mailboxes[:3] {
		box.Ledger.(*memory).err = broken
	}
	if _, err := New(t.Context(), m); !errors.Is(err, broken) {
		t.Errorf("New returned %v", err)
	}
	for _, key := range []string{"exceptions", "differences", "changed", "passes"} {
		got := error(nil)
		for _, s := range d.Sections {
			for _, b := range s.Blocks {
				if table, ok := b.(*document.Table); ok && table.Key == key {
					for _, err := range table.Rows {
						got = err
					}
				}
			}
		}
		if !errors.Is(got, broken) {
			t.Errorf("%s ended with %v", key, got)
		}
	}
}

func TestRowsAreReadWhenTheyAreAskedForAndEachTimeTheSame(t *testing.T) {
	m := sample(t, "en")
	l := m.Mailboxes[0].Ledger.(*memory)
	for i := range 5_000 {
		l.notable = append(l.notable, migrate.Record{Folder: 1, UID: migrate.UID(100 + i), Outcome: migrate.Copied, Notes: []string{"flags-dropped"}})
	}
	d := made(t, m)
	changed, all := table(t, d, "changed")
	if len(all) != 5_002 {
		t.Fatalf("%d rows", len(all))
	}
	if _, again := table(t, d, "changed"); !reflect.DeepEqual(all, again) {
		t.Error("the rows are others when they are read again")
	}
	l.read = 0
	for range changed.Rows {
		break
	}
	if l.read != 1 {
		t.Errorf("%d records were read for one row", l.read)
	}
}

func TestADraftSaysSo(t *testing.T) {
	for draft, want := range map[Draft]string{Running: "a run was at work", Partial: "mailboxes are not in it", Final: ""} {
		m := sample(t, "en")
		m.Draft = draft
		d := made(t, m)
		text := strings.ToLower(dump(t, d))
		if !strings.Contains(strings.ToLower(d.Draft), want) || (draft == Final) != (d.Draft == "") {
			t.Errorf("the draft %q says %q", draft, d.Draft)
		}
		if signed := draft == Final; strings.Contains(text, "signatures:") != signed || strings.Contains(text, "about.key") != signed || strings.Contains(text, "it is not signed") == signed {
			t.Errorf("the draft %q is to be signed, or the report is not", draft)
		}
	}
}

func TestAMigrationThatHasNotBegunHasAReport(t *testing.T) {
	m := sample(t, "en")
	m.Mailboxes = m.Mailboxes[3:]
	text := dump(t, made(t, m))
	for _, want := range []string{"There were no messages in the old system.", "The work has not begun.", "Nothing was compared.", "No pass is known of."} {
		if !strings.Contains(text+emptyTexts(made(t, m)), want) {
			t.Errorf("it does not say %q", want)
		}
	}
	m.Mailboxes = nil
	made(t, m)
}

// emptyTexts are what tables without rows say.
func emptyTexts(d *document.Document) (all string) {
	for _, s := range d.Sections {
		for _, b := range s.Blocks {
			if table, ok := b.(*document.Table); ok {
				all += table.Empty
			}
		}
	}
	return all
}

func TestTheChartHasAPointForEachHourOrDay(t *testing.T) {
	zone := time.FixedZone("", -3600)
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) // the day before, there
	r := &report{Migration: Migration{Cover: document.Cover{Zone: zone}}, words: spoken(t, "en")}
	for _, c := range []struct {
		hours  []int
		values []float64
		first  time.Time
	}{
		{[]int{0}, []float64{1}, start},
		{[]int{0, 3}, []float64{1, 0, 0, 1}, start},
		{[]int{0, 95}, append(append([]float64{1}, make([]float64, 94)...), 1), start},
		{[]int{0, 1, 2, 96}, []float64{1, 2, 0, 0, 1}, start.Add(-23 * time.Hour)},
	} {
		var hours []Hour
		for _, h := range c.hours {
			hours = append(hours, Hour{start.Add(time.Duration(h) * time.Hour), 1, 10})
		}
		chart := r.chart(hours)
		if !slices.Equal(chart.Series[0].Values, c.values) || len(chart.Times) != len(c.values) {
			t.Errorf("%v: %v at %v", c.hours, chart.Series[0].Values, chart.Times)
		} else if !chart.Times[0].Equal(c.first) {
			t.Errorf("%v: begins at %v", c.hours, chart.Times[0])
		}
	}
}

func TestHostileTextsDoNoHarm(t *testing.T) {
	evil := "{n}%s\x00\u202e<script>\xff=HYPERLINK(\"x\")" + strings.Repeat("A", 10_000)
	m := sample(t, "en")
	m.Name, m.Source, m.Host, m.Rules = evil, evil, evil, append(m.Rules, evil, "exclude_folders "+evil)
	m.Limits = []string{evil}
	l := m.Mailboxes[2].Ledger.(*memory)
	m.Mailboxes[2].Tallies[0].Folder.Path, m.Mailboxes[2].Tallies[0].Folder.Role = []string{evil}, migrate.Role(evil)
	m.Mailboxes[2].Tallies[0].Note, m.Mailboxes[2].Tallies[0].Target = evil, evil
	l.verification.Depth, l.passes[0].Error = evil, evil
	l.findings = append(l.findings, migrate.Finding{Kind: migrate.Kind(evil), Folder: math.MinInt64, From: evil, Subject: evil, Detail: evil, MessageID: evil})
	for i := range l.notable {
		l.notable[i] = migrate.Record{Folder: -1, Outcome: migrate.Failed, Size: math.MaxInt64, Reason: evil, Hint: evil, MessageID: evil,
			Head: migrate.Head{From: evil, Subject: evil, Date: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}}
	}
	l.notable = append(l.notable, migrate.Record{Folder: 6, Outcome: migrate.Copied, Notes: []string{evil}})
	for _, d := range []*document.Document{made(t, m), userPage(t, m, 2)} {
		var page bytes.Buffer
		if err := errors.Join(d.WriteHTML(&page), d.WriteJSON(io.Discard, nil, nil), d.WriteXLSX(io.Discard)); err != nil {
			t.Error(err)
		}
		if strings.Contains(page.String(), "<script") {
			t.Error("the page has a script")
		}
	}
}

func userPage(t testing.TB, m Migration, i int) *document.Document {
	t.Helper()
	d, err := UserPage(context.Background(), m, i)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
