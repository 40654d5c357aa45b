package main

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/document/browsertest"
	"github.com/mailhaul/mailhaul/migrate/plan/assess"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

// keepAssessments assesses one user of a server to whom all are alike, and keeps
// what it finds for each source, after change, as an earlier plan would.
func keepAssessments(tb testing.TB, config string, sources []string, change func(i int, a *assess.Assessment)) {
	tb.Helper()
	check := func(err error) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	c, err := loadConfig(config)
	check(err)
	p := &planning{config: c, depth: assess.Listed, kept: filepath.Join(filepath.Dir(config), "assessments")}
	_, bounds := planTarget(c.Target.Kind)
	a, err := p.mailbox(tb.Context(), &connections{config: c}, Mailbox{Source: sources[0]}, bounds, new(migrate.Progress).Add("", ""))
	check(err)
	var found bytes.Buffer
	check(gob.NewEncoder(&found).Encode(a))
	for i, name := range sources {
		kept := &assess.Assessment{}
		check(gob.NewDecoder(bytes.NewReader(found.Bytes())).Decode(kept))
		kept.Mailbox = name
		change(i, kept)
		check(kept.Save(p.kept))
	}
}

// company writes a migration of so many mailboxes in four waves, which earlier
// plans know. It has every risk that is told from messages, long names, and three
// mailboxes that cannot be opened.
func company(t *testing.T, kind string, mailboxes int, settings string) (config string) {
	t.Helper()
	server := sourcetest.NewGenerated(t, sourcetest.GeneratedOptions{Messages: 100})
	config = madeUp(t, kind, server, "ann")
	list := "source,target,wave,password_file\n"
	var sources []string
	for i := range mailboxes {
		name := fmt.Sprintf("%s.%d@%s.example.com", []string{"anna-katharina.von-und-zu-bergheim", "bo", "accounting-and-invoices"}[i%3], i, []string{"headquarters", "branch-office-north"}[i%2])
		password := ""
		if i < 3 {
			password = "missing"
		}
		list += fmt.Sprintf("%s,%s,%s,%s\n", name, strings.Replace(name, ".com", ".org", 1), []string{"pilot", "management and assistants", "branches", "rest"}[i*4/mailboxes], password)
		sources = append(sources, name)
	}
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, config, string(text)+"jobs = 20\n"+settings)
	overwrite(t, filepath.Join(filepath.Dir(config), "mailboxes.csv"), list)
	keepAssessments(t, config, sources, func(i int, a *assess.Assessment) {
		n := int64(1000 * (i%40 + 1))
		a.Sizes = []assess.Class{{Most: 1 << 16, Tally: assess.Tally{Messages: n, Bytes: n * 40_000}}, {Most: 50_000_000, Tally: assess.Tally{Messages: 5, Bytes: 200_000_000}},
			{Most: 256 << 20, Tally: assess.Tally{Messages: 1, Bytes: 200 << 20}}}
		a.Largest = []assess.Large{{Folder: []string{"INBOX"}, Size: 200 << 20, Date: time.Date(2020, 5, i%28+1, 12, 0, 0, 0, time.UTC)}}
		a.Doubles = []assess.Class{{Most: 1 << 16, Tally: assess.Tally{Messages: n / 10, Bytes: n * 4000}}}
		a.Flags = []assess.FlagCount{{Flag: migrate.Seen, Messages: n}, {Flag: migrate.Flag(fmt.Sprintf("Project_%d", i%60)), Messages: 7}}
		a.Content = assess.Content{Messages: 200, Of: n, Found: map[string]int64{"from": 2, "date": 1, assess.FoundBlocked: 3, assess.FoundSealed: 20, assess.FoundMalformed: 4}}
	})
	return config
}

// A unit is a piece of text that stands together on the page: a cell, a heading, a
// paragraph.
type unit struct {
	Text    string
	Kind    string // "row" is a cell of one, "head" one of a table's head, "heading"; or "text"
	Section string
	Table   int // from 1 on
	Row     int // of the page
}

// units reads those of the page that are printed, in their order.
func units(b *browsertest.Browser) []unit {
	b.Print()
	return browsertest.Evaluate[[]unit](b, `(() => {
		const units = [], tables = [...document.querySelectorAll("table")], rows = [...document.querySelectorAll("tr")];
		const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		let last;
		for (let n = walk.nextNode(); n; n = walk.nextNode()) {
			const range = document.createRange();
			range.selectNodeContents(n);
			const of = n.parentElement.closest("td,th,h1,h2,h3,h4,p,dt,dd,li,summary,text,div");
			if (!n.data.trim() || !range.getClientRects().length || n.parentElement.closest(".hidden,.watermark,title,desc")) continue;
			if (of === last) {
				units.at(-1).Text += n.data;
				continue;
			}
			last = of;
			units.push({Text: n.data, Kind: of.closest("thead") ? "head" : of.closest("tr") ? "row" : of.matches("h1,h2,h3,h4,h3+.note,summary") ? "heading" : "text",
				Section: of.closest("section")?.id ?? "", Table: tables.indexOf(of.closest("table")) + 1, Row: rows.indexOf(of.closest("tr"))});
		}
		return units;
	})()`)
}

// letters are the text without its spaces, which print does not keep.
func letters(s string) []rune {
	return []rune(strings.Join(strings.Fields(norm.NFKC.String(s)), ""))
}

// A reading goes through sheets letter by letter.
type reading struct {
	sheets []browsertest.Sheet
	sheet  int
	words  []browsertest.Word // of the sheet, that are still to be read
	left   []rune             // of the first of these
}

