package proposal

import (
	"slices"
	"strings"

	"github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/plan/assess"
)

// risks are all that is known to be trouble.
func (p *proposal) risks() document.Section {
	s := document.Section{Key: "risks", Title: p.say("risks.title"), Page: true, Blocks: []document.Block{document.Text{p.say("risks.text")}}}
	t := p.riskTable(p.Risks, "risks", "folders")
	t.Urgent, t.Empty = true, p.say("risks.none")
	s.Blocks = append(s.Blocks, t)
	var read, of int64
	for _, box := range p.Mailboxes {
		if a := box.Assessment; a != nil {
			read, of = read+a.Content.Messages, of+a.Content.Of
		}
	}
	switch {
	case read == 0:
		s.Blocks = append(s.Blocks, document.Text{p.say("risks.unread")})
	case read < of:
		s.Blocks = append(s.Blocks, document.Text{p.say("risks.sampled", "n", read, "of", of)}, p.sampleTable())
	default:
		s.Blocks = append(s.Blocks, document.Text{p.say("risks.whole", "n", read)})
	}
	s.Blocks = append(s.Blocks, p.exampleTable(), p.touchedTable())
	return s
}

// riskTable has risks, on the page without those columns.
func (p *proposal) riskTable(risks []assess.Risk, key string, hidden ...string) *document.Table {
	var rows [][]document.Value
	for _, r := range risks {
		e := p.catalogue.Explain(r.Key)
		rows = append(rows, []document.Value{document.Term{Key: r.Key, Text: e.Title}, p.severity(r.Severity), int64(len(r.Mailboxes)), some(r.Folders), some(r.Messages),
			e.What, e.Default, e.Remedy})
	}
	t := &document.Table{Key: key, Title: p.say("table." + key), Rows: rowsOf(rows)}
	for _, column := range []string{"risk", "severity", "mailboxes", "folders", "messages", "what", "default", "remedy"} {
		c := p.column(column)
		c.Hidden = slices.Contains(hidden, column)
		t.Columns = append(t.Columns, c)
	}
	return t
}

func (p *proposal) severity(s assess.Severity) document.Term {
	moods := map[assess.Severity]document.Mood{assess.Minor: document.Neutral, assess.Serious: document.Warn, assess.Severe: document.Bad}
	return document.Term{Key: string(s), Text: p.catalogue.Severity(s), Mood: moods[s]}
}

// sampleTable says how sure the numbers of the sample are, also of what was
// not seen in it.
func (p *proposal) sampleTable() *document.Table {
	var all []*assess.Assessment
	for _, box := range p.Mailboxes {
		if box.Assessment != nil {
			all = append(all, box.Assessment)
		}
	}
	var rows [][]document.Value
	for _, k := range assess.Kinds() {
		messages, s := assess.Estimate(all, k.Found)
		row := []document.Value{document.Term{Key: k.Risk, Text: p.catalogue.Explain(k.Risk).Title}, int64(0), messages, messages}
		if s != nil {
			row[1], row[3] = s.Found, s.Most
		}
		rows = append(rows, row)
	}
	return &document.Table{Key: "sample", Title: p.say("table.sample"), Note: p.say("table.sample_note"), Rows: rowsOf(rows),
		Columns: []document.Column{p.column("risk"), p.column("seen"), p.column("estimate"), p.column("at_most")}}
}

// exampleTable has some of what each risk touches. What servers say may hold
// anything, and is shown only where everything is.
func (p *proposal) exampleTable() *document.Table {
	var rows [][]document.Value
	for _, r := range p.Risks {
		for _, e := range r.Examples {
			var mailbox, folder, text document.Value
			if e.Mailbox != "" {
				mailbox = p.Privacy.Address(e.Mailbox)
			}
			if e.Folder != nil {
				folder = p.path(e.Folder)
			}
			if e.Text != "" && (p.Privacy.Everything() || r.Key == assess.ClockSkew) {
				text = strings.TrimSpace(e.Text)
			}
			rows = append(rows, []document.Value{document.Term{Key: r.Key, Text: p.catalogue.Explain(r.Key).Title}, mailbox, folder, bytesOf(e.Size), text})
		}
	}
	return &document.Table{Key: "examples", Title: p.say("table.examples"), Note: p.say("table.examples_note"), Rows: rowsOf(rows),
		Columns: []document.Column{p.column("risk"), p.column("mailbox"), p.column("folder"), p.column("size"), p.column("text")}}
}

// touchedTable has every mailbox that a risk touches, and is no part of the
// page.
func (p *proposal) touchedTable() *document.Table {
	return &document.Table{Key: "touched", Title: p.say("table.touched"), Hidden: true,
		Columns: []document.Column{p.column("risk"), p.column("mailbox"), p.column("folders"), p.column("messages")},
		Rows: func(yield func([]document.Value, error) bool) {
			for _, r := range p.Risks {
				risk := document.Term{Key: r.Key, Text: p.catalogue.Explain(r.Key).Title}
				for _, m := range r.Mailboxes {
					if !yield([]document.Value{risk, p.Privacy.Address(m.Mailbox), some(m.Folders), some(m.Messages)}, nil) {
						return
					}
				}
			}
		}}
}
