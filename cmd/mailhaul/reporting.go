package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/proof"
	"github.com/mailhaul/mailhaul/migrate/report"
)

// reporting is one call of "mailhaul report".
type reporting struct {
	config     *Config
	digest     string // of the configuration
	mailboxes  []Mailbox
	all        bool // they are all of the list
	draft      report.Draft
	out        string // the folder
	pdf        bool
	users      []Mailbox // who get a page
	evidence   string    // the file; empty for none
	recipients []age.Recipient
}

// defaultFolder is one of today that does not exist yet.
func (r *reporting) defaultFolder(dir string) string {
	name := "report-" + time.Now().In(r.config.Run.zone).Format(time.DateOnly)
	if r.draft != report.Final {
		name += "-draft"
	}
	return freeName(filepath.Join(dir, name), "")
}

// run writes the report, and says what is in it.
func (r *reporting) run(ctx context.Context, stdout io.Writer) (err error) {
	if r.evidence != "" {
		if err := absent(r.evidence); err != nil {
			return err
		}
	}
	store, err := r.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	mailboxes, err := readReported(ctx, store, r.mailboxes, r.all)
	if err != nil {
		return err
	}
	m, err := r.migration(ctx, mailboxes)
	if err != nil {
		return err
	}
	var s *seal
	if r.draft == report.Final {
		if s, err = r.seal(ctx, store.Log(), mailboxes, &m); err != nil {
			return err
		}
	}
	lacks, err := r.write(ctx, m, s, stdout)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout)
	switch r.draft {
	case report.Final:
		s.key.print(stdout)
	case report.Running:
		fmt.Fprintln(stdout, "It is a draft: it is not signed, and proves nothing.")
	case report.Partial:
		fmt.Fprintln(stdout, "It is a draft, since it is not on all mailboxes: it is not signed, and proves nothing.")
	}
	if r.evidence != "" {
		lack, err := r.writeEvidence(ctx, mailboxes, stdout)
		if err != nil {
			return err
		}
		lacks = append(lacks, lack...)
	}
	if len(lacks) > 0 {
		return &codeError{exitPerson, errors.New("the report is written; " + strings.Join(lacks, "; "))}
	}
	return nil
}

// open opens the checkpoints, for a draft also while a run is at work on them.
func (r *reporting) open() (*sqlite.Store, error) {
	path := r.config.Run.Checkpoints
	look, err := sqlite.OpenReadOnly(path) // which makes no file
	if err != nil || r.draft == report.Running {
		return look, err
	}
	holder, running, err := look.InUse()
	if err := errors.Join(err, look.Close()); err != nil {
		return nil, err
	}
	if running {
		return nil, &migrate.Error{Op: "open checkpoints", Class: migrate.Fatal,
			Err:  fmt.Errorf("%s is in use by %s", filepath.Base(path), holder),
			Hint: "Wait until that ends, or stop it. A draft can be written meanwhile: mailhaul report --draft"}
	}
	return sqlite.Open(path)
}

// migration is what the report is about.
func (r *reporting) migration(ctx context.Context, mailboxes []reported) (m report.Migration, err error) {
	c := r.config
	m = report.Migration{Routes: c.routes(), Rules: c.leftOut(), Limits: c.limitNames(), Draft: r.draft}
	for _, box := range mailboxes {
		m.Mailboxes = append(m.Mailboxes, report.Mailbox{Source: box.Source, Target: box.Target, Ledger: box.ledger, Tallies: box.tallies})
	}
	if m.Cover, err = c.cover(ctx, r.digest); err != nil {
		return m, err
	}
	m.Host, err = os.Hostname()
	return m, err
}

// A seal is what proves a report.
type seal struct {
	key *signingKey
	log proof.Log
}

// seal brings the log up to date, and tells the report of it.
func (r *reporting) seal(ctx context.Context, log proof.Log, mailboxes []reported, m *report.Migration) (*seal, error) {
	key, err := r.config.Report.key(ctx)
	if err != nil {
		return nil, err
	}
	heads, err := log.Heads(ctx)
	if err != nil {
		return nil, err
	}
	for i, head := range heads {
		if _, _, err := proof.OpenHead(head, key.public...); err != nil {
			return nil, withHint(fmt.Errorf("report %d of this migration: %w", i+1, err),
				"Put back the key that earlier reports were signed with. If it is lost, add its public key to "+r.config.Report.publicFile()+", as one more line.")
		}
	}
	var boxes []proof.Mailbox
	for _, box := range mailboxes {
		if box.proofs != nil {
			boxes = append(boxes, proof.Mailbox{Source: box.Source, Target: box.Target, Ledger: box.proofs})
		}
	}
	if _, err := proof.Update(ctx, log, boxes...); err != nil {
		return nil, err
	}
	secret, err := log.Secret(ctx)
	if err != nil {
		return nil, err
	}
	m.Key = fmt.Sprintf("%s+%08x", key.own.Name(), key.own.KeyHash())
	m.Nonce = func(kind, value string) string { return proof.Nonce(secret, kind, value) }
	return &seal{key, log}, nil
}

// writeEvidence writes the evidence, and says what of it is not there. Its error
// is that of ctx.
func (r *reporting) writeEvidence(ctx context.Context, mailboxes []reported, stdout io.Writer) (lacks []string, err error) {
	begun := slices.DeleteFunc(slices.Clone(mailboxes), func(m reported) bool { return m.ledger == nil })
	k := &connections{config: r.config} // that open no target
	n, err := writeEvidence(ctx, r.evidence, r.recipients, k, begun)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return []string{fmt.Sprintf("the evidence is not: %v", err)}, nil
	}
	fmt.Fprintf(stdout, "\nThe evidence is %s, encrypted: %s.\n", r.evidence, count(n[complete]+n[different], "message", "messages"))
	for _, s := range []struct {
		state     state
		one, many string
	}{
		{different, "message has changed at the source since it was copied.", "messages have changed at the source since they were copied."},
		{gone, "message is not in it: the source has it no more.", "messages are not in it: the source has them no more."},
		{unread, "message is not in it: the source did not deliver it. Its index says why.", "messages are not in it: the source did not deliver them. Its index says why."},
	} {
		if n[s.state] > 0 {
			fmt.Fprintln(stdout, count(n[s.state], s.one, s.many))
		}
	}
	if n[unread] > 0 {
		lacks = append(lacks, count(n[unread], "message is not in the evidence", "messages are not in the evidence"))
	}
	return lacks, nil
}
