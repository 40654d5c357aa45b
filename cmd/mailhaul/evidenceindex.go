package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// An exhibit is a row of the index of an archive.
type exhibit struct {
	Mailbox   string      `json:"mailbox"`
	Folder    string      `json:"folder"` // with / between the parts of its path
	UID       migrate.UID `json:"uid"`
	Outcome   string      `json:"outcome"`
	Notes     string      `json:"notes"` // with spaces between them
	Reason    string      `json:"reason"`
	Hint      string      `json:"hint"`
	MessageID string      `json:"message_id"`
	From      string      `json:"from"`
	Date      string      `json:"date"`
	Subject   string      `json:"subject"`
	SHA256    string      `json:"sha256"` // of what mailhaul read; empty if it never could
	State     state       `json:"state"`
	Why       string      `json:"why"`  // it is unread
	File      string      `json:"file"` // in the archive; empty if it is not there
}

// index writes index.csv and index.json.
func (e *archive) index(ctx context.Context, mailboxes []reported) error {
	f, err := e.zip.Create("index.csv")
	if err != nil {
		return err
	}
	table := csv.NewWriter(f)
	var names []string
	for field := range reflect.TypeFor[exhibit]().Fields() {
		names = append(names, field.Tag.Get("json"))
	}
	err = table.Write(names)
	if err == nil {
		err = e.exhibits(ctx, mailboxes, func(x exhibit) error {
			var cells []string
			for _, value := range reflect.ValueOf(x).Fields() {
				cells = append(cells, cell(fmt.Sprint(value.Interface())))
			}
			return table.Write(cells)
		})
	}
	if table.Flush(); err != nil || table.Error() != nil {
		return errors.Join(err, table.Error())
	}

	if f, err = e.zip.Create("index.json"); err != nil {
		return err
	}
	list := bufio.NewWriter(f)
	list.WriteString("[")
	separator := "\n"
	err = e.exhibits(ctx, mailboxes, func(x exhibit) error {
		text, err := encoded(x, "", "")
		fmt.Fprintf(list, "%s%s", separator, text)
		separator = ",\n"
		return err
	})
	list.WriteString("\n]\n")
	return errors.Join(err, list.Flush())
}

// exhibits calls fn for each message that was to be taken in.
func (e *archive) exhibits(ctx context.Context, mailboxes []reported, fn func(exhibit) error) error {
	for _, m := range mailboxes {
		folders, err := m.ledger.Folders(ctx)
		if err != nil {
			return err
		}
		paths := map[int64]string{}
		for _, f := range folders {
			paths[f.ID] = strings.Join(f.Folder.Path, "/")
		}
		for r, err := range m.ledger.Notable(ctx) {
			if err != nil {
				return err
			}
			t, ok := e.taken[at(r)]
			if !ok { // a run that is going on noted it since
				continue
			}
			x := exhibit{Mailbox: m.Source, Folder: paths[r.Folder], UID: r.UID, Outcome: r.Outcome.String(), Notes: strings.Join(r.Notes, " "),
				Reason: r.Reason, Hint: r.Hint, MessageID: r.MessageID, From: r.Head.From, Subject: r.Head.Subject, State: t.state, Why: t.why}
			if !r.Head.Date.IsZero() {
				x.Date = r.Head.Date.Format(time.RFC3339)
			}
			if r.Digest != (migrate.Digest{}) {
				x.SHA256 = hex.EncodeToString(r.Digest[:])
			}
			if t.state == complete || t.state == different {
				x.File = at(r).file(t.begun)
			}
			if err := fn(x); err != nil {
				return err
			}
		}
	}
	return nil
}

// cell keeps a spreadsheet from taking text for a formula.
func cell(s string) string {
	if strings.HasPrefix(s, "\t") || strings.HasPrefix(s, "\r") || s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}
