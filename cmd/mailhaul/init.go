package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

func newInitCommand() *cobra.Command {
	var target targetFlag
	c := &cobra.Command{
		Use:   "init --target gmail|graph",
		Short: "Write a commented configuration and a list of mailboxes",
		Long: `init starts a migration: it writes mailhaul.toml and, beside it, mailboxes.csv.
Both are commented: fill them in, then run "mailhaul check". It overwrites
nothing. The files are readable by you alone.

Exit codes:
  0    both files are written
  1    fatal error, for example if one of the files exists; nothing is left behind
  2    the command line is wrong`,
		Example: "  mailhaul init --target gmail\n  mailhaul init --target graph --config client/mailhaul.toml",
		Args: func(c *cobra.Command, args []string) error {
			if target == "" {
				return errors.New("--target is missing: say gmail or graph")
			}
			return cobra.NoArgs(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) error {
			path, err := c.Flags().GetString("config")
			if err != nil {
				return err
			}
			list, err := writeTemplates(path, string(target))
			if err != nil {
				return err
			}
			fmt.Fprintf(c.ErrOrStderr(), "wrote %s and %s: fill them in, then run \"mailhaul check\"\n", path, list)
			return nil
		},
	}
	c.Flags().Var(&target, "target", "where the mail goes: `gmail or graph`")
	return c
}

// targetFlag is a kind of target, "" until it is given.
type targetFlag string

func (t *targetFlag) String() string { return string(*t) }
func (t *targetFlag) Type() string   { return "kind" }

func (t *targetFlag) Set(s string) error {
	if s != "gmail" && s != "graph" {
		return errors.New("want gmail or graph")
	}
	*t = targetFlag(s)
	return nil
}

// writeTemplates writes the configuration for a target to path, and a mailbox
// list beside it, whose path it returns: both or none. It makes the folder if
// there is none.
func writeTemplates(path, target string) (list string, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	if err := writeNew(path, configTemplate(target)); err != nil {
		return "", err
	}
	list = filepath.Join(filepath.Dir(path), defaults().Run.Mailboxes)
	if err := writeNew(list, mailboxesTemplate); err != nil {
		return "", errors.Join(err, os.Remove(path))
	}
	return list, nil
}

// writeNew writes a file that must not exist.
func writeNew(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already: nothing was written", path)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// configTemplate returns a mailhaul.toml for a target. A "#" without a space
// after it stands before a key that may be used.
func configTemplate(target string) string {
	section := gmailTemplate
	if target == "graph" {
		section = graphTemplate
	}
	return sourceTemplate + "\n[target]\n# Where the mail goes: \"gmail\" (Google Workspace) or \"graph\" (Microsoft 365).\nkind = \"" +
		target + "\"\n" + section + transformTemplate + runTemplate + logTemplate + notifyTemplate + metricsTemplate + reportTemplate + budgetTemplate
}

const sourceTemplate = `# mailhaul.toml: one migration. Paths are relative to this file. In Windows
# paths write / for \, or put the path in 'single quotes'. Passwords and tokens
# are never in this file: it says where they are.

[source]
# The IMAP server that the mail comes from.
host = "mail.example.com"

# 993 with tls = "implicit", else 143, unless it is set here.
#port = 993

# "implicit": TLS from the start. "starttls": TLS after the greeting. "none": no
# TLS; beyond this machine only with allow_plaintext = true.
tls = "implicit"
#allow_plaintext = false

# Certificates (PEM) to trust besides those of the system, for a server with a
# certificate of its own.
#ca_file = "ca.pem"

# "plain", "login", or with a token instead of a password "xoauth2" or
# "oauthbearer".
auth = "plain"

# Dovecot master user: logs in to every mailbox with one password. The separator
# is that of auth_master_user_separator in Dovecot's configuration.
#master_user = "migration"
#master_separator = "*"

# The password of the master user, or of every mailbox: the only line of a file
# that only you can read, the output of a program, or an environment variable.
# One of the three. mailboxes.csv can name one for each mailbox instead.
password_file = "source-password.txt"
#password_command = ["pass", "show", "mail/migration"]
#password_env = "MAILHAUL_SOURCE_PASSWORD"
`

const gmailTemplate = `
[gmail]
# The login, one of three. The key file of a service account with domain-wide
# delegation for the scopes that "mailhaul check" names:
service_account_file = "service-account.json"

# Or such an account without a key: its address, used with the credentials of
# this machine (gcloud auth application-default login).
#impersonate = "mailhaul@project.iam.gserviceaccount.com"

# Or a bearer token that you have, for proxies and test servers.
#token_file = "token.txt"
#token_command = ["print-token"]
#token_env = "MAILHAUL_TOKEN"

# Another server than Google's, for proxies and test servers.
#endpoint = "http://127.0.0.1:8025"

# How messages are written: "import" joins them to their conversations, "insert"
# does not. "auto" takes import where a probe in the first mailbox shows that it
# keeps different messages apart that share a Message-ID, else insert.
#route = "auto"

# A Date that is further than this from the time when the source received the
# message is noted in its record.
#date_tolerance_days = 7

# The quotas of the cloud project: "legacy" if it used the Gmail API between
# November 2025 and April 2026 and the console still shows 15,000 units per minute
# and user, else "new". "none" is for a simulator.
profile = "new"

# What to do when 80,000,000 units were spent within 24 hours, beyond which Google
# may charge a project of the profile "new": "wait", or "spend" more.
#daily = "wait"

# Calls to one mailbox at once.
#parallel = 8
`

const graphTemplate = `
[graph]
# The app registration: directory (tenant) ID or domain, application (client) ID.
tenant = "example.onmicrosoft.com"
client_id = "00000000-0000-0000-0000-000000000000"

# Its login, one of two. A certificate with its private key (PEM or PFX), with
# where its password is if it has one:
certificate_file = "app.pfx"
#certificate_password_file = "app-password.txt"
#certificate_password_command = ["pass", "show", "graph/certificate"]
#certificate_password_env = "MAILHAUL_CERTIFICATE_PASSWORD"

# Or a client secret.
#client_secret_file = "client-secret.txt"
#client_secret_command = ["pass", "show", "graph/secret"]
#client_secret_env = "MAILHAUL_CLIENT_SECRET"

# Or, instead of all the above, a bearer token that you have, for proxies and
# test servers.
#token_file = "token.txt"
#token_command = ["print-token"]
#token_env = "MAILHAUL_TOKEN"

# "global" (also GCC), "gcchigh", "dod" or "china".
cloud = "global"

# Another server than Microsoft's, for proxies and test servers.
#endpoint = "http://127.0.0.1:8026"

# How messages are written. "auto" tries what the tenant offers. "importmime"
# keeps the message as it is. "json" rebuilds it and names what is lost.
route = "auto"

# Signed and encrypted messages that have to be rebuilt: "fail", or "attach" them
# as they are to a message with their header.
#protected = "fail"

# The limits to keep. "none" is for a simulator.
#profile = "documented"

# Calls to one mailbox at once. Microsoft serves 4.
#parallel = 4
`

const transformTemplate = `
[transform]
# What may be changed in the copy of a message that has such a defect: "never",
# "when-refused" (once the target has refused it as it is) or "always". The record
# of each message that was changed says so. docs/transforms.md explains each.
#from = "when-refused"
#nul = "when-refused"
#line_ends = "when-refused"
#long_lines = "when-refused"
#header_8bit = "when-refused"
#content_type = "when-refused"
#charset = "when-refused"
#message_id = "when-refused"
#missing_message_id = "never"

# Gmail takes mail without a usable Date, and dates it by the import: "always"
# gives it the time when the source received it.
#date = "when-refused"

# Requests for read receipts: "always" disarms them.
#receipt = "never"

# Signed and encrypted messages: "keep" them as they are, or let the above
# "change" them too, which breaks the signature or the encryption.
#signed = "keep"
`

const runTemplate = `
[run]
# The list of mailboxes, and the database that remembers what is done.
#mailboxes = "mailboxes.csv"
#checkpoints = "mailhaul.db"

# Mailboxes at once.
jobs = 4

# Large messages wait in files here on their way: at most so much in total, in
# the system's directory for temporary files unless one is set.
#spool_dir = "spool"
#spool_max = "2GiB"

# Folders to leave out, by their whole path with / between its parts, upper and
# lower case alike. * is any text within a part, ** any number of parts:
# "Trash" is that folder alone, "Archive/**" is Archive and all below it.
#exclude_folders = ["Trash", "Archive/**"]

# Messages marked as deleted but not expunged yet: "exclude" or "copy".
deleted = "exclude"

# Messages that are deleted at the source after they were copied: "keep" their
# copies, keep and "report" them, or put them into the "trash".
deletions = "keep"

# In each folder the "oldest" messages go first, or the "newest".
order = "oldest"

# When "mailhaul run" may work, by the clock of the time zone, which must be named
# with it. Otherwise it waits. A night belongs to the day on which it begins.
#window = "Sun-Fri 19:00-07:00, Sat-Sun"
#time_zone = "Europe/Berlin"
`

const logTemplate = `
[log]
# What happened, when and why: without passwords and without mail, but with
# addresses. It is beside the checkpoints unless it is named here.
#file = "mailhaul.log"

# How much: "debug", "info", "warn", "error" or "off". As what: "text" or "json".
#level = "info"
#format = "text"

# A full file gets a name with the time; so many are kept.
#max_size = "10MiB"
#max_files = 10
`

const notifyTemplate = `
[notify]
# Who is told when the run is done, needs a person or has paused for long, and
# once a day how it goes: nobody, unless a webhook, mail or pings are set here.
# "mailhaul check --notify" sends a test. docs/notifications.md tells more.
#name = "a name for this migration"

# How others are named: "masked" (a***@example.com), "hashed" with a key, or in
# "full", then also with folders and what servers said. Content never.
#privacy = "masked"
#hash_key_file = "hash-key.txt"
#hash_key_command = ["pass", "show", "mailhaul/hash-key"]
#hash_key_env = "MAILHAUL_HASH_KEY"

# A pause of the whole run is told when it has lasted this long. The time of the
# daily digest is by time_zone in [run]; "" is none.
#after = "1h"
#digest = "07:00"

# A webhook gets JSON, signed if there is a key. Its URL is a secret.
#webhook_url_file = "webhook-url.txt"
#webhook_url_command = ["pass", "show", "mailhaul/webhook"]
#webhook_url_env = "MAILHAUL_WEBHOOK_URL"
#webhook_key_file = "webhook-key.txt"
#webhook_key_command = ["pass", "show", "mailhaul/webhook-key"]
#webhook_key_env = "MAILHAUL_WEBHOOK_KEY"

# A monitor as healthchecks.io is, which alarms when the pings stop.
#ping_url_file = "ping-url.txt"
#ping_url_command = ["pass", "show", "mailhaul/ping"]
#ping_url_env = "MAILHAUL_PING_URL"
#ping_every = "5m"

# Mail to you, and never to those whose mailboxes move.
#smtp_host = "smtp.example.com"
#smtp_tls = "starttls"
#smtp_port = 587
#smtp_ca_file = "ca.pem"
#smtp_user = "mailhaul@example.com"
#smtp_password_file = "smtp-password.txt"
#smtp_password_command = ["pass", "show", "mailhaul/smtp"]
#smtp_password_env = "MAILHAUL_SMTP_PASSWORD"
#from = "mailhaul@example.com"
#to = ["you@example.com"]
`

const metricsTemplate = `
[metrics]
# Numbers for Prometheus, on this machine only: http://127.0.0.1:9464/metrics.
#listen = "127.0.0.1:9464"

# Also by mailbox, under its address.
#per_mailbox = false
`

const reportTemplate = `
[report]
# What the client is handed: "mailhaul report" writes it. The name of the
# migration is in its title.
#name = "Acme: from mail.acme.example to Google Workspace"

# "en" or "de".
#language = "en"

# How much of people, subjects and folders it shows: "masked" (a***@example.com),
# "hashed" with the key of [notify], or "full".
#privacy = "masked"

# The key that signs it. The first report makes it, and beside it report.pub,
# which is for the client. It is a secret: keep a copy of it in a safe place.
#key_file = "report.key"

# How it looks: your company, its logo (PNG, JPEG or SVG), its colour, and a
# foreword (Markdown).
#company = "Example Consulting"
#logo_file = "logo.png"
#colour = "#1f4e79"
#foreword_file = "foreword.md"
`

const budgetTemplate = `
[budget]
# What "mailhaul plan" says that the move costs: nothing, unless there are a
# currency and prices. docs/budget.md says how it is computed, and where these
# times come from.
#currency = "EUR"

# Of an hour.
#lead_rate = "150.00"
#engineer_rate = "120.00"
#support_rate = "80.00"

# Work: of an engineer for each mailbox and each day of the move, of the lead for
# each wave and report, of support for each incident.
#time_per_mailbox = "15m"
#time_per_wave = "4h"
#time_per_day = "30m"
#incidents_per_100 = 5
#time_per_incident = "1h"
#reports = 1
#time_per_report = "4h"

# While both systems run, and so many days after the move: the new one, for each
# mailbox and month, and the old one, for each month.
#licence_month = "0"
#old_system_month = "0"
#dual_days = 14

# What Google charges for a million units beyond those that a day has for nothing.
#million_units = "0"

# For what nobody foresees, in percent.
#contingency = 15
`

const mailboxesTemplate = `# One mailbox a line. source: login name at the old server. target: address of
# the new mailbox, which must exist. wave: any name for mailboxes that move
# together. Further columns may give each mailbox its own password:
# password_file, password_command (words with spaces between, no quotes) or
# password_env. Separate with , or ; and save as UTF-8.
source,target,wave
anna.berg@example.com,anna.berg@example.org,pilot
bruno.keller@example.com,bruno.keller@example.org,1
`