// turn begins the next sheet, whose number is printed first.
func (r *reading) turn() error {
	r.sheet++
	if r.sheet > len(r.sheets) {
		return errors.New("there is no further sheet")
	}
	number := fmt.Sprintf("%d/%d", r.sheet, len(r.sheets))
	var got string
	r.words = r.sheets[r.sheet-1].Words
	for len(got) < len(number) && len(r.words) > 0 {
		got, r.words = got+r.words[0].Text, r.words[1:]
	}
	if got != number {
		return fmt.Errorf("its number is %q", got)
	}
	r.left = nil
	return nil
}

// read reads the text from the sheet, and returns where its words stand.
func (r *reading) read(text []rune) (places []browsertest.Word, err error) {
	for i := range text {
		if len(r.left) == 0 {
			if len(r.words) == 0 {
				return nil, fmt.Errorf("the sheet ends within %q", string(text))
			}
			r.left = letters(r.words[0].Text)
			places, r.words = append(places, r.words[0]), r.words[1:]
		}
		if r.left[0] != text[i] {
			return nil, fmt.Errorf("there is %q instead of %q", string(r.left), string(text[i:]))
		}
		r.left = r.left[1:]
	}
	if len(r.left) > 0 {
		return nil, fmt.Errorf("%q sticks to %q", string(r.left), string(text))
	}
	return places, nil
}

// onPaper fails unless all of the page is on the sheets once, whole and in its
// order: no text beyond the margins or over another cell, no row on two sheets,
// the head of a table on each sheet that has rows of it, and no heading without
// what it is the heading of. It returns the sheet on which each section begins.
func onPaper(all []unit, sheets []browsertest.Sheet) (begins map[string]int, err error) {
	const points = 72 / 25.4 // a millimetre
	r := &reading{sheets: sheets}
	begins = map[string]int{}
	heads := map[int][]unit{}
	var before unit // and its right edge
	var edge float64
	for i, u := range all {
		if u.Kind == "head" {
			heads[u.Table] = append(heads[u.Table], u)
		}
		line := []unit{u}
		if len(r.words) == 0 {
			if err := r.turn(); err != nil {
				return nil, fmt.Errorf("sheet %d: %w", r.sheet, err)
			}
			if i > 0 && before.Kind != "row" && before.Kind != "text" {
				return nil, fmt.Errorf("sheet %d begins after %s %q", r.sheet, before.Kind, before.Text)
			}
			if i > 0 && u.Kind == "row" && u.Row == before.Row {
				return nil, fmt.Errorf("sheet %d begins within the row that has %q", r.sheet, u.Text)
			}
			if i > 0 && u.Table > 0 && u.Table == before.Table {
				line = append(slices.Clone(heads[u.Table]), u)
			}
		}
		for _, u := range line {
			places, err := r.read(letters(u.Text))
			if err != nil {
				return nil, fmt.Errorf("sheet %d, %s %q after %q: %w", r.sheet, u.Kind, u.Text, before.Text, err)
			}
			var right float64
			for _, w := range places {
				on := sheets[r.sheet-1]
				if w.Left < 15*points-1 || w.Right > on.Width-15*points+1 || w.Top < 16*points-1 || w.Bottom > on.Height-18*points+1 {
					return nil, fmt.Errorf("sheet %d: %q is in the margin, at %.0f to %.0f, %.0f to %.0f", r.sheet, w.Text, w.Left, w.Right, w.Top, w.Bottom)
				}
				if u.Table > 0 && u.Row == before.Row && w.Left < edge {
					return nil, fmt.Errorf("sheet %d: %q is over %q", r.sheet, u.Text, before.Text)
				}
				right = max(right, w.Right)
			}
			before, edge = u, right
		}
		if _, ok := begins[u.Section]; !ok {
			begins[u.Section] = r.sheet
		}
	}
	if n := len(r.words); n > 0 || r.sheet != len(sheets) {
		return nil, fmt.Errorf("after sheet %d of %d there are %d words more", r.sheet, len(sheets), n)
	}
	return begins, nil
}

// What is handed over on paper lacks nothing that is on the page. The first sheet
// of a plan is its summary and nothing else.
func TestWhatIsHandedOverIsPrintedWhole(t *testing.T) {
	t.Parallel()
	pages := map[string]string{}
	for kind, settings := range map[string]string{"gmail": "language = \"de\"\n" + someBudget, "graph": ""} {
		config := company(t, kind, 300, "[report]\nname = \"Example Holding\"\nprivacy = \"full\"\n"+settings)
		out := filepath.Join(t.TempDir(), "plan")
		ends(t, exitPerson, []string{"plan", "--config", config, "--out", out, "--start", "2026-12-01T20:00"})
		if n := readPlan(t, out).Totals.Messages; n < 1_000_000 {
			t.Errorf("of what was kept the plan knows %d messages", n)
		}
		pages["plan for "+kind] = filepath.Join(out, planHTML)
	}
	h := newHandover(t)
	pages["report"] = filepath.Join(h.report(t, "handed", "--language", "de"), reportHTML)
	b := browsertest.Open(t)
	for name, page := range pages {
		b.Load(page)
		all := units(b)
		for paper, size := range map[string]browsertest.Paper{"A4": browsertest.A4, "Letter": browsertest.Letter} {
			begins, err := onPaper(all, b.Sheets(size))
			if err != nil {
				t.Errorf("%s on %s: %v", name, paper, err)
			} else if strings.HasPrefix(name, "plan") && (begins["summary"] != 1 || begins["schedule"] != 2) {
				t.Errorf("%s on %s: the sections begin on the sheets %v", name, paper, begins)
			}
			if dir := os.Getenv("MAILHAUL_PICTURES"); dir != "" {
				overwrite(t, filepath.Join(dir, name+"-"+paper+".pdf"), string(b.PDF(size)))
			}
		}
	}
}
