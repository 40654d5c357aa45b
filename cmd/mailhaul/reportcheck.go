package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/proof"
)

func newReportCheckCommand() *cobra.Command {
	var key string
	var earlier []string
	c := &cobra.Command{
		Use:   "check FILE",
		Short: "Check that a report, or a proof, is what was signed",
		Long: `check says whether a report.json is what was signed: whether nothing in it was
changed, left out or added since, its sums are those of the log, and the log goes
on from that of each earlier report. The files beside it are checked too, as far
as they are there; report.log.gz must be. It also checks a proof that "mailhaul
report prove" wrote.

It needs no configuration and no network. The public key is that of --key, else
report.pub beside the file, which anybody who makes up a report could have put
there: compare the fingerprint with the one that you were given by another way.

What was signed is what mailhaul recorded. docs/proof.md has the format, and a
checker in another language.

Exit codes:
  0    it is what was signed
  1    it is not, or it cannot be read: each problem is named; or it is a draft
  2    the command line is wrong
  130  interrupted`,
		Example: `  mailhaul report check report-2026-11-22/report.json --key acme.pub
  mailhaul report check report-2026-11-22/report.json --earlier report-2026-10-01/report.json
  mailhaul report check proof.json --key acme.pub`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("name one file, a report.json or a proof")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			ch := checking{file: args[0], keyFile: key, out: c.OutOrStdout()}
			is, err := isProof(ch.file)
			if err != nil {
				return err
			}
			if is && len(earlier) > 0 {
				return &codeError{exitUsage, errors.New("--earlier is for reports: this is a proof")}
			}
			if ch.keyFile == "" {
				ch.keyFile = filepath.Join(filepath.Dir(ch.file), reportPub)
			}
			ch.beside = key == ""
			if ch.keys, err = readKeys(ch.keyFile); err != nil {
				return withHint(err, "Name it with --key.")
			}
			if is {
				return ch.proof()
			}
			return ch.report(c.Context(), earlier)
		},
	}
	c.Flags().StringVar(&key, "key", "", "`file` with the public key (default: report.pub beside the report)")
	c.Flags().StringSliceVar(&earlier, "earlier", nil, "report.json of an earlier report, a `file`, that this one must go on from (may be repeated)")
	return c
}

var proofStart = regexp.MustCompile(`^\s*\{\s*"format"\s*:\s*"` + proof.ProofFormat + `"`)

// isProof says whether a file calls itself a proof.
func isProof(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	start, err := io.ReadAll(io.LimitReader(f, 256))
	return proofStart.Match(start), err
}

// checking is one call of "mailhaul report check".
type checking struct {
	file    string
	keyFile string
	beside  bool // keyFile is the one beside the file
	keys    []proof.Key
	out     io.Writer
}

func (c checking) report(ctx context.Context, earlier []string) error {
	var heads []string
	for _, path := range earlier {
		head, err := lastHead(ctx, path)
		if err != nil {
			return c.fails(fmt.Errorf("the earlier report %s: %w", path, err))
		}
		heads = append(heads, head)
	}
	r, err := proof.Check(ctx, os.DirFS(filepath.Dir(c.file)), filepath.Base(c.file), c.keys, heads...)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return c.fails(err)
	}
	fmt.Fprintf(c.out, "%s is good: it is the report that was signed at %s, and nothing in it was changed, left out or added since.\n\n",
		printable(filepath.Base(c.file)), utc(r.Head.Made))
	fmt.Fprintf(c.out, "Log:          %s, on %s in %s of %s; the sums of the report are theirs\n", count(r.Head.Tree.N, "entry", "entries"),
		count(r.Messages, "message", "messages"), count(int64(r.Folders), "folder", "folders"), count(int64(r.Mailboxes), "mailbox", "mailboxes"))
	var outcomes []string
	for o := range migrate.Outcomes {
		if r.Count[o] > 0 {
			outcomes = append(outcomes, thousands(r.Count[o])+" "+o.String())
		}
	}
	fmt.Fprintf(c.out, "Messages:     %s\n", strings.Join(outcomes, ", "))
	if r.Named > 0 {
		fmt.Fprintf(c.out, "Names:        those of %s are the ones that the log was made with\n", count(int64(r.Named), "folder", "folders"))
	}
	fmt.Fprintf(c.out, "Unchanged:    %s\n", printable(strings.Join(r.Files, ", ")))
	if len(r.Absent) > 0 {
		fmt.Fprintf(c.out, "Not there:    %s\n", printable(strings.Join(r.Absent, ", ")))
	}
	for _, h := range r.Earlier {
		fmt.Fprintf(c.out, "Goes on from: the report that was signed at %s, with %s\n", utc(h.Made), count(h.Tree.N, "entry", "entries"))
	}
	c.key(r.Key)
	return nil
}

func lastHead(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return proof.LastHead(ctx, f)
}

func (c checking) proof() error {
	text, err := readText(c.file, 1<<20)
	if err != nil {
		return err
	}
	p, err := proof.CheckProof(text, c.keys)
	if err != nil {
		return c.fails(err)
	}
	m := p.Message
	fmt.Fprintf(c.out, "%s is good: it is in the log of %s that was signed at %s.\n\n", printable(filepath.Base(c.file)), count(p.Head.Tree.N, "entry", "entries"), utc(p.Head.Made))
	fmt.Fprintf(c.out, "Message:      UID %d in folder %d, %s\n", m.UID, m.Folder, octets(m.Size))
	if p.Names != nil {
		fmt.Fprintf(c.out, "Names:        %s, from %s to %s\n", printable(strings.Join(p.Names.Path, " / ")), printable(p.Names.Source), printable(p.Names.Target))
	}
	fmt.Fprintf(c.out, "Outcome:      %s", m.Outcome)
	if !m.Settled.IsZero() {
		fmt.Fprintf(c.out, " at %s", utc(m.Settled))
	}
	fmt.Fprintln(c.out)
	if m.Source != (proof.Digest{}) {
		fmt.Fprintf(c.out, "SHA-256:      %x, of its octets in the old system\n", m.Source)
	}
	if m.Target != "" {
		fmt.Fprintf(c.out, "Id:           %s, in the new system\n", printable(string(m.Target)))
	}
	if m.Replica != (proof.Digest{}) {
		fmt.Fprintf(c.out, "Read back:    %x, the digest of its canonical form in the new system\n", m.Replica)
	}
	c.key(p.Key)
	return nil
}

// key says which key signed, and what that is worth.
func (c checking) key(k proof.Key) {
	fmt.Fprintf(c.out, "\nKey:          %s, from %s\nFingerprint:  %s\n", k.Name(), printable(c.keyFile), k.Fingerprint())
	if c.beside {
		fmt.Fprintln(c.out, "\nThe key was beside it: so far this shows only that both belong together. Compare the\n"+
			"fingerprint with the one that you were given by another way, or name that key with --key.")
	}
}

// fails says what is wrong.
func (c checking) fails(err error) error {
	fmt.Fprintf(c.out, "%s is NOT good:\n", printable(filepath.Base(c.file)))
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(c.out, "  %s\n", printable(strings.TrimSuffix(line, "\n")))
	}
	return &codeError{exitError, nil}
}

// utc writes a time that people everywhere compare.
func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
