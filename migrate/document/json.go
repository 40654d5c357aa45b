package document

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
)

// A Member is one of the object that a document is in JSON, beside its own.
type Member struct {
	Key   string
	Value any // as encoding/json takes it
}

// WriteJSON writes the document as an object with a line for each member, and
// for each row of a table. The members are format, version, language, title,
// made, draft if it is one, then in the order of the sections their figures,
// tables and charts, and then more.
//
// A hidden table or column is there too. Every row has all columns, with null
// for none. Counts, sizes, percentages and durations are numbers; the latter
// two are fractions and seconds. Times are in UTC. A string is what it is, but
// no longer than 10,000 characters.
//
// If seal is given, it is called when all that comes before is written to w,
// and returns the last line without its end: further members and the brace that
// closes the object.
//
// The bytes depend on nothing but the arguments. A key that is not of letters a
// to z, digits and underscores, or that an object would have twice, is an error
// before anything is written.
func (d *Document) WriteJSON(w io.Writer, more []Member, seal func() (string, error)) error {
	members := []Member{
		{"format", d.Format},
		{"version", d.Version},
		{"language", d.Language.Tag()},
		{"title", plainText(d.Title)},
		{"made", plainTime(d.Made)},
	}
	if d.Draft != "" {
		members = append(members, Member{"draft", plainText(d.Draft)})
	}
	for _, s := range d.Sections {
		for _, b := range s.Blocks {
			m, ok, err := member(b)
			if err != nil {
				return err
			}
			if ok {
				members = append(members, m)
			}
		}
	}
	members = append(members, more...)
	if err := distinct("the document", members, func(m Member) string { return m.Key }); err != nil {
		return err
	}

	j := newJSONWriter(w)
	for i, m := range members {
		j.text(lead(i, "{", ",\n"))
		j.member(m)
	}
	if seal == nil {
		j.text("}\n")
		return j.flush()
	}
	j.text(",\n")
	if err := j.flush(); err != nil {
		return err
	}
	last, err := seal()
	if err != nil {
		return err
	}
	j.text(last + "\n")
	return j.flush()
}

// member says what of a block is data, and whether any of it is.
func member(b Block) (m Member, ok bool, err error) {
	switch b := b.(type) {
	case Figures:
		return Member{b.Key, b}, true, distinct(b.Key, b.Facts, func(f Fact) string { return f.Key })
	case *Table:
		return Member{b.Key, b}, true, distinct(b.Key, b.Columns, func(c Column) string { return c.Key })
	case *Chart:
		return Member{b.Key, plainChart(b)}, true, b.check()
	}
	return Member{}, false, nil
}

// A jsonWriter writes pieces of JSON. After an error it writes no more.
type jsonWriter struct {
	w       *bufio.Writer
	value   bytes.Buffer // one that is being encoded
	encoder *json.Encoder
	err     error
}

func newJSONWriter(w io.Writer) *jsonWriter {
	j := &jsonWriter{w: bufio.NewWriterSize(w, 64<<10)}
	j.encoder = json.NewEncoder(&j.value)
	j.encoder.SetEscapeHTML(false)
	return j
}

func (j *jsonWriter) member(m Member) {
	j.text(`"` + m.Key + `":`)
	switch v := m.Value.(type) {
	case Figures:
		j.figures(v)
	case *Table:
		j.table(v)
	default:
		j.encode(m.Key, v)
	}
}

func (j *jsonWriter) figures(f Figures) {
	j.text("{")
	for i, fact := range f.Facts {
		j.text(lead(i, "", ",") + `"` + fact.Key + `":`)
		j.cell(f.Key, fact.Key, fact.Value)
	}
	j.text("}")
}

func (j *jsonWriter) table(t *Table) {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = lead(i, "{", ",") + `"` + c.Key + `":`
	}
	j.text("[")
	n := 0
	for row, err := range t.Rows {
		if err == nil {
			err = t.fits(row)
		}
		if j.fail(err); j.err != nil {
			return
		}
		j.text(lead(n, "\n", ",\n"))
		n++
		for i, v := range row {
			j.text(names[i])
			j.cell(t.Key, t.Columns[i].Key, v)
		}
		j.text("}")
	}
	j.text(lead(n, "", "\n") + "]")
}

func (j *jsonWriter) cell(of, key string, v Value) {
	p, err := plain(v)
	if err != nil {
		j.fail(fmt.Errorf("document: %s: %s: %w", of, key, err))
		return
	}
	j.encode(key, p)
}

func (j *jsonWriter) encode(key string, v any) {
	j.value.Reset()
	if err := j.encoder.Encode(v); err != nil {
		j.fail(fmt.Errorf("document: %s: %w", key, err))
		return
	}
	if j.value.Truncate(j.value.Len() - 1); j.err == nil { // the encoder ends with a line feed
		_, j.err = j.w.Write(j.value.Bytes())
	}
}

func (j *jsonWriter) text(s string) {
	if j.err == nil {
		_, j.err = j.w.WriteString(s)
	}
}

func (j *jsonWriter) fail(err error) {
	if j.err == nil {
		j.err = err
	}
}

func (j *jsonWriter) flush() error {
	if j.err == nil {
		j.err = j.w.Flush()
	}
	return j.err
}

// lead is what comes before the piece with index i.
func lead(i int, first, others string) string {
	if i == 0 {
		return first
	}
	return others
}

var validKey = regexp.MustCompile(`^[a-z0-9_]+$`)

// distinct returns an error unless the keys of an object are valid and each is
// there once.
func distinct[T any](object string, members []T, key func(T) string) error {
	var seen []string
	for _, m := range members {
		k := key(m)
		if !validKey.MatchString(k) {
			return fmt.Errorf("document: %s: key %q is not of a to z, digits and underscores", object, k)
		}
		if slices.Contains(seen, k) {
			return fmt.Errorf("document: %s: key %q is there twice", object, k)
		}
		seen = append(seen, k)
	}
	return nil
}

// fits returns an error unless the row has a value for each column.
func (t *Table) fits(row []Value) error {
	if len(row) != len(t.Columns) {
		return fmt.Errorf("document: %s: a row of %d values in %d columns", t.Key, len(row), len(t.Columns))
	}
	return nil
}
