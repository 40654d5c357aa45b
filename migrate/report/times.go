package report

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/document"
)

// hourly is how long work may last for its chart to have a point for each hour
// and not for each day.
const hourly = 4 * 24 * time.Hour

// times are the passes, and how fast they were.
func (r *report) times() document.Section {
	s := document.Section{Key: "timeline", Title: r.say("times.title"), Page: true, Blocks: []document.Block{document.Text{r.say("times.text")}}}
	hours := r.hours()
	if len(hours) > 0 {
		s.Blocks = append(s.Blocks, r.throughput(hours), r.chart(hours))
	}
	written := r.total.Count[migrate.Copied]
	for _, h := range hours {
		written -= h.Messages
	}
	if written > 0 {
		s.Blocks = append(s.Blocks, document.Text{r.say("times.undated", "n", written)})
	}
	if len(r.Limits) > 0 {
		s.Blocks = append(s.Blocks, document.Text{r.say("times.limits", "target", r.target(), "limits", r.language.List(r.Limits))})
	}
	s.Blocks = append(s.Blocks, r.passTable())
	return s
}

// hours adds up what was written to all mailboxes, the earliest first.
func (r *report) hours() []Hour {
	all := map[int64]Hour{}
	for _, a := range r.accounts {
		for _, h := range a.hours {
			at := h.Start.Unix()
			all[at] = Hour{h.Start, all[at].Messages + h.Messages, all[at].Bytes + h.Bytes}
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b Hour) int { return a.Start.Compare(b.Start) })
}

func (r *report) throughput(hours []Hour) document.Figures {
	all, busiest := Hour{}, Hour{}
	for _, h := range hours {
		all.Messages, all.Bytes = all.Messages+h.Messages, all.Bytes+h.Bytes
		if h.Messages > busiest.Messages {
			busiest = h
		}
	}
	peak := r.fact("busiest", busiest.Messages)
	peak.Note = r.language.Time(busiest.Start.In(r.Zone))
	n := int64(len(hours))
	return document.Figures{Key: "throughput", Facts: []document.Fact{
		r.fact("written", all.Messages), r.fact("written_bytes", document.Bytes(all.Bytes)), r.fact("hours", n),
		r.fact("hourly", all.Messages/n), r.fact("hourly_bytes", document.Bytes(all.Bytes/n)), peak,
	}}
}

// chart has a point for each hour or each day from the first to the last at
// which something was written, also where nothing was.
func (r *report) chart(hours []Hour) *document.Chart {
	first, last := hours[0].Start.In(r.Zone), hours[len(hours)-1].Start.In(r.Zone)
	c := &document.Chart{Key: "written", Kind: document.Bars, Title: r.say("chart.hours"), Unit: r.say("chart.unit_hours")}
	start := func(t time.Time) time.Time { return t }
	next := func(t time.Time) time.Time { return t.Add(time.Hour) }
	if last.Sub(first) >= hourly {
		c.Title, c.Unit = r.say("chart.days"), r.say("chart.unit_days")
		start = func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, r.Zone) }
		next = func(t time.Time) time.Time { return start(t).AddDate(0, 0, 1) }
	}
	var values []float64
	i := 0
	for t := start(first); !t.After(last); t = next(t) {
		var n int64
		for ; i < len(hours) && hours[i].Start.Before(next(t)); i++ {
			n += hours[i].Messages
		}
		c.Times, values = append(c.Times, t), append(values, float64(n))
	}
	c.Series = []document.Series{{Name: r.say("column.messages"), Values: values}}
	return c
}

// passTable has a row for each pass that is known of.
func (r *report) passTable() *document.Table {
	return &document.Table{Key: "passes", Title: r.say("table.passes"), Empty: r.say("passes.none"), Most: 100,
		Columns: []document.Column{r.number(), r.column("source"), r.column("started"), r.column("ended"), r.column("result"), r.hidden("words")},
		Rows: func(yield func([]document.Value, error) bool) {
			for _, a := range r.accounts {
				if a.Ledger == nil {
					continue
				}
				passes, err := a.Ledger.Passes(r.ctx)
				if err != nil {
					yield(nil, err)
					return
				}
				for _, p := range passes {
					result := "stopped"
					switch {
					case p.Complete:
						result = "complete"
					case p.Ended.IsZero():
						result = "unended"
					}
					term := document.Term{Key: result, Text: r.say("pass." + result), Mood: cmp.Or(map[string]document.Mood{"complete": document.Good}[result], document.Neutral)}
					if !yield([]document.Value{a.number, r.Privacy.Address(a.Source), when(p.Started), when(p.Ended), term, r.said(p.Error)}, nil) {
						return
					}
				}
			}
		}}
}
