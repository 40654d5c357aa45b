package proposal

import (
	"math"
	"slices"

	"github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/plan/assess"
)

// leftOut is what is not moved on purpose.
func (p *proposal) leftOut() document.Section {
	counts := map[string]assess.Tally{}
	var rules []string
	count := func(rule string, t assess.Tally) {
		if !slices.Contains(rules, rule) {
			rules = append(rules, rule)
		}
		sum := counts[rule]
		counts[rule] = assess.Tally{Messages: sum.Messages + t.Messages, Bytes: sum.Bytes + t.Bytes}
	}
	for _, rule := range p.Rules {
		count(rule, assess.Tally{})
	}
	for _, box := range p.Mailboxes {
		if box.Assessment == nil {
			continue
		}
		for _, f := range box.Assessment.Folders {
			if f.Rule != "" {
				count(f.Rule, assess.Tally{Messages: f.Messages, Bytes: f.Bytes})
			}
		}
		for _, e := range box.Assessment.Excluded {
			count(e.Rule, e.Tally)
		}
	}
	var rows [][]document.Value
	for _, rule := range rules {
		rows = append(rows, []document.Value{p.rule(rule), counts[rule].Messages, size(counts[rule])})
	}
	return document.Section{Key: "left-out", Title: p.say("left_out.title"), Blocks: []document.Block{
		document.Text{p.say("left_out.text")},
		&document.Table{Key: "rules", Title: p.say("table.rules"), Empty: p.say("left_out.none"), Rows: rowsOf(rows),
			Columns: []document.Column{p.column("rule"), p.column("messages"), p.column("bytes")}},
		document.Text{p.say("left_out.besides")},
	}}
}

// list is a section of a numbered list of sentences.
func (p *proposal) list(section, key string, items ...string) document.Section {
	var rows [][]document.Value
	for i, item := range items {
		rows = append(rows, []document.Value{int64(i + 1), item})
	}
	return document.Section{Key: section, Title: p.say(key + ".title"), Blocks: []document.Block{
		document.Text{p.say(key + ".text")},
		&document.Table{Key: key, Title: p.say("table." + key), Rows: rowsOf(rows), Columns: []document.Column{p.column("number"), p.column("item")}},
	}}
}

// assumptions are what the plan rests on.
func (p *proposal) assumptions() document.Section {
	items := []string{p.say("assumptions.state", "date", p.Language.Date(p.Made.In(p.Zone))), p.say("assumptions.users"), p.say("assumptions.limits", "target", p.target())}
	if p.Depth == assess.Fast {
		items = append(items, p.say("assumptions.fast", "size", p.Language.Bytes(assess.Typical)))
	} else {
		items = append(items, p.say("assumptions.growth"))
	}
	if p.Target == "gmail" {
		items = append(items, p.say("assumptions.doubles"))
	}
	if p.Forecast != nil {
		items = append(items, p.say("assumptions."+p.known(), "target", p.target()), p.say("assumptions.passes"))
	}
	items = append(items, p.say("assumptions.untried", "target", p.target()))
	s := p.list("assumptions", "assumptions", items...)
	if p.Forecast != nil {
		s.Blocks = append(s.Blocks, p.callTable())
	}
	return s
}

// known names the sentence that says how much is known of the target's calls.
func (p *proposal) known() string {
	for _, c := range p.Calls {
		switch {
		case c.Kind == "imports" && c.Basis == "ratio":
			return "answers_measured"
		case c.Kind == "imports" && c.Calls > 0:
			return "calls_measured"
		}
	}
	return "answers"
}

// callTable says how long calls take, and how that is known.
func (p *proposal) callTable() *document.Table {
	var rows [][]document.Value
	for _, c := range p.Calls {
		milliseconds := math.Round(c.Takes.Seconds()*1e4) / 10
		rows = append(rows, []document.Value{document.Term{Key: c.Kind, Text: p.say("call." + c.Kind)}, milliseconds,
			document.Term{Key: c.Basis, Text: p.say("basis." + c.Basis)}, some(c.Calls), p.day(c.At)})
	}
	return &document.Table{Key: "call_times", Title: p.say("table.call_times"), Note: p.say("table.call_times_note"), Rows: rowsOf(rows),
		Columns: []document.Column{p.column("call"), p.column("milliseconds"), p.column("basis"), p.column("calls"), p.column("date")}}
}

// tasks are what the client has to do.
func (p *proposal) tasks() document.Section {
	items := []string{p.say("tasks." + p.Target + "_access"), p.say("tasks.users", "target", p.target()), p.say("tasks.source"), p.say("tasks.decide"), p.say("tasks.freeze"),
		p.say("tasks.tell"), p.say("tasks.dns"), p.say("tasks.keep")}
	return p.list("tasks", "tasks", items...)
}

// acceptance is when the work is done.
func (p *proposal) acceptance() document.Section {
	s := p.list("acceptance", "acceptance", p.say("acceptance.accounted"), p.say("acceptance.verified"), p.say("acceptance.exceptions"), p.say("acceptance.report"))
	s.Blocks = append(s.Blocks, document.Text{p.say("acceptance.signing")}, document.Signatures{p.say("acceptance.client"), p.say("acceptance.contractor")})
	return s
}

// about is with what it was made.
func (p *proposal) about() document.Section {
	facts := []document.Fact{p.fact("made", p.Made), p.fact("program", p.Program), p.fact("config", p.Config),
		p.fact("old_system", p.Source), p.fact("new_system", document.Term{Key: p.Target, Text: p.target()}),
		p.fact("depth", document.Term{Key: string(p.Depth), Text: p.say("depth." + string(p.Depth))}),
		p.fact("privacy", document.Term{Key: string(p.Privacy.Level), Text: p.say("privacy." + string(p.Privacy.Level))}), p.fact("zone", p.Zone.String())}
	return document.Section{Key: "about", Title: p.say("about.title"), Blocks: []document.Block{document.Text{p.say("about.text")}, document.Figures{Key: "about", Facts: facts}}}
}
