package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/proof"
)

func newReportProveCommand() *cobra.Command {
	var p proving
	var file, out string
	var uid uint32
	var names bool
	c := &cobra.Command{
		Use:   "prove",
		Short: "Prove what became of one message",
		Long: `prove writes a small proof that the latest report says of a message what became
of it. Who has the public key can check it with "mailhaul report check", without
the report and without seeing anything of other mail.

The message is named by its Message-ID, by a file with its octets as the old
system has them, or by its UID; --mailbox and --folder say where. If several fit,
they are listed, and nothing is proven.

A proof has no names in it, unless --names adds those of the mailbox and the
folder. It is written to stdout unless --out names a file.

Exit codes:
  0    the proof is written
  1    fatal error: no message fits, or what is known of it is in no report yet
  2    the command line is wrong, or several messages fit
  130  interrupted`,
		Example: `  mailhaul report prove --message-id '<4711@example.com>' --out proof.json
  mailhaul report prove --file letter.eml --mailbox ann@example.com
  mailhaul report prove --mailbox ann@example.com --folder Archive/2019 --uid 4711 --names`,
		RunE: func(c *cobra.Command, _ []string) error {
			p.uid = migrate.UID(uid)
			if p.messageID == "" && file == "" && p.uid == 0 {
				return &codeError{exitUsage, errors.New("say which message, with --message-id, --file or --uid")}
			}
			if file != "" {
				var err error
				if p.digest, err = digestOf(file); err != nil {
					return err
				}
			}
			if out != "" {
				if err := absent(out); err != nil {
					return err
				}
			}
			path, _ := c.Flags().GetString("config")
			config, mailboxes, err := loadMigration(path)
			if err != nil {
				return err
			}
			text, err := p.prove(c.Context(), config, mailboxes, names, c.ErrOrStderr())
			if err != nil {
				return err
			}
			if out != "" {
				return writeNew(out, string(text))
			}
			_, err = c.OutOrStdout().Write(text)
			return err
		},
	}
	c.Flags().StringVar(&p.messageID, "message-id", "", "the message with this `Message-ID`")
	c.Flags().StringVar(&file, "file", "", "the message whose octets are in this `file`")
	c.Flags().Uint32Var(&uid, "uid", 0, "the message with this `UID`")
	c.Flags().StringVar(&p.mailbox, "mailbox", "", "only in the mailbox with this `address`, at the source or the target")
	c.Flags().StringVar(&p.folder, "folder", "", "only in the folder with this `path`, with / between its parts")
	c.Flags().BoolVar(&names, "names", false, "show in the proof whose message it is, and the name of its folder")
	c.Flags().StringVar(&out, "out", "", "`file` to write the proof to, which must not exist")
	return c
}

func digestOf(path string) (d migrate.Digest, err error) {
	f, err := os.Open(path)
	if err != nil {
		return d, err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return d, err
	}
	return migrate.Digest(sum.Sum(nil)), nil
}

// proving says which message is to be proven; what is empty fits all.
type proving struct {
	messageID string
	digest    migrate.Digest
	mailbox   string
	folder    string
	uid       migrate.UID
}

// A hit is a message that fits.
type hit struct {
	mailbox Mailbox
	folder  migrate.Folder
	record  migrate.Record
}

func (h hit) String() string {
	return fmt.Sprintf("--mailbox %s --folder %q --uid %d", printable(h.mailbox.Source), strings.Join(h.folder.Path, "/"), h.record.UID)
}

// mostHits is how many messages that fit are listed.
const mostHits = 20

func (p proving) prove(ctx context.Context, config *Config, mailboxes []Mailbox, named bool, stderr io.Writer) ([]byte, error) {
	store, err := sqlite.OpenReadOnly(config.Run.Checkpoints)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	all, err := readReported(ctx, store, mailboxes, true)
	if err != nil {
		return nil, err
	}
	hits, err := p.find(ctx, all)
	if err != nil {
		return nil, err
	}
	switch {
	case len(hits) == 0:
		return nil, withHint(errors.New("no message that a run has listed fits"),
			"A file must hold the octets that the old system delivers over IMAP, with CRLF at the ends of lines.")
	case len(hits) > 1:
		text := "several messages fit: say which"
		for _, h := range hits[:min(len(hits), mostHits)] {
			text += "\n  " + h.String()
		}
		if len(hits) > mostHits {
			text += "\n  and more"
		}
		return nil, &codeError{exitUsage, errors.New(text)}
	}
	h := hits[0]
	var names *proof.Names
	if named {
		names = &proof.Names{Source: h.mailbox.Source, Target: h.mailbox.Target, Path: h.folder.Path}
	}
	text, err := proof.Prove(ctx, store.Log(), h.record.Folder, h.record.UID, names)
	if err != nil {
		return nil, err
	}
	return text, config.Report.compare(text, h.record, stderr)
}

// find returns the messages that fit, but not many more than can be listed.
func (p proving) find(ctx context.Context, mailboxes []reported) (hits []hit, err error) {
	for _, m := range mailboxes {
		if m.ledger == nil || p.mailbox != "" && !strings.EqualFold(p.mailbox, m.Source) && !strings.EqualFold(p.mailbox, m.Target) {
			continue
		}
		folders, err := m.ledger.Folders(ctx)
		if err != nil {
			return nil, err
		}
		for _, f := range folders {
			if p.folder != "" && p.folder != strings.Join(f.Folder.Path, "/") {
				continue
			}
			from, to := migrate.UID(1), ^migrate.UID(0)
			if p.uid != 0 {
				from, to = p.uid, p.uid
			}
			for r, err := range m.proofs.Records(ctx, f.ID, from, to) {
				if err != nil {
					return nil, err
				}
				if !p.fits(r) {
					continue
				}
				if hits = append(hits, hit{m.Mailbox, f.Folder, r}); len(hits) > mostHits {
					return hits, nil
				}
			}
		}
	}
	return hits, nil
}

func (p proving) fits(r migrate.Record) bool {
	if p.digest != (migrate.Digest{}) && p.digest != r.Digest {
		return false
	}
	bare := func(id string) string { return strings.Trim(id, " <>") }
	id := bare(r.MessageID)
	return p.messageID == "" || bare(p.messageID) == id || len(r.MessageID) > migrate.MaxMessageID-4 && strings.HasPrefix(bare(p.messageID), id) // it was cut
}

// compare checks a proof as its reader will, says what it proves, and whether
// more is known of the message by now.
func (r ReportConfig) compare(text []byte, record migrate.Record, stderr io.Writer) error {
	keys, err := readKeys(r.publicFile())
	if err != nil {
		return err
	}
	p, err := proof.CheckProof(text, keys)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "The report that was signed at %s says of this message: %s.\n", utc(p.Head.Made), p.Message.Outcome)
	if m := p.Message; m.Outcome != record.Outcome || m.Target != record.Target || m.Settled.Unix() != record.Settled.Unix() {
		fmt.Fprintf(stderr, "Since then more became of it: %s. For a proof of that run mailhaul report first.\n", record.Outcome)
	}
	return nil
}
