package proposal

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/plan"
)

// shownRows is how many mailboxes the chart of times shows: those that end
// last.
const shownRows = 30

// worth is how much time a change must save to be named, as a share of all.
const worth = 0.01

// when says when everything begins and ends.
func (p *proposal) when() document.Section {
	f := p.Forecast
	whole := f.Whole
	begin := whole.Start.P50
	s := document.Section{Key: "schedule", Title: p.say("schedule.title"), Page: true, Blocks: []document.Block{
		document.Text{p.say("schedule.text"), p.say("schedule.jobs", "n", int64(p.Jobs))},
		document.Figures{Key: "schedule", Facts: []document.Fact{
			p.fact("start", begin), p.fact("end_early", whole.End.P10), p.fact("end", whole.End.P50), p.fact("end_late", whole.End.P90),
			p.fact("lasts", whole.End.P50.Sub(begin))}},
		p.gantt(),
	}}
	if explained := p.explained(); len(explained) > 0 {
		s.Blocks = append(s.Blocks, explained)
	}
	if len(f.Waves) > 1 {
		s.Blocks = append(s.Blocks, p.waveTable())
	}
	s.Blocks = append(s.Blocks, p.timeTable(), p.changeTable("causes", f.Causes), p.changeTable("changes", f.Changes))
	if c := p.use(); c != nil {
		s.Blocks = append(s.Blocks, c)
	}
	s.Blocks = append(s.Blocks, p.dayTable())
	return s
}

// explained says in sentences what holds up the whole, as far as that is worth it.
func (p *proposal) explained() (s document.Text) {
	f, last := p.Forecast, p.Forecast.Last
	if n := int64(len(f.Over)); n > 0 {
		s = append(s, p.say("schedule.over", "n", n, "waves", strings.Join(f.Over, ", ")))
	}
	if last.Takes <= p.least() {
		return s
	}
	mailbox, since := p.Privacy.Address(last.Mailbox), p.Language.Time(last.Since.In(p.Zone))
	saves := func(changes []plan.Change, what string) (d time.Duration, tried bool) {
		i := slices.IndexFunc(changes, func(c plan.Change) bool { return c.What == what })
		if i < 0 {
			return 0, false
		}
		return changes[i].Saves, true
	}
	if len(f.Mailboxes) > 1 {
		s = append(s, p.say("schedule.last", "mailbox", mailbox, "since", since, "time", p.Language.Duration(last.Takes)))
	}
	own := slices.ContainsFunc(f.Limits, func(u plan.Use) bool { return u.Limit.Name == last.Waits && !u.Shared })
	if gain, _ := saves(f.Causes, last.Waits); own && gain > p.least() {
		key := "schedule.own"
		if gain, tried := saves(f.Changes, plan.Shared); tried && gain <= p.least() {
			key = "schedule.own_alone"
		}
		s = append(s, p.say(key, "mailbox", mailbox, "limit", last.Waits, "since", since))
	}
	if gain, _ := saves(f.Changes, plan.First); gain > p.least() {
		s = append(s, p.say("schedule.first", "mailbox", mailbox, "time", p.Language.Duration(gain)))
	}
	return s
}

// least is how much time a change must save to be named.
func (p *proposal) least() time.Duration {
	whole := p.Forecast.Whole
	return time.Duration(worth * float64(whole.End.P50.Sub(whole.Start.P50)))
}

// gantt has the waves, if there are several, and the mailboxes that end last.
func (p *proposal) gantt() *document.Chart {
	c := &document.Chart{Key: "gantt", Kind: document.Gantt, Title: p.say("chart.gantt"), Note: p.say("chart.gantt_note"),
		Series: []document.Series{{Name: p.say("chart.likely")}, {Name: p.say("chart.late")}}}
	row := func(label string, s plan.Span) {
		at := len(c.Labels)
		c.Labels = append(c.Labels, label)
		text := label + ": " + p.Language.Time(s.Start.P50.In(p.Zone)) + " – " + p.Language.Time(s.End.P50.In(p.Zone))
		c.Spans = append(c.Spans, document.Span{Row: at, Start: s.Start.P50, End: s.End.P50, Text: text})
		if s.End.P90.After(s.End.P50) {
			c.Spans = append(c.Spans, document.Span{Row: at, Series: 1, Start: s.End.P50, End: s.End.P90, Text: text})
		}
	}
	f := p.Forecast
	if len(f.Waves) > 1 {
		for _, w := range f.Waves {
			row(p.say("chart.wave", "wave", w.Name), w)
		}
	}
	last := slices.SortedStableFunc(slices.Values(f.Mailboxes), func(a, b plan.Mailbox) int { return b.End.P50.Compare(a.End.P50) })
	last = last[:min(shownRows, len(last))]
	slices.SortStableFunc(last, func(a, b plan.Mailbox) int {
		return cmp.Or(a.Start.P50.Compare(b.Start.P50), a.End.P50.Compare(b.End.P50))
	})
	for _, m := range last {
		row(p.Privacy.Address(m.Name), m.Span)
	}
	return c
}

