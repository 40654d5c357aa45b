package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailhaul/mailhaul/migrate/locale"
	"github.com/mailhaul/mailhaul/migrate/privacy"
	"github.com/mailhaul/mailhaul/migrate/report"
)

func newReportCommand() *cobra.Command {
	var r reporting
	var choice choice
	var out, language, level string
	var draft, all bool
	var users, keys []string
	c := &cobra.Command{
		Use:   "report",
		Short: "Write the report for the client",
		Long: `report writes what the client is handed, from the checkpoints alone: what was
moved, what was not and why, what was changed, and how that was verified.

  report.html    for people; one file that needs nothing else, and prints well
  report.xlsx    the same tables as a workbook
  report.json    the same for machines, with the signed head of the log
  report.log.gz  the log: a line for what became of each message, without names
  report.pub     the public key that it is checked with
  report.pdf     with --pdf: report.html, printed by Chromium or Chrome

The report is signed, and chained to the earlier reports of the migration:
"mailhaul report check" says whether anything in it was changed, left out or
added since. "mailhaul report key" tells more about the key.

All of it is in a new folder, report-<date> beside the configuration unless
--out names another, which is there only once it is complete. No report is
written over another. A folder unfinished-report-... is left of one that was
killed, and can be removed.

Nothing may be at work on the checkpoints meanwhile. With --draft they may be:
a draft is not signed and proves nothing. Neither does a report on some of the
mailboxes, which is a draft too.

With --evidence the failed messages and those that were changed are read from
the source again and put into a ZIP archive, with an index of reasons. It is
encrypted with age to the keys that --recipient names: nobody else can read it.

--user writes user-<name>.html, a page without technical words that you may pass
on to that user; --users one for each. mailhaul sends them to nobody.

Exit codes:
  0    the report is written; what needs a person is in it
  1    fatal error, for example a run is going on; there is no new report
  2    the command line is wrong
  3    the report is written, but the PDF, or some of the evidence, is not
  130  interrupted; there is a new report only if it said so before`,
		Example: `  mailhaul report
  mailhaul report --language de --pdf --out handover
  mailhaul report --draft --wave pilot
  mailhaul report --evidence failed.zip.age --recipient age1...
  mailhaul report --user ann@example.com`,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if r.recipients, err = recipients(keys); err != nil {
				return &codeError{exitUsage, err}
			}
			if (r.evidence == "") != (len(r.recipients) == 0) {
				return &codeError{exitUsage, errors.New("--evidence and --recipient go together")}
			}
			if r.config, r.mailboxes, err = choice.load(c); err != nil {
				return err
			}
			path, _ := c.Flags().GetString("config")
			for _, a := range r.config.origin(path, c.Flags()) {
				if a.Key == "digest" { // as the log has it
					r.digest = a.Value.String()
				}
			}
			if err := r.adopt(language, level); err != nil {
				return &codeError{exitUsage, err}
			}
			r.all = len(choice.addresses)+len(choice.waves) == 0
			switch {
			case draft:
				r.draft = report.Running
			case !r.all:
				r.draft = report.Partial
			}
			if all {
				r.users = r.mailboxes
			} else if len(users) > 0 {
				if r.users, err = chosen(r.mailboxes, users, nil); err != nil {
					return err
				}
			}
			r.out = out
			if out == "" {
				r.out = r.defaultFolder(filepath.Dir(path))
			}
			return r.run(c.Context(), c.OutOrStdout())
		},
	}
	choice.flags(c)
	c.Flags().StringVar(&out, "out", "", "`folder` to write to, which must not exist, or be empty (default: report-<date> beside the configuration)")
	c.Flags().StringVar(&language, "language", "", strings.Join(locale.Tags(), " or ")+" (default: language of the configuration)")
	c.Flags().StringVar(&level, "privacy", "", strings.Join(privacyLevels, ", ")+" (default: privacy of the configuration)")
	c.Flags().BoolVar(&draft, "draft", false, "write an unsigned draft, also while a run is at work")
	c.Flags().BoolVar(&r.pdf, "pdf", false, "print report.html through Chromium or Chrome")
	c.Flags().StringSliceVar(&users, "user", nil, "write a page for the user with this `address` (may be repeated)")
	c.Flags().BoolVar(&all, "users", false, "write a page for every user")
	c.Flags().StringVar(&r.evidence, "evidence", "", "write the mail that failed or was changed into this `file`, encrypted")
	c.Flags().StringSliceVar(&keys, "recipient", nil, "public `key` of age to encrypt the evidence to, or @ and a file of such keys (may be repeated)")
	c.AddCommand(newReportCheckCommand(), newReportProveCommand(), newReportKeyCommand())
	return c
}

// adopt takes the language and the level of privacy over into the
// configuration, if they are given.
func (r *reporting) adopt(language, level string) error {
	section := &r.config.Report
	if language != "" {
		section.Language = language
	}
	if level != "" {
		section.Privacy = level
	}
	switch {
	case !slices.Contains(locale.Tags(), section.Language):
		return fmt.Errorf("--language: want %s", strings.Join(locale.Tags(), " or "))
	case !slices.Contains(privacyLevels, section.Privacy):
		return fmt.Errorf("--privacy: want %s", strings.Join(privacyLevels, ", "))
	case section.Privacy == string(privacy.Hashed) && r.config.Notify.HashKey().IsZero():
		return errors.New(`--privacy hashed needs a key: set hash_key_file, hash_key_command or hash_key_env in [notify]`)
	}
	return nil
}
