package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/migratetest"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

// An original is a message at the source.
type original struct {
	user   string
	folder string // path with "/" between its parts
	uid    migrate.UID
	flags  []migrate.Flag
	date   time.Time // INTERNALDATE
	octets []byte
	odd    string // what is out of the ordinary with the message as a whole; it is told apart from sound mail
	places int    // how many folders hold the same content

	mime *entity
}

func (o *original) has(f migrate.Flag) bool { return (&migrate.Message{Flags: o.flags}).HasFlag(f) }

// fidelityUser has the mail that docs/fidelity.md is made of.
const fidelityUser = "fidelity@example.com"

// fidelityMail returns a generated mailbox, with a message of each kind at
// least, and what such a mailbox does not have.
func fidelityMail() []*original {
	var all []*original
	add := func(folder string, octets []byte, date time.Time, odd string, flags ...migrate.Flag) {
		o := &original{user: fidelityUser, folder: folder, octets: octets, date: date, odd: odd, flags: flags}
		if o.has(migrate.Draft) {
			o.odd = cmp.Or(odd, "drafts")
		}
		all = append(all, o)
	}
	box := migratetest.Large(migratetest.Spec{User: fidelityUser, Seed: 3, Messages: 300, Separator: "/"})
	for i, f := range box.Folders {
		for m := range box.All(i) {
			odd := ""
			if m.Broken {
				odd = cmp.Or(damages()[m.Kind], string(m.Kind))
			}
			add(strings.Join(f.Path, "/"), m.Octets, m.InternalDate, odd, m.Flags...)
		}
	}
	add("INBOX", attached(3_200_000), time.Unix(1_600_000_000, 0), "over 3 MB", migrate.Seen)
	for i, l := range rareLetters() {
		date := time.Date(2012, 5, 1+i, 10, 2, 3, 0, time.UTC)
		for _, folder := range l.folders {
			add(folder, l.octets(i, date.Add(-2*time.Second)), date, "", l.flags...)
		}
	}
	return numbered(all)
}

// numbered gives originals the UIDs that they get when they are stored in
// order, and counts the folders of each content.
func numbered(all []*original) []*original {
	last := map[string]migrate.UID{}
	folders := map[string][]string{}
	for _, o := range all {
		last[o.user+o.folder]++
		o.uid = last[o.user+o.folder]
		o.mime = parseEntity(o.octets, "text/plain", 0)
		content := o.user + string(o.octets)
		if !slices.Contains(folders[content], o.folder) {
			folders[content] = append(folders[content], o.folder)
		}
	}
	for _, o := range all {
		o.places = len(folders[o.user+string(o.octets)])
	}
	return all
}

// A rareLetter is a small message that keeps the rules.
type rareLetter struct {
	folders []string
	flags   []migrate.Flag
	fields  []string // besides those that every letter has
	content string   // Content fields, an empty line and the body, with LF
}

func (l rareLetter) octets(i int, date time.Time) []byte {
	text := fmt.Sprintf("From: Ann Example <ann@example.com>\nTo: Bob Example <bob@example.org>\nDate: %s\nMessage-ID: <rare-%d@example.com>\nSubject: Rare letter %[2]d\nMIME-Version: 1.0\n%s",
		date.Format(time.RFC1123Z), i, strings.Join(append(l.fields, ""), "\n")) + l.content
	return []byte(strings.ReplaceAll(text, "\n", "\r\n"))
}