func (p *proposal) waveTable() *document.Table {
	var rows [][]document.Value
	for _, w := range p.Forecast.Waves {
		n := int64(0)
		for _, m := range p.Forecast.Mailboxes {
			if m.Wave == w.Name {
				n++
			}
		}
		rows = append(rows, []document.Value{w.Name, n, w.Start.P50, w.End.P10, w.End.P50, w.End.P90})
	}
	return &document.Table{Key: "waves", Title: p.say("table.waves"), Rows: rowsOf(rows), Columns: []document.Column{
		p.column("wave"), p.column("mailboxes"), p.column("begins"), p.column("early"), p.column("likely"), p.column("late")}}
}

// timeTable has the times of every mailbox.
func (p *proposal) timeTable() *document.Table {
	return &document.Table{Key: "times", Title: p.say("table.times"), Note: p.say("table.times_note"),
		Columns: []document.Column{p.column("mailbox"), p.wave(), p.column("begins"), p.column("early"), p.column("likely"), p.column("late"),
			p.column("took"), p.column("waits_for"), p.hidden("waits")},
		Rows: func(yield func([]document.Value, error) bool) {
			for _, m := range p.Forecast.Mailboxes {
				row := []document.Value{p.Privacy.Address(m.Name), m.Wave, m.Start.P50, m.End.P10, m.End.P50, m.End.P90, m.Took, nil, nil}
				if len(m.Waited) > 0 && m.Waited[0].Time > 0 {
					row[7], row[8] = p.thing(m.Waited[0].For), m.Waited[0].Time
				}
				if !yield(row, nil) {
					return
				}
			}
		}}
}

// thing names what is waited for, or could be otherwise: a limit is named by
// its vendor.
func (p *proposal) thing(what string) string {
	if key := "thing." + strings.ReplaceAll(what, " ", "_"); p.texts.Has(key) {
		return p.say(key)
	}
	return what
}

// changeTable has those changes that are worth it.
func (p *proposal) changeTable(key string, changes []plan.Change) *document.Table {
	var rows [][]document.Value
	for _, c := range changes {
		if c.Saves <= p.least() {
			continue
		}
		what := p.thing(c.What)
		if c.What == plan.First {
			what = p.say("change.first", "mailbox", p.Privacy.Address(c.Mailbox))
		}
		rows = append(rows, []document.Value{what, c.Saves})
	}
	return &document.Table{Key: key, Title: p.say("table." + key), Note: p.say("table." + key + "_note"), Empty: p.say("schedule.no_" + key), Rows: rowsOf(rows),
		Columns: []document.Column{p.column("change"), p.column("saves")}}
}

// use shows how much of each limit is used that comes near to its end; nil if
// none does.
func (p *proposal) use() *document.Chart {
	f := p.Forecast
	c := &document.Chart{Key: "use", Kind: document.Line, Title: p.say("chart.use"), Note: p.say("chart.use_note"), Unit: "%"}
	points := 0
	for _, u := range f.Limits {
		if len(u.Used) == 0 || slices.Max(u.Used) < 0.1 {
			continue
		}
		values := make([]float64, len(u.Used))
		for i, v := range u.Used {
			values[i] = math.Round(1000*v) / 10
		}
		c.Series = append(c.Series, document.Series{Name: u.Limit.Name, Values: values})
		points = max(points, len(values))
	}
	if points == 0 {
		return nil
	}
	limit := make([]float64, points)
	for i := range limit {
		limit[i] = 100
		c.Times = append(c.Times, f.Slices.Start.Add(time.Duration(i)*f.Slices.Each))
	}
	c.Series = append(c.Series, document.Series{Name: p.say("chart.limit"), Values: limit, Limit: true})
	return c
}

// dayTable says what is asked of the target each day, by which a vendor may
// charge.
func (p *proposal) dayTable() *document.Table {
	var rows [][]document.Value
	for _, d := range p.Forecast.Days {
		rows = append(rows, []document.Value{document.Date(d.Date), d.Cost[pace.Requests], some(d.Cost[pace.Points]), document.Bytes(d.Cost[pace.Bytes])})
	}
	return &document.Table{Key: "days", Title: p.say("table.days"), Note: p.say("table.days_note"), Rows: rowsOf(rows),
		Columns: []document.Column{p.column("day"), p.column("calls"), p.column("units"), p.column("sent")}}
}
