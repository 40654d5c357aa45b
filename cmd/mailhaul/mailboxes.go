package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/mail"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// A Mailbox is a row of mailboxes.csv.
type Mailbox struct {
	Source   string    // login name at the source
	Target   string    // address at the target
	Wave     string    // which mailboxes move together; may be empty
	Group    string    // which mailboxes are in one wave when a plan packs them; may be empty
	Password SecretRef // of this mailbox; zero if [source] has one for all
	Line     int
}

// mailboxColumns are the columns that mailboxes.csv may have. The first two
// must be there.
func mailboxColumns() []string {
	return []string{"source", "target", "wave", "group", "password_file", "password_command", "password_env"}
}

// loadMailboxes reads a mailbox list: CSV with a header that names the columns
// in any order, separated by "," or ";", in UTF-8. Blank lines and lines that
// start with "#" are skipped. The error lists every mistake in it.
func loadMailboxes(path string) ([]Mailbox, error) {
	text, err := readText(path, 64<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no such file: write it, or name the right one with mailboxes in [run]", path)
	}
	if err != nil {
		return nil, err
	}
	l := mailboxList{file: path, sources: map[string]int{}, targets: map[string]int{}}
	r := newListReader(text)
	for {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		var malformed *csv.ParseError
		if errors.As(err, &malformed) {
			l.add(malformed.StartLine, "quotes are wrong: put the whole field in quotes and double those within, or use none")
			continue
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		switch {
		case !slices.ContainsFunc(row, func(s string) bool { return s != "" }):
			// A spreadsheet saves empty rows as separators.
		case l.columns == nil:
			if !l.header(line, row) {
				return nil, joined(l.problems)
			}
		default:
			l.row(line, row)
		}
	}
	if len(l.mailboxes) == 0 && len(l.problems) == 0 {
		l.add(0, "no mailboxes: the first line must be source,target and each further one a mailbox")
	}
	return l.mailboxes, joined(l.problems)
}

// newListReader reads the rows of a mailbox list.
func newListReader(text []byte) *csv.Reader {
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma = separatorOf(text)
	r.Comment = '#'
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = true
	return r
}

// separatorOf returns the separator of the header line.
func separatorOf(text []byte) rune {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			if bytes.Count(line, []byte(";")) > bytes.Count(line, []byte(",")) {
				return ';'
			}
			break
		}
	}
	return ','
}

// A mailboxList is a mailbox list that is being read.
type mailboxList struct {
	file             string
	columns          []string
	mailboxes        []Mailbox
	sources, targets map[string]int // in lower case: the line where it stands first
	problems         []problem
}

func (l *mailboxList) add(line int, format string, args ...any) {
	l.problems = append(l.problems, problem{l.file, line, 0, fmt.Sprintf(format, args...)})
}

// header reads the names of the columns. It returns false if rows would make
// no sense.
func (l *mailboxList) header(line int, row []string) bool {
	if slices.ContainsFunc(row, isAddress) {
		l.add(line, "the first line must name the columns, as in source,target,wave")
		return false
	}
	for i, name := range row {
		name = strings.ToLower(name)
		switch {
		case name == "" && i == len(row)-1:
			// a separator at the end of the line
		case name == "password" || name == "token":
			l.add(line, "%ss do not belong in this file: use the column password_file, password_command or password_env", name)
		case !slices.Contains(mailboxColumns(), name):
			l.add(line, "unknown column %q: there are %s", name, strings.Join(mailboxColumns(), ", "))
		case slices.Contains(l.columns, name):
			l.add(line, "column %q is there twice", name)
		}
		l.columns = append(l.columns, name)
	}
	for _, name := range mailboxColumns()[:2] {
		if !slices.Contains(l.columns, name) {
			l.add(line, "no column %q: the first line must name the columns, as in source,target,wave", name)
		}
	}
	return slices.Contains(l.columns, "source") && slices.Contains(l.columns, "target")
}

func (l *mailboxList) row(line int, row []string) {
	if len(row) > len(l.columns) && slices.ContainsFunc(row[len(l.columns):], func(s string) bool { return s != "" }) {
		l.add(line, "%d fields, but there are %d columns: put a field that has the separator in it in quotes", len(row), len(l.columns))
		return
	}
	field := func(name string) string {
		if i := slices.Index(l.columns, name); i >= 0 && i < len(row) {
			return row[i]
		}
		return ""
	}
	m := Mailbox{Source: field("source"), Target: field("target"), Wave: field("wave"), Group: field("group"), Line: line}
	m.Password = SecretRef{File: field("password_file"), Env: field("password_env")}
	dir := filepath.Dir(l.file)
	if f := m.Password.File; f != "" && !filepath.IsAbs(f) {
		m.Password.File = filepath.Join(dir, f)
	}
	if words := strings.Fields(field("password_command")); len(words) > 0 {
		words[0] = commandPath(words[0], dir)
		m.Password.Command = words
	}
	before := len(l.problems)
	if m.Source == "" {
		l.add(line, "no source: write the login name at the old server in the column source")
	} else if strings.ContainsFunc(m.Source, unicode.IsControl) {
		l.add(line, "source %q has control characters", m.Source)
	}
	if m.Target == "" {
		l.add(line, "no target: write the address of the new mailbox in the column target")
	} else if !isAddress(m.Target) {
		l.add(line, "target %q is not an address, as in anna@example.com", m.Target)
	}
	if m.Password.ways() > 1 {
		l.add(line, "set only one of password_file, password_command and password_env")
	}
	l.unique(line, "source", m.Source, l.sources)
	l.unique(line, "target", m.Target, l.targets)
	if len(l.problems) == before {
		l.mailboxes = append(l.mailboxes, m)
	}
}

// unique notes if name stands in an earlier row.
func (l *mailboxList) unique(line int, column, name string, seen map[string]int) {
	if name == "" {
		return
	}
	key := strings.ToLower(name)
	if first, ok := seen[key]; ok {
		l.add(line, "%s %q is on line %d already: each mailbox may be there once", column, name, first)
		return
	}
	seen[key] = line
}

// isAddress says whether s is a mail address and nothing else.
func isAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}
