package proposal

import (
	"cmp"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/plan/assess"
)

// Bounds on what is shown of all mailboxes together.
const (
	largestMost = 20
	flagsMost   = 50
)

// stock is what is there.
func (p *proposal) stock() document.Section {
	s := document.Section{Key: "stock", Title: p.say("stock.title"), Page: true, Blocks: []document.Block{document.Text{p.say("stock.text")}}}
	if p.Depth == assess.Fast {
		s.Blocks = append(s.Blocks, p.mailboxTable())
		return s
	}
	s.Blocks = append(s.Blocks, document.Figures{Key: "stock", Facts: []document.Fact{
		p.fact("folders", p.all.folders), p.fact("oldest", p.day(p.all.oldest)), p.fact("newest", p.day(p.all.newest)),
		p.fact("doubles", p.all.doubles.Messages), p.fact("double_bytes", document.Bytes(p.all.doubles.Bytes)), p.fact("shared", p.all.shared),
	}}, p.mailboxTable())
	sizes, chart := p.sizes()
	s.Blocks = append(s.Blocks, chart, sizes)
	if c := p.arrivals(); c != nil {
		s.Blocks = append(s.Blocks, c)
	}
	s.Blocks = append(s.Blocks, p.largest(), p.flags(), p.folderTable())
	return s
}

func (p *proposal) mailboxTable() *document.Table {
	t := &document.Table{Key: "mailboxes", Title: p.say("table.mailboxes"), Columns: []document.Column{
		p.column("source"), p.column("target"), p.wave(), p.column("messages"), p.column("bytes"), p.column("folders"),
		p.column("largest"), p.column("oldest"), p.column("daily"), p.hidden("newest"), p.hidden("doubles"), p.hidden("excluded"), p.hidden("read"), p.hidden("made")}}
	t.Rows = func(yield func([]document.Value, error) bool) {
		for _, box := range p.Mailboxes {
			row := []document.Value{p.Privacy.Address(box.Source), p.Privacy.Address(box.Target), box.Wave}
			if a := box.Assessment; a != nil {
				total := a.Total()
				row = append(row, total.Messages, size(total), folders(a))
				if a.Depth == assess.Fast {
					row = append(row, nil, nil, nil, nil, nil, nil, nil, a.Made)
				} else {
					daily, _ := a.Growth()
					row = append(row, largestOf(a), p.day(a.Oldest), daily, p.day(a.Newest), doubled(a).Messages, excluded(a), a.Content.Messages, a.Made)
				}
			} else {
				row = append(row, make([]document.Value, len(t.Columns)-len(row))...)
			}
			if !yield(row, nil) {
				return
			}
		}
	}
	if len(p.Mailboxes) > 1 {
		t.Total = append([]document.Value{p.say("total"), nil, nil, p.all.Messages, size(p.all.Tally), p.all.folders}, make([]document.Value, len(t.Columns)-6)...)
	}
	return t
}

// size is nil if there are messages whose size is not known.
func size(t assess.Tally) document.Value {
	if t.Bytes == 0 && t.Messages > 0 {
		return nil
	}
	return document.Bytes(t.Bytes)
}

func largestOf(a *assess.Assessment) document.Value {
	if len(a.Largest) == 0 {
		return nil
	}
	return document.Bytes(a.Largest[0].Size)
}

// excluded counts the messages that rules leave out, in folders too.
func excluded(a *assess.Assessment) (n int64) {
	for _, e := range a.Excluded {
		n += e.Messages
	}
	for _, f := range a.Folders {
		if f.Rule != "" {
			n += f.Messages
		}
	}
	return n
}

// sizes are the messages of all mailboxes by powers of two.
func (p *proposal) sizes() (*document.Table, *document.Chart) {
	var classes []assess.Tally // by the power
	for _, box := range p.Mailboxes {
		if box.Assessment == nil {
			continue
		}
		for _, c := range box.Assessment.Sizes {
			power := bits.Len64(uint64(c.Most - 1))
			classes = append(classes, make([]assess.Tally, max(0, power+1-len(classes)))...)
			classes[power].Messages += c.Messages
			classes[power].Bytes += c.Bytes
		}
	}
	first := max(0, slices.IndexFunc(classes, func(t assess.Tally) bool { return t.Messages > 0 }))
	chart := &document.Chart{Key: "size_chart", Kind: document.Bars, Title: p.say("chart.sizes"), Unit: p.say("chart.messages")}
	var rows [][]document.Value
	var messages []float64
	for power, t := range classes[first:] {
		most := int64(1) << (first + power)
		rows = append(rows, []document.Value{binary(most), document.Bytes(most), t.Messages, document.Bytes(t.Bytes)})
		chart.Labels, messages = append(chart.Labels, binary(most)), append(messages, float64(t.Messages))
	}
	chart.Series = []document.Series{{Name: p.say("column.messages"), Values: messages}}
	return &document.Table{Key: "sizes", Title: p.say("table.sizes"), Rows: rowsOf(rows), Hidden: true,
		Columns: []document.Column{p.column("upto"), p.hidden("most"), p.column("messages"), p.column("bytes")},
		Total:   []document.Value{p.say("total"), nil, p.all.Messages, document.Bytes(p.all.Bytes)}}, chart
}

