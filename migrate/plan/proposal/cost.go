package proposal

import (
	"time"

	"github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/plan/budget"
)

// work is what the budget is of: all mailboxes of the list, in the time that the
// forecast says.
func (p *proposal) work() budget.Work {
	w := budget.Work{Mailboxes: int64(len(p.Mailboxes)), Waves: int64(len(p.Forecast.Waves)),
		Start: p.Forecast.Whole.Start.P50.In(p.Zone), End: p.Forecast.Whole.End}
	for _, d := range p.Forecast.Days {
		w.Units = append(w.Units, d.Cost[pace.Points])
	}
	return w
}

// money is an amount in the currency of the budget.
func (p *proposal) money(minor int64) document.Money {
	return document.Money{Minor: minor, Currency: p.Prices.Currency}
}

// expected is what the first page says of the cost.
func (p *proposal) expected() document.Fact {
	f, total := p.fact("cost", p.money(p.budget.Total.Expected)), p.budget.Total
	f.Note = p.say("fact.cost_note", "low", p.Language.Money(total.Low, p.Prices.Currency), "high", p.Language.Money(total.High, p.Prices.Currency))
	return f
}

// cost says what the move costs, and on which prices that rests.
func (p *proposal) cost() document.Section {
	total := p.budget.Total
	return document.Section{Key: "cost", Title: p.say("cost.title"), Page: true, Blocks: []document.Block{
		document.Text{p.say("cost.text"), p.say("cost.both", "n", int64(p.Prices.DualDays))},
		document.Figures{Key: "cost", Large: true, Facts: []document.Fact{
			p.fact("low", p.money(total.Low)), p.fact("expected", p.money(total.Expected)), p.fact("high", p.money(total.High))}},
		p.lineTable(),
		document.Text{p.say("cost.prices")},
		p.prices(),
	}}
}

// lineTable has the lines that have a price.
func (p *proposal) lineTable() *document.Table {
	cases := func(r budget.Range) []document.Value {
		return []document.Value{p.money(r.Low), p.money(r.Expected), p.money(r.High)}
	}
	var rows [][]document.Value
	for _, l := range p.budget.Lines {
		row := []document.Value{document.Term{Key: l.Key, Text: p.line(l.Key)}, nil, nil, nil, nil, nil, nil, nil}
		switch {
		case l.Key == budget.Contingency:
		case l.Price == 0:
			continue // it is said to be missing
		default:
			row[1], row[2], row[3], row[7] = l.Count.Low, l.Count.Expected, l.Count.High, p.money(l.Price)
			if l.Each > 0 {
				row[4], row[5], row[6] = l.Each*time.Duration(l.Count.Low), l.Each*time.Duration(l.Count.Expected), l.Each*time.Duration(l.Count.High)
			}
		}
		rows = append(rows, append(row, cases(l.Amount)...))
	}
	total := append([]document.Value{p.say("total"), nil, nil, nil, nil, nil, nil, nil}, cases(p.budget.Total)...)
	return &document.Table{Key: "cost_lines", Title: p.say("table.cost_lines"), Note: p.say("table.cost_lines_note"), Rows: rowsOf(rows), Total: total,
		Columns: []document.Column{p.column("line"), p.hidden("quantity_low"), p.column("quantity"), p.hidden("quantity_high"),
			p.hidden("work_low"), p.column("work"), p.hidden("work_high"), p.column("price"), p.column("low"), p.column("expected"), p.column("high")}}
}

// line names a line of the budget.
func (p *proposal) line(key string) string { return p.say("line." + key) }

// prices are what the budget rests on.
func (p *proposal) prices() document.Figures {
	b := p.Prices
	f := document.Figures{Key: "prices", Facts: []document.Fact{
		p.fact("lead_rate", p.money(b.Lead)), p.fact("engineer_rate", p.money(b.Engineer)), p.fact("support_rate", p.money(b.Support)),
		p.fact("mailbox_time", b.Mailbox), p.fact("wave_time", b.Wave), p.fact("day_time", b.Day),
		p.fact("incidents", b.Incidents), p.fact("incident_time", b.Incident), p.fact("reports", b.Reports), p.fact("report_time", b.Report),
		p.fact("licence_month", p.money(b.Licence)), p.fact("old_system_month", p.money(b.OldSystem)), p.fact("dual_days", int64(b.DualDays))}}
	if b.Free > 0 {
		f.Facts = append(f.Facts, p.fact("free_units", b.Free), p.fact("million_units", p.money(b.Million)))
	}
	f.Facts = append(f.Facts, p.fact("contingency", document.Percent(float64(b.Contingency)/100)))
	return f
}

// unpriced is what the cost is without.
func (p *proposal) unpriced() document.Section {
	var items []string
	for _, l := range p.budget.Lines {
		switch {
		case l.Price > 0 || l.Key == budget.Contingency:
		case l.Key == budget.Calls:
			items = append(items, p.say("unpriced.calls", "target", p.target(), "free", p.Prices.Free, "units", l.Count.Expected))
		default:
			items = append(items, p.say("unpriced.line", "line", p.line(l.Key)))
		}
	}
	if p.all.opened < int64(len(p.Mailboxes)) {
		items = append(items, p.say("unpriced.closed"))
	}
	if p.Done > 0 {
		items = append(items, p.say("unpriced.spent"))
	}
	for _, item := range []string{"taxes", "staff", "training", "devices", "licences", "risks", "besides"} {
		items = append(items, p.say("unpriced."+item))
	}
	return p.list("not-in-the-cost", "unpriced", items...)
}
