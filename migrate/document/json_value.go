package document

import (
	"fmt"
	"math"
	"time"
)

// mostText is how many characters of a string are in JSON.
const mostText = 10_000

// plain gives a value the type by which encoding/json writes it.
func plain(v Value) (any, error) {
	switch v := v.(type) {
	case nil, bool, int64:
		return v, nil
	case string:
		return plainText(v), nil
	case Bytes:
		return int64(v), nil
	case float64:
		return plainNumber(v), nil
	case Percent:
		return plainNumber(float64(v)), nil
	case time.Time:
		return plainTime(v), nil
	case Date:
		return time.Time(v).Format(time.DateOnly), nil
	case time.Duration:
		return v.Seconds(), nil
	case Money:
		return struct {
			Minor    int64  `json:"minor"`
			Currency string `json:"currency"`
		}{v.Minor, v.Currency}, nil
	case Term:
		return v.Key, nil
	case List:
		texts := make([]string, len(v))
		for i, s := range v {
			texts[i] = plainText(s)
		}
		return texts, nil
	}
	return nil, fmt.Errorf("a value cannot be a %T", v)
}

// plainText bounds the length of s. What is not UTF-8 encoding/json replaces.
func plainText(s string) string {
	n := 0
	for i := range s {
		if n++; n > mostText {
			return s[:i]
		}
	}
	return s
}

// plainNumber is nil for what JSON has no number for.
func plainNumber(v float64) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return v
}

func plainTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// plainChart is the figures of a chart: for each label or time, a value of each
// series; and the spans of a Gantt.
func plainChart(c *Chart) any {
	type series struct {
		Name   string `json:"name"`
		Values []any  `json:"values"`
		Limit  bool   `json:"limit,omitempty"`
	}
	type span struct {
		Row    int    `json:"row"`
		Series int    `json:"series"`
		Start  string `json:"start"`
		End    string `json:"end"`
		Text   string `json:"text"`
	}
	p := struct {
		Unit   string   `json:"unit"`
		Labels []string `json:"labels,omitempty"`
		Times  []string `json:"times,omitempty"`
		Series []series `json:"series"`
		Spans  []span   `json:"spans,omitempty"`
	}{Unit: plainText(c.Unit), Series: []series{}}
	for _, l := range c.Labels {
		p.Labels = append(p.Labels, plainText(l))
	}
	for _, t := range c.Times {
		p.Times = append(p.Times, plainTime(t))
	}
	for _, s := range c.Series {
		values := make([]any, len(s.Values))
		for i, v := range s.Values {
			values[i] = plainNumber(v)
		}
		p.Series = append(p.Series, series{plainText(s.Name), values, s.Limit})
	}
	for _, s := range c.Spans {
		p.Spans = append(p.Spans, span{s.Row, s.Series, plainTime(s.Start), plainTime(s.End), plainText(s.Text)})
	}
	return p
}
