package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// A document is a TOML file on its way to a [Config]. It knows where each key
// stands, so that whatever is wrong can be told with its place.
type document struct {
	file        string
	text        []byte
	expressions []expression
	problems    []problem
}

// An expression is a key with its value, or the header of a section.
type expression struct {
	key          string // dotted, with the section
	section      bool
	offset       int
	line, column int
}

// readText returns a text file without its byte order mark. It takes at most
// limit octets, and UTF-8 only.
func readText(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	switch {
	case int64(len(text)) > limit:
		return nil, problem{path, 0, 0, fmt.Sprintf("larger than %d octets: is this the right file?", limit)}
	case bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")):
		return nil, problem{path, 0, 0, "the file is UTF-16: save it as UTF-8"}
	}
	for i, line := range bytes.Split(text, []byte("\n")) {
		if !utf8.Valid(line) {
			return nil, problem{path, i + 1, 0, "not UTF-8: save the file as UTF-8"}
		}
	}
	return text, nil
}

func readDocument(path string) (*document, error) {
	text, err := readText(path, 64<<10)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no such file: go to the folder of the migration, name the file with --config, or write one with \"mailhaul init\"", path)
	}
	if err != nil {
		return nil, err
	}
	d := &document{file: path, text: text}
	d.index()
	return d, nil
}

// index finds the expressions, as far as the syntax is right.
func (d *document) index() {
	var p unstable.Parser
	p.Reset(d.text)
	section := ""
	for p.NextExpression() {
		n := p.Expression()
		e := expression{section: n.Kind != unstable.KeyValue}
		var parts []string
		for k := n.Key(); k.Next(); {
			if parts == nil {
				start := p.Shape(k.Node().Raw).Start
				e.offset, e.line, e.column = start.Offset, start.Line, start.Column
			}
			parts = append(parts, string(k.Node().Data))
		}
		e.key = strings.Join(parts, ".")
		if e.section {
			section = e.key + "."
		} else {
			e.key = section + e.key
		}
		d.expressions = append(d.expressions, e)
	}
}

// decode returns the configuration that the document describes, and notes what
// it cannot decode. It is not complete if ok is false. The library stops at the
// first value that it cannot decode, so that one is wiped and the rest tried
// again, a hundred times at most.
func (d *document) decode() (c Config, ok bool) {
	text := bytes.Clone(d.text)
	for range 100 {
		c = defaults()
		err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&c)
		var unknown *toml.StrictMissingError
		if errors.As(err, &unknown) {
			for _, e := range unknown.Errors {
				line, column := e.Position()
				d.add(line, column, strings.Join(e.Key(), "."), unknownKey(e.Key()))
			}
			return c, true
		}
		var wrong *toml.DecodeError
		if !errors.As(err, &wrong) {
			if err != nil {
				d.add(0, 0, "", err.Error())
			}
			return c, err == nil
		}
		line, column := wrong.Position()
		i := d.expressionAt(line, column)
		if i < 0 || len(wrong.Key()) == 0 {
			d.add(line, column, "", strings.TrimPrefix(wrong.Error(), "toml: "))
			return c, false
		}
		e := d.expressions[i]
		for _, before := range d.expressions[:i] {
			if before.key == e.key {
				d.add(e.line, e.column, e.key, fmt.Sprintf("already set on line %d: delete one of the two", before.line))
				err = nil
				break
			}
		}
		if err != nil {
			d.add(line, column, e.key, wantedType(wrong.Key()))
		}
		if e.section {
			return c, false // without its header the keys of a section mean nothing
		}
		end := len(text)
		if i+1 < len(d.expressions) {
			end = bytes.LastIndexByte(text[:d.expressions[i+1].offset], '\n') + 1
		}
		for j := e.offset; j < end; j++ {
			if text[j] != '\n' {
				text[j] = ' '
			}
		}
	}
	return c, false
}

// expressionAt returns the index of the expression that holds a place, or -1.
func (d *document) expressionAt(line, column int) int {
	found := -1
	for i, e := range d.expressions {
		if e.line < line || e.line == line && e.column <= column {
			found = i
		}
	}
	return found
}

func (d *document) add(line, column int, key, text string) {
	if key != "" {
		text = key + ": " + text
	}
	d.problems = append(d.problems, problem{d.file, line, column, text})
}

// reject notes that the value of a key is not acceptable, once for each key. A
// key that is not in the document is reported at one that starts with it and
// "_", at its section, or else for the whole file.
func (d *document) reject(key, format string, args ...any) {
	if slices.ContainsFunc(d.problems, func(p problem) bool { return strings.HasPrefix(p.text, key+": ") }) {
		return
	}
	text := fmt.Sprintf(format, args...)
	for at := key; at != ""; at = at[:max(0, strings.LastIndexByte(at, '.'))] {
		for _, e := range d.expressions {
			if e.key == at || at == key && strings.HasPrefix(e.key, key+"_") {
				d.add(e.line, e.column, key, text)
				return
			}
		}
	}
	d.add(0, 0, key, text)
}

// has says whether the document sets the key, or something was wrong with it.
func (d *document) has(key string) bool {
	for _, e := range d.expressions {
		if e.key == key {
			return true
		}
	}
	return false
}

// fieldOf returns the default of a key, or a section with its defaults.
func fieldOf(key []string) (v reflect.Value, ok bool) {
	v = reflect.ValueOf(defaults())
	for _, k := range key {
		if v.Kind() != reflect.Struct || !slices.Contains(keysOf(v), k) {
			return v, false
		}
		v = v.FieldByNameFunc(func(name string) bool {
			f, _ := v.Type().FieldByName(name)
			return f.Tag.Get("toml") == k
		})
	}
	return v, true
}

// keysOf lists the keys of a section, or the sections.
func keysOf(v reflect.Value) []string {
	var ks []string
	for f := range v.Type().Fields() {
		if k := f.Tag.Get("toml"); k != "" {
			ks = append(ks, k)
		}
	}
	return ks
}

// unknownKey says what to write instead of a key that does not exist.
func unknownKey(key []string) string {
	last := len(key) - 1
	section, ok := fieldOf(key[:last])
	switch {
	case !ok || section.Kind() != reflect.Struct:
		return "no such key"
	case last == 0:
		return "no such section: there are [" + strings.Join(keysOf(section), "], [") + "]"
	}
	secret := key[last]
	if slices.Contains(keysOf(section), secret+"_env") {
		return fmt.Sprintf("secrets do not belong in this file: use %s_file, %[1]s_command or %[1]s_env, and change the secret if others have seen it", secret)
	}
	return fmt.Sprintf("no such key: [%s] has %s", strings.Join(key[:last], "."), strings.Join(keysOf(section), ", "))
}

// wantedType says what a key wants.
func wantedType(key []string) string {
	v, ok := fieldOf(key)
	if !ok {
		return "no such key"
	}
	k := key[len(key)-1]
	switch v.Kind() {
	case reflect.Struct:
		return fmt.Sprintf("want one section [%s] with keys below it", k)
	case reflect.Int:
		return "want a whole number, without quotes"
	case reflect.Bool:
		return "want true or false, without quotes"
	case reflect.Slice:
		return fmt.Sprintf("want a list of texts, as in %s = [\"one\", \"two\"]", k)
	}
	return fmt.Sprintf("want a text in quotes, as in %s = %q", k, cmp.Or(v.String(), "text"))
}
