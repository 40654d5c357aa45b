package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/mailhaul/mailhaul/migrate/plan"
)

// planList is the list of mailboxes with the waves that a plan has packed.
const planList = "mailboxes.csv"

// packed puts the mailboxes that were assessed into waves, and forecasts them.
func (p *planning) packed(ctx context.Context, m *plan.Migration, all []assessed) (*plan.Forecast, error) {
	var groups []string
	for _, a := range all {
		if a.err == nil {
			groups = append(groups, strings.ToLower(a.Group))
		}
	}
	f, err := m.Packed(ctx, groups)
	if err != nil {
		return nil, err
	}
	p.waves = map[string]string{}
	for _, b := range f.Mailboxes {
		p.waves[b.Name] = b.Wave
	}
	for i := range all {
		all[i].Wave = p.waves[all[i].Source]
	}
	return f, nil
}

// writeList writes the list of mailboxes with the waves of the plan.
func (p *planning) writeList(w io.Writer) error {
	text, err := os.ReadFile(p.config.Run.Mailboxes)
	if err == nil {
		text, err = withWaves(text, p.waves)
	}
	if err == nil {
		_, err = w.Write(text)
	}
	return err
}

// withWaves returns a list of mailboxes in which each has the wave that is named
// by its source, or none. All else stays as it is, remarks too.
func withWaves(list []byte, waves map[string]string) ([]byte, error) {
	text := bytes.TrimPrefix(list, []byte("\xef\xbb\xbf"))
	out := bytes.NewBuffer(list[: len(list)-len(text) : len(list)-len(text)])
	r := newListReader(text)
	lines := []int{0} // where each begins
	for line := range bytes.Lines(text) {
		lines = append(lines, lines[len(lines)-1]+len(line))
	}
	source, wave := -1, -1 // columns
	copied := 0
	for {
		row, err := r.Read()
		if err == io.EOF {
			_, err = out.Write(text[copied:])
			return out.Bytes(), err
		}
		if err != nil {
			return nil, err
		}
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		value := "wave"
		switch {
		case !slices.ContainsFunc(row, func(s string) bool { return s != "" }):
			continue
		case source < 0:
			named := func(name string) func(string) bool {
				return func(s string) bool { return strings.EqualFold(s, name) }
			}
			source = slices.IndexFunc(row, named("source"))
			if wave = slices.IndexFunc(row, named("wave")); wave >= 0 {
				continue
			}
			if wave = len(row); row[wave-1] == "" { // a separator at the end of the line
				wave--
			}
		default:
			value = waves[row[min(source, len(row)-1)]]
		}
		start, end := extent(text, r, lines, row, wave)
		out.Write(text[copied:start])
		out.WriteString(strings.Repeat(string(r.Comma), max(wave-len(row)+1, 0)) + value)
		copied = end
	}
}

// extent says where a field of the row that was read begins and ends; one that is
// not there does so at the end of the row.
func extent(text []byte, r *csv.Reader, lines []int, row []string, i int) (start, end int) {
	at := func(i int) int {
		line, column := r.FieldPos(i)
		return lines[line-1] + column - 1
	}
	if end = len(bytes.TrimRight(text[:r.InputOffset()], "\r\n")); i >= len(row) {
		return end, end
	}
	if i < len(row)-1 {
		end = len(bytes.TrimRightFunc(text[:at(i+1)], unicode.IsSpace)) - 1 // before the separator
	}
	return at(i), end
}