// binary writes a power of two: "64 KiB".
func binary(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	for n >= 1024 && len(units) > 1 {
		n, units = n/1024, units[1:]
	}
	return fmt.Sprintf("%d\u00a0%s", n, units[0])
}

// arrivals is a chart of what arrived in each year; nil if nothing did.
func (p *proposal) arrivals() *document.Chart {
	years := map[int]int64{}
	for _, box := range p.Mailboxes {
		if box.Assessment == nil {
			continue
		}
		for _, m := range box.Assessment.Months {
			years[m.Start.Year()] += m.Messages
		}
	}
	if len(years) == 0 {
		return nil
	}
	all := slices.Sorted(maps.Keys(years))
	c := &document.Chart{Key: "arrivals", Kind: document.Bars, Title: p.say("chart.arrivals"), Note: p.say("chart.arrivals_note"), Unit: p.say("chart.messages")}
	var values []float64
	for year := all[0]; year <= all[len(all)-1]; year++ {
		c.Labels, values = append(c.Labels, strconv.Itoa(year)), append(values, float64(years[year]))
	}
	c.Series = []document.Series{{Name: p.say("column.messages"), Values: values}}
	return c
}

// largest are the largest messages of all mailboxes.
func (p *proposal) largest() *document.Table {
	type entry struct {
		mailbox string
		assess.Large
	}
	var all []entry
	for _, box := range p.Mailboxes {
		if box.Assessment != nil {
			for _, l := range box.Assessment.Largest {
				all = append(all, entry{box.Source, l})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b entry) int { return cmp.Compare(b.Size, a.Size) })
	var rows [][]document.Value
	for _, l := range all[:min(largestMost, len(all))] {
		rows = append(rows, []document.Value{p.Privacy.Address(l.mailbox), p.path(l.Folder), int64(l.UID), document.Bytes(l.Size), p.day(l.Date)})
	}
	return &document.Table{Key: "largest", Title: p.say("table.largest"), Rows: rowsOf(rows),
		Columns: []document.Column{p.column("mailbox"), p.column("folder"), p.hidden("uid"), p.column("size"), p.column("date")}}
}

// flags are those in use. A keyword may hold anything, so that they are shown
// in full only where everything is.
func (p *proposal) flags() *document.Table {
	count := map[string]int64{}
	mailboxes := map[string]int64{}
	for _, box := range p.Mailboxes {
		if box.Assessment == nil {
			continue
		}
		for _, f := range box.Assessment.Flags {
			name := string(f.Flag)
			if !strings.HasPrefix(name, `\`) && !strings.HasPrefix(name, "$") {
				name = p.Privacy.Subject(name)
			}
			count[name] += f.Messages
			mailboxes[name]++
		}
	}
	names := slices.SortedFunc(maps.Keys(count), func(a, b string) int { return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b)) })
	var rows [][]document.Value
	for _, name := range names[:min(flagsMost, len(names))] {
		rows = append(rows, []document.Value{name, count[name], mailboxes[name]})
	}
	return &document.Table{Key: "flags", Title: p.say("table.flags"), Note: p.say("table.flags_note"), Rows: rowsOf(rows),
		Columns: []document.Column{p.column("flag"), p.column("messages"), p.column("mailboxes")}}
}

// folderTable has every folder, and is no part of the page.
func (p *proposal) folderTable() *document.Table {
	return &document.Table{Key: "folders", Title: p.say("table.folders"), Hidden: true,
		Columns: []document.Column{p.column("mailbox"), p.column("folder"), p.column("messages"), p.column("bytes"), p.column("largest"),
			p.column("oldest"), p.column("newest"), p.column("left_out")},
		Rows: func(yield func([]document.Value, error) bool) {
			for _, box := range p.Mailboxes {
				if box.Assessment == nil {
					continue
				}
				for _, f := range box.Assessment.Folders {
					var rule document.Value
					if f.Rule != "" {
						rule = p.rule(f.Rule)
					}
					row := []document.Value{p.Privacy.Address(box.Source), p.path(f.Path), f.Messages, size(assess.Tally{Messages: f.Messages, Bytes: f.Bytes}),
						bytesOf(f.Largest), p.day(f.Oldest), p.day(f.Newest), rule}
					if !yield(row, nil) {
						return
					}
				}
			}
		}}
}

// bytesOf is n, or nil if there are none.
func bytesOf(n int64) document.Value {
	if n == 0 {
		return nil
	}
	return document.Bytes(n)
}