// rareLetters are what the generated mailbox has not.
func rareLetters() []rareLetter {
	inbox := []string{"INBOX"}
	const plain = "Content-Type: text/plain; charset=us-ascii\n\nHello.\n"
	pgp := func(inner string) string {
		return "Content-Type: multipart/signed; micalg=pgp-sha256;\n protocol=\"application/pgp-signature\"; boundary=sig\n\n--sig\n" + inner +
			"\n--sig\nContent-Type: application/pgp-signature; name=signature.asc\n\n-----BEGIN PGP SIGNATURE-----\n\nwsBzBAABCAAdFiEE\n-----END PGP SIGNATURE-----\n\n--sig--\n"
	}
	const opaque = "Content-Type: application/pkcs7-mime; smime-type=signed-data;\n name=smime.p7m\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=smime.p7m\n\nMIAGCSqGSIb3DQEHAqCAMIACAQExDzANBglghkgBZQMEAgEFADCABgkqhkiG9w0BBwGggA==\n"
	forwarded := func(what string) string {
		return "Content-Type: multipart/mixed; boundary=fwd\n\n--fwd\nContent-Type: text/plain\n\nSee below.\n--fwd\nContent-Type: message/rfc822\n\n" + what + "\n--fwd--\n"
	}
	const inner = "From: Cleo Example <cleo@example.net>\nDate: Mon, 2 Apr 2012 09:00:00 +0200\nMessage-ID: <inner@example.net>\nSubject: Inner\n"
	trace := []string{
		"Return-Path: <ann@example.com>",
		"Received: from relay.example.net by mx.example.org with ESMTPS id A1;\n Tue, 1 May 2012 10:02:03 +0000",
		"Received: from mail.example.com by relay.example.net with ESMTPS id B2;\n Tue, 1 May 2012 10:02:02 +0000",
		"X-Spam-Status: No, score=-1.9 required=5.0\n\ttests=BAYES_00",
		"X-Mailer: Example Mail 3.1",
		"X-Original-To: bob@example.org",
	}
	return []rareLetter{
		{inbox, []migrate.Flag{migrate.Seen}, trace, plain},
		{inbox, []migrate.Flag{migrate.Seen}, trace, plain}, // stored a day after it was received
		{inbox, nil, []string{"Sender: Dora Example <dora@example.com>", "Reply-To: Ann at home <ann@example.net>", "Cc: eve@example.org,\n \"Frank, Example\" <frank@example.org>", "Bcc: grace@example.org"}, plain},
		{inbox, []migrate.Flag{migrate.Seen, migrate.Deleted}, nil, plain},
		{inbox, nil, []string{"Importance: high", "X-Priority: 1"}, plain},
		{inbox, []migrate.Flag{migrate.Seen, migrate.Answered, migrate.Forwarded, "$Label1", "project-x"}, nil, plain},
		{[]string{"INBOX", "Clients", "Projects"}, []migrate.Flag{migrate.Flagged}, nil, plain},
		{[]string{"Archive", "Größe"}, []migrate.Flag{migrate.Seen, migrate.Answered}, nil, plain},
		{inbox, nil, nil, opaque},
		{inbox, nil, nil, pgp("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nTrailing =\nspace=20\nand =E2=82=AC.\n")},
		{inbox, nil, []string{"List-Id: Staff <staff.lists.example.org>"}, "Content-Type: multipart/mixed; boundary=list\n\n--list\n" +
			pgp("Content-Type: text/plain\n\nSigned, and sent through a list.\n") + "\n--list\nContent-Type: text/plain\n\n-- \nThe footer of the list.\n--list--\n"},
		{inbox, nil, nil, forwarded(inner + forwarded(inner+plain))},
		{inbox, nil, nil, forwarded(inner + pgp("Content-Type: text/plain\n\nSigned before it was forwarded.\n"))},
		{inbox, nil, nil, forwarded(inner + opaque)},
		{inbox, nil, nil, "Content-Type: text/calendar; charset=utf-8; method=REPLY\n\nBEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REPLY\nBEGIN:VEVENT\nUID:1@example.com\nDTSTART:20120601T080000Z\nEND:VEVENT\nEND:VCALENDAR\n"},
		{inbox, nil, nil, "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=iso-8859-15\nContent-Transfer-Encoding: quoted-printable\n\n100 =A4\n--b\n" +
			"Content-Type: text/plain; charset=windows-1252; name=\"notes.txt\"\nContent-Disposition: inline; filename=\"notes.txt\"\nContent-Transfer-Encoding: quoted-printable\n\n=93Notes=94\n--b\n" +
			"Content-Type: text/csv; charset=utf-8\nContent-Disposition: attachment; filename*=utf-8''%E2%82%AC%20rates.csv\n\n1;2\n--b--\n"},
		{[]string{"Drafts"}, []migrate.Flag{migrate.Draft, migrate.Seen}, []string{"Bcc: grace@example.org"}, "Content-Type: multipart/mixed; boundary=d\n\n--d\nContent-Type: text/html; charset=utf-8\n\n<p>Not sent yet.</p>\n--d\n" +
			"Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=plan.bin\nContent-Transfer-Encoding: base64\n\nAAECAwQFBgc=\n--d--\n"},
	}
}

// deliver puts originals into the office's server in memory, which must show
// them as they are.
func (o *office) deliver(t *testing.T, all []*original) {
	t.Helper()
	user, _, _ := strings.Cut(fidelityUser, "@")
	u := o.person(t, user)
	made := map[string]bool{"INBOX": true, "Sent": true}
	for _, m := range all {
		if !made[m.folder] {
			if err := u.Create(m.folder, nil); err != nil {
				t.Fatal(err)
			}
			made[m.folder] = true
		}
		options := &imap.AppendOptions{Time: m.date}
		for _, f := range m.flags {
			options.Flags = append(options.Flags, imap.Flag(f))
		}
		if _, err := u.Append(m.folder, literal{bytes.NewReader(m.octets)}, options); err != nil {
			t.Fatal(err)
		}
	}
}

// corpusMail returns the corpus as the site was given it and Dovecot shows it.
func (s *site) corpusMail(t *testing.T) []*original {
	t.Helper()
	var all []*original
	dir, rows := corpus(t)
	for i, row := range rows {
		d := s.mail[corpusUser][i]
		columns := strings.Split(row, "\t")
		octets, err := os.ReadFile(filepath.Join(dir, columns[0]))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, &original{user: corpusUser, folder: d.folder, flags: d.flags, date: d.date,
			octets: sourcetest.AsDovecotShows(octets), odd: faults(columns)})
	}
	return numbered(all)
}

// faults says what is wrong with a message, by its line in the index of the
// corpus; nothing if it keeps the rules.
func faults(columns []string) string {
	const (
		nul, eightBit, from, date, notes = 3, 4, 7, 8, 10
	)
	harmless := regexp.MustCompile(`^(|parts:.*|no-subject|no-recipient-header|no-mime-version|no-final-newline|format=flowed.*|message/rfc822 depth .*|multipart depth .*|` +
		`rfc2231-filename|encoded-word-filename|domainkey-signed|charset:.*|text/enriched|smime-signature|pgp-signature|resent-headers|dsn|digest|group-address:.*|` +
		`text/rfc822-headers|comment-in-address:.*|From-line-in-body|unquoted-boundary-with-specials|empty-body|archive-attachment:.*|differs-only-in-line-endings-from:.*)$`)
	var list []string
	if columns[nul] != "no" || columns[eightBit] != "no" || columns[from] != "1" || columns[date] != "valid" {
		list = append(list, "header")
	}
	for note := range strings.SplitSeq(columns[notes], ";") {
		if note = strings.TrimSpace(note); !harmless.MatchString(note) {
			list = append(list, note)
		}
	}
	return strings.Join(list, "; ")
}
