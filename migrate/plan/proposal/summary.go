package proposal

import (
	"math"
	"time"

	"github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/plan/assess"
)

// inHours is how long a move may last for its end to be told by the minute.
const inHours = 72 * time.Hour

// summary is page one.
func (p *proposal) summary() document.Section {
	n := int64(len(p.Mailboxes))
	s := document.Section{Key: "summary", Title: p.say("summary.title"), Blocks: []document.Block{
		p.verdict(),
		document.Text{p.say("summary.what", "n", n, "source", p.Source, "target", p.target())},
		p.totals(),
	}}
	if p.Done > 0 {
		s.Blocks = append(s.Blocks, document.Text{p.say("summary.done", "n", p.Done)})
	}
	if f := p.Forecast; f != nil {
		moment := p.Language.Date
		if f.Whole.End.P90.Sub(f.Whole.Start.P50) < inHours {
			moment = p.Language.Time
		}
		s.Blocks = append(s.Blocks, document.Text{p.say("summary.when", "start", moment(f.Whole.Start.P50.In(p.Zone)), "end", moment(f.Whole.End.P50.In(p.Zone)),
			"late", moment(f.Whole.End.P90.In(p.Zone)))})
	}
	if p.Depth == assess.Fast {
		s.Blocks = append(s.Blocks, document.Notice{Mood: document.Warn, Text: p.say("summary.fast")})
	}
	if p.Endpoint != "" {
		s.Blocks = append(s.Blocks, document.Notice{Mood: document.Warn, Text: p.say("summary.endpoint", "endpoint", p.Endpoint)})
	}
	s.Blocks = append(s.Blocks, p.biggest())
	return s
}

// verdict says in a sentence how well it can be done.
func (p *proposal) verdict() document.Notice {
	count := map[assess.Severity]int64{}
	for _, r := range p.Risks {
		count[r.Severity]++
	}
	switch {
	case count[assess.Severe] > 0:
		return document.Notice{Mood: document.Bad, Text: p.say("verdict.severe", "n", count[assess.Severe])}
	case count[assess.Serious] > 0:
		return document.Notice{Mood: document.Warn, Text: p.say("verdict.serious", "n", count[assess.Serious])}
	}
	return document.Notice{Mood: document.Good, Text: p.say("verdict.good")}
}

func (p *proposal) totals() document.Figures {
	mailboxes := p.fact("mailboxes", int64(len(p.Mailboxes)))
	if closed := int64(len(p.Mailboxes)) - p.all.opened; closed > 0 {
		mailboxes.Mood, mailboxes.Note = document.Bad, p.say("fact.closed", "n", closed)
	}
	bytes := p.fact("bytes", document.Bytes(p.all.Bytes))
	if p.all.Bytes == 0 && p.all.Messages > 0 {
		bytes.Value, bytes.Note = nil, p.say("fact.unsized")
	}
	growth := p.fact("growth", int64(math.Round(p.all.messages)))
	growth.Note = p.Language.Bytes(int64(p.all.bytes))
	f := document.Figures{Key: "totals", Large: true, Facts: []document.Fact{mailboxes, p.fact("messages", p.all.Messages), bytes}}
	if p.Depth != assess.Fast {
		f.Facts = append(f.Facts, growth)
	}
	if p.Forecast != nil {
		whole := p.Forecast.Whole
		lasts := p.fact("lasts", whole.End.P50.Sub(whole.Start.P50))
		lasts.Note = p.say("fact.lasts_note", "early", p.Language.Duration(whole.End.P10.Sub(whole.Start.P10)), "late", p.Language.Duration(whole.End.P90.Sub(whole.Start.P90)))
		f.Facts = append(f.Facts, lasts)
	}
	if p.budget != nil {
		f.Facts = append(f.Facts, p.expected())
	}
	return f
}

// biggest are the three risks that matter most.
func (p *proposal) biggest() *document.Table {
	t := p.riskTable(p.Risks[:min(3, len(p.Risks))], "biggest_risks", "mailboxes", "folders", "what")
	t.Note, t.Empty = p.say("table.biggest_risks_note"), p.say("risks.none")
	return t
}
