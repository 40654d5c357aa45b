package main

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

func fateNames() [fates]string {
	return [fates]string{"lost", "kept", "kept below added lines", "in properties", "noted", "not copied"}
}

// A page is docs/fidelity.md. What stands above its tables is in testdata.
type page struct {
	mail    []*original
	results [][]arrival // by way

	b strings.Builder
}

func (p *page) text(t *testing.T) string {
	t.Helper()
	size := 0
	for _, o := range p.mail {
		size += len(o.octets)
	}
	head, err := os.ReadFile("testdata/fidelity.md")
	if err != nil {
		t.Fatal(err)
	}
	p.b.WriteString(strings.NewReplacer("{messages}", fmt.Sprint(len(p.mail)), "{size}", fmt.Sprintf("%.1f", float64(size)/1e6)).Replace(string(head)))
	p.outcomes()
	p.table(t)
	p.oddities()
	p.notes(t)
	return p.b.String()
}

// header starts a table with a column for each way.
func (p *page) header(first string) {
	p.line(first, func(w int) string { return ways()[w].name })
	p.line("---", func(int) string { return "---" })
}

func (p *page) line(first string, cell func(way int) string) {
	fmt.Fprintf(&p.b, "| %s |", first)
	for w := range ways() {
		fmt.Fprintf(&p.b, " %s |", cell(w))
	}
	p.b.WriteString("\n")
}

// counts writes a line for each thing that counted says of a message, the most
// frequent first.
func (p *page) counts(counted func(arrival) []string, first func(string) string) {
	total, counts := map[string]int{}, make([]map[string]int, len(p.results))
	for w, as := range p.results {
		counts[w] = map[string]int{}
		for _, a := range as {
			for _, s := range counted(a) {
				total[s]++
				counts[w][s]++
			}
		}
	}
	names := slices.Collect(maps.Keys(total))
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(total[b]-total[a], strings.Compare(a, b)) })
	for _, s := range names {
		p.line(first(s), func(w int) string { return fmt.Sprint(counts[w][s]) })
	}
}

func (p *page) outcomes() {
	p.b.WriteString("\n## Each message has one outcome\n\n")
	p.header("")
	p.line("messages at the source", func(w int) string { return fmt.Sprint(len(p.results[w])) })
	meaning := map[migrate.Outcome]string{
		migrate.Merged:   "merged: a copy in another folder, which became one more label of one message",
		migrate.Excluded: "excluded: marked as deleted at the source (`deleted` in the configuration)",
		migrate.Failed:   "failed: not copied, and listed with a reason and a hint",
	}
	p.counts(func(a arrival) []string { return []string{cmp.Or(meaning[a.Outcome], a.Outcome.String())} }, func(s string) string { return s })
	p.b.WriteString("\n")
	p.header("why messages failed")
	p.counts(func(a arrival) []string {
		if a.Outcome != migrate.Failed {
			return nil
		}
		return []string{a.Reason}
	}, func(reason string) string { return strings.ReplaceAll(reason, "|", `\|`) })
}

// table writes a line for each row, of sound mail only.
func (p *page) table(t *testing.T) {
	notes := footnotes()
	number := make([]int, len(notes))
	var used []string
	group := ""
	for _, r := range rows() {
		if r.group != group {
			group = r.group
			fmt.Fprintf(&p.b, "\n## %s\n\n", group)
			p.header("")
		}
		p.line(r.name, func(w int) string {
			cell := p.cell(r, w)
			for i, n := range notes {
				if !slices.Contains(n.ways, w) || !slices.Contains(n.rows, r.name) {
					continue
				}
				if number[i] == 0 {
					used = append(used, n.text)
					number[i] = len(used)
				}
				cell += fmt.Sprintf(" [^%d]", number[i])
			}
			return cell
		})
	}
	p.line("lines that are added on top", func(w int) string { return p.added(w) })
	p.b.WriteString("\n")
	for i, text := range used {
		fmt.Fprintf(&p.b, "[^%d]: %s\n", i+1, text)
	}
	for _, n := range notes {
		for _, name := range n.rows {
			if !slices.ContainsFunc(rows(), func(r row) bool { return r.name == name }) {
				t.Errorf("a footnote is on the row %q, which is not there", name)
			}
		}
	}
}

// cell says what became of a row's property: "kept (9 of 9)", "kept for 8 of 9, lost for 1".
func (p *page) cell(r row, way int) string {
	var n [fates]int
	total := 0
	for _, a := range p.results[way] {
		if f, ok := r.of(a); ok {
			n[f]++
			total++
		}
	}
	var parts []string
	for _, f := range []fate{fateKept, fateBelow, fateAside, fateNoted, fateRefused, fateLost} {
		switch {
		case n[f] == 0:
		case n[f] == total:
			return fmt.Sprintf("%s (%d of %d)", fateNames()[f], n[f], total)
		case len(parts) == 0:
			parts = append(parts, fmt.Sprintf("%s for %d of %d", fateNames()[f], n[f], total))
		default:
			parts = append(parts, fmt.Sprintf("%s for %d", fateNames()[f], n[f]))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "none arrived")
}

// added names the fields that stand above what was at the source.
func (p *page) added(way int) string {
	var names []string
	for _, a := range p.results[way] {
		if a.there == nil {
			continue
		}
		for _, octets := range [][]byte{a.there.handed, a.there.octets} {
			if top, ok := bytes.CutSuffix(octets, a.original.octets); ok {
				for _, f := range parseEntity(top, "", 0).fields {
					names = append(names, f.name)
				}
			}
		}
	}
	slices.Sort(names)
	return cmp.Or(strings.Join(slices.Compact(names), ", "), "none")
}

// oddities writes a line for each sort of message that is out of the ordinary.
func (p *page) oddities() {
	p.b.WriteString("\n## Mail that is out of the ordinary\n\nHow many of each sort there are, and what became of their content.\n\n")
	p.header("")
	var odd []string
	for _, o := range p.mail {
		if o.odd != "" {
			odd = append(odd, o.odd)
		}
	}
	slices.Sort(odd)
	for _, o := range slices.Compact(odd) {
		p.line(o, func(w int) string {
			fates := map[string]int{}
			for _, a := range p.results[w] {
				if a.odd == o {
					fates[oddFate(a)]++
				}
			}
			var parts []string
			for _, f := range slices.Sorted(maps.Keys(fates)) {
				parts = append(parts, fmt.Sprintf("%d %s", fates[f], f))
			}
			return strings.Join(parts, "; ")
		})
	}
}

// oddFate says what became of a message's content and what its record says of it.
func oddFate(a arrival) string {
	if a.Outcome == migrate.Failed {
		return "not copied"
	}
	if !a.Outcome.Arrived() {
		return a.Outcome.String()
	}
	says := "content as it was"
	if everyPart().fate(a) != fateKept {
		says = "content changed"
	}
	for _, n := range a.Notes {
		if !strings.Contains(n, "flag") && !strings.Contains(n, "keyword") { // of the state, not of the message
			says += ", `" + n + "`"
		}
	}
	return says
}

// notes counts what the records say of copies.
func (p *page) notes(t *testing.T) {
	p.b.WriteString("\n## What the records note\n\nEach note is in the record of the message that it is about, by this name.\n\n")
	p.header("")
	means := meanings(t)
	p.counts(func(a arrival) []string { return a.Notes }, func(note string) string {
		if means[note] == "" {
			t.Errorf("the page does not say what the note %q means", note)
		}
		return "`" + note + "`: " + means[note]
	})
}
