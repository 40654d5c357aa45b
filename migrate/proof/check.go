package proof

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/mailhaul/mailhaul/migrate"
)

// A Result is what a report that was found good proves.
type Result struct {
	Head      Head   // Head.Tree.N is how many entries the log has
	Key       Key    // that signed it
	Earlier   []Head // those of earlier reports, the oldest first
	Mailboxes int
	Folders   int
	Named     int                     // of Folders, those that are shown with names, which are theirs
	Messages  int64                   // that were ever listed
	Count     [migrate.Outcomes]int64 // of them by outcome
	Files     []string                // beside it, unchanged
	Absent    []string                // files that should be beside it and are not there
}

// ErrDraft is what Check returns of a report that was made while a run was at
// work.
var ErrDraft = errors.New("the report is a draft, made while a run was at work: it is not signed and proves nothing")

// Problems are what is wrong with a report, each in a sentence.
type Problems struct {
	Found []string // at most 20
	More  int
}

func (p *Problems) Error() string {
	text := strings.Join(p.Found, "\n")
	if p.More > 0 {
		text += fmt.Sprintf("\nand %d more", p.More)
	}
	return text
}

const mostProblems = 20

func (p *Problems) add(format string, args ...any) {
	if len(p.Found) == mostProblems {
		p.More++
		return
	}
	p.Found = append(p.Found, fmt.Sprintf(format, args...))
}

// Check checks the report.json of that name in dir, with the files beside it,
// against public keys that came by a way of their own. Earlier are heads of
// earlier reports, as [LastHead] returns them, that must be in its chain. The
// error is [ErrDraft], [Problems], or that of a report that cannot be read.
//
// It reads each file once or twice, whatever they claim to hold. Its memory is
// that of the folders, of the exceptions and of about 50 octets for each message.
func Check(ctx context.Context, dir fs.FS, name string, keys []Key, earlier ...string) (*Result, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c := &check{ctx: ctx, dir: dir}
	c.report, err = readReport(ctx, f)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		c.problems.add("%s is damaged, or no report of mailhaul: %v", name, err)
	case c.report.format != Format:
		c.problems.add("%s is no report of mailhaul", name)
	case c.report.version != Version:
		c.problems.add("%s is a report of version %d, and this mailhaul knows version %d: use the one that made it", name, c.report.version, Version)
	case c.report.draft:
		return nil, ErrDraft
	case c.signed(keys):
		c.chain(keys, earlier)
		if err := c.log(); err != nil {
			return nil, err
		}
		c.files()
	}
	if len(c.problems.Found) > 0 {
		return nil, &c.problems
	}
	return &c.result, nil
}

// A check is one run of Check.
type check struct {
	ctx      context.Context
	dir      fs.FS
	report   *report
	result   Result
	problems Problems
}

// signed checks the head. Without it nothing else would mean anything.
func (c *check) signed(keys []Key) bool {
	var err error
	if c.result.Head, c.result.Key, err = OpenHead(c.report.head, keys...); err != nil {
		c.problems.add("the head of the report: %v", err)
		return false
	}
	if c.report.last != LastLine(c.report.head)+"\n" {
		c.problems.add("the last line is not the head as mailhaul writes it")
	}
	if c.report.digest != c.result.Head.Report {
		c.problems.add("the report was changed after it was signed")
	}
	return true
}

// chain checks the heads of earlier reports.
func (c *check) chain(keys []Key, earlier []string) {
	all := append(slices.Clone(c.report.heads), c.report.head)
	var before Head
	var previous Digest
	for i, signed := range all {
		h, _, err := OpenHead(signed, keys...)
		switch {
		case err != nil:
			c.problems.add("the head of report %d: %v", i+1, err)
		case h.Previous != previous:
			c.problems.add("report %d is not chained to the one before it", i+1)
		case h.Tree.N < before.Tree.N:
			c.problems.add("the log of report %d is shorter than that of the one before it", i+1)
		case h.Made.Before(before.Made):
			c.problems.add("report %d was made before the one before it", i+1)
		}
		previous, before = sha256.Sum256([]byte(signed)), h
		if i < len(all)-1 {
			c.result.Earlier = append(c.result.Earlier, h)
		}
	}
	for _, signed := range earlier {
		if !slices.Contains(all, signed) {
			c.problems.add("the earlier report that was given is none of those before this one")
		}
	}
}

// LastHead returns the head of the report.json that r is, unchecked.
func LastHead(ctx context.Context, r io.Reader) (string, error) {
	rep, err := readReport(ctx, r)
	if err != nil {
		return "", err
	}
	if rep.draft {
		return "", ErrDraft
	}
	return rep.head, nil
}
