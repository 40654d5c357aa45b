package main

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
)

// A problem is a mistake in a file that a person wrote. Files are read to the
// end, so that one run shows all of them.
type problem struct {
	file         string
	line, column int // from 1; 0 if the file as a whole is meant
	text         string
}

// Error says where, what and what to do: "mailhaul.toml:12:1: ...".
func (p problem) Error() string {
	name := filepath.Base(p.file)
	switch {
	case p.line == 0:
		return fmt.Sprintf("%s: %s", name, p.text)
	case p.column == 0:
		return fmt.Sprintf("%s:%d: %s", name, p.line, p.text)
	}
	return fmt.Sprintf("%s:%d:%d: %s", name, p.line, p.column, p.text)
}

// joined returns the problems of one file as one error, a line each, in the
// order of the file, or nil.
func joined(ps []problem) error {
	slices.SortStableFunc(ps, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	var errs []error
	for _, p := range ps {
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}
