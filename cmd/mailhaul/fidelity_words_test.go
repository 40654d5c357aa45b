package main

import (
	"testing"

	"github.com/mailhaul/mailhaul/migrate/locale"
	"github.com/mailhaul/mailhaul/migrate/migratetest"
	"github.com/mailhaul/mailhaul/migrate/report"
)

// A footnote says how sure cells are, or why they say what they say.
type footnote struct {
	ways []int
	rows []string
	text string
}

const (
	toGmail = iota
	byImport
	byJSON
)

func footnotes() []footnote {
	protected := []string{"S/MIME signed", "S/MIME encrypted, or signed in one piece", "PGP/MIME signed", "PGP/MIME encrypted"}
	const (
		folder    = "folder or label"
		received  = "received date, to the second"
		about     = "received date, within an hour"
		sent      = "sent date"
		seen      = "read or unread (`\\Seen`)"
		answered  = "`\\Answered`"
		forwarded = "`$Forwarded`"
		charset   = "the charset itself"
		handed    = "its octets, as mailhaul hands them over"
		back      = "its octets, as the target gives them back"
	)
	return []footnote{
		{[]int{toGmail}, []string{folder, "every folder of a message that is in several"},
			"Only an import or an insert sets SENT. A message that another folder brought first gets the label `Sent (migrated)` instead."},
		{[]int{toGmail, byImport, byJSON}, []string{"name of the folder"},
			"The status lists each folder that has another name, and why: the target has its own for what it is for, or does not take the name."},
		{[]int{toGmail}, []string{received},
			"Gmail takes the date of a message from its `Date` field, or the time of the import; the source's date cannot be given (documented)."},
		{[]int{toGmail}, []string{about},
			"Drafts are dated by the time of the import, and mail that was stored long after it was sent by its `Date` field."},
		{[]int{toGmail}, []string{seen},
			"A message has one state under all its labels: it is read if one of its copies was."},
		{[]int{toGmail}, append(protected, back),
			"That what stands below the added lines comes back octet for octet is not documented. The simulator gives back what it was given."},
		{[]int{byImport}, []string{received, about},
			"Not documented. The simulator takes the topmost `Received` line, else `Date`; most of the generated mail was stored up to ten minutes after that. `route = \"auto\"` imports a message of 2009 first and looks."},
		{[]int{byImport}, []string{sent},
			"Not documented for this call; elsewhere Exchange takes it from `Date` (MS-OXCMAIL)."},
		{[]int{byImport}, []string{handed},
			"Documented: it keeps the \"full MIME content\" with headers, parts and attachments."},
		{[]int{byImport}, protected,
			"Nothing is documented of signed and encrypted parts beyond \"full MIME content\". The simulator leaves them alone."},
		{[]int{byImport}, []string{back},
			"Exchange is reported to build MIME anew when it is read, with the same fields and parts and in other octets. The simulator folds lines and names boundaries anew; a message that this does not touch counts as kept."},
		{[]int{byImport, byJSON}, []string{answered, forwarded},
			"By the MAPI properties 0x1080 and 0x1081, as other programs write them. A message can show one of the two: the answer."},
		{[]int{byJSON}, []string{received, about, sent},
			"By MAPI properties at creation: not documented, reported to work."},
		{[]int{byJSON}, []string{"Message-ID", "In-Reply-To", "References"},
			"By properties of their own: not documented, reported to work."},
		{[]int{byJSON}, []string{"Received", "Return-Path", "DKIM-Signature", "List-…", "X-…"},
			"In the property 0x007D, which is reported to be kept at creation and to be missing in the MIME that Graph gives back."},
		{[]int{byJSON}, []string{charset},
			"Exchange keeps text as Unicode."},
		{[]int{byJSON}, []string{handed, back},
			"Graph is handed fields and files, not the message."},
	}
}

// meanings says what the notes in records mean, as reports do.
func meanings(t *testing.T) map[string]string {
	l, err := locale.New("en")
	if err != nil {
		t.Fatal(err)
	}
	m, err := report.Meanings(l)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// damages says what is wrong with the kinds of generated mail that break the rules.
func damages() map[migratetest.Kind]string {
	return map[migratetest.Kind]string{
		migratetest.SameMessageID:   "different mail with one Message-ID",
		migratetest.NoMessageID:     "no Message-ID",
		migratetest.NoDate:          "no Date",
		migratetest.BadDate:         "a Date that is none",
		migratetest.NoFrom:          "no From",
		migratetest.TwoFrom:         "two From fields",
		migratetest.BareEightBit:    "8-bit characters in the header",
		migratetest.UnclosedPart:    "a multipart without an end",
		migratetest.NUL:             "an octet 0 in the text",
		migratetest.UnknownCharset:  "text in an unknown charset",
		migratetest.TruncatedBase64: "an attachment that breaks off",
	}
}
