package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/graph"
)

// A load is a mailbox to move, as a source without a server: its messages are
// made when they are read.
type load struct {
	user    string
	folders []loadFolder
}

// A loadFolder holds messages of about the same size. Where it holds copies,
// they are of the first messages of the folder before it.
type loadFolder struct {
	name     string
	messages int
	size     int // of each message in octets, about
	copies   bool
}

// octets returns the content of a message of folder i. Messages of more than
// graph.MaxImportSize have an attachment.
func (l *load) octets(i int, uid migrate.UID) string {
	if l.folders[i].copies {
		i--
	}
	f := l.folders[i]
	head := fmt.Sprintf("From: %[1]s\r\nTo: %[1]s\r\nDate: Mon, 2 Jan 2006 15:04:05 +0000\r\nMessage-ID: <%[2]d.%[3]d.%[1]s>\r\nSubject: %[2]d of %[4]s\r\n\r\n", l.user, uid, i, f.name)
	const line = "The quick brown fox jumps over the lazy dog and comes back again.\r\n"
	if f.size <= graph.MaxImportSize {
		return head + strings.Repeat(line, max(f.size-len(head), 0)/len(line))
	}
	head = strings.TrimSuffix(head, "\r\n") + "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + line +
		"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=plan.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	const base64 = "VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZyBhbmQgY29tZXMg\r\n"
	return head + strings.Repeat(base64, (f.size-len(head))/len(base64)) + "--b--\r\n"
}

func (l *load) messages() (n int) {
	for _, f := range l.folders {
		n += f.messages
	}
	return n
}

func (l *load) Folders(context.Context) ([]migrate.Folder, error) {
	var fs []migrate.Folder
	for i, f := range l.folders {
		fs = append(fs, migrate.Folder{Path: []string{f.name}, UIDValidity: uint32(i + 1), UIDNext: migrate.UID(f.messages + 1), Messages: int64(f.messages), ModSeq: 1})
	}
	return fs, nil
}

func (l *load) List(_ context.Context, f migrate.Folder, from migrate.UID) iter.Seq2[[]migrate.Message, error] {
	return func(yield func([]migrate.Message, error) bool) {
		for from < f.UIDNext {
			var batch []migrate.Message
			for ; from < f.UIDNext && len(batch) < 500; from++ {
				batch = append(batch, migrate.Message{UID: from, Flags: []migrate.Flag{migrate.Seen}, Size: int64(len(l.octets(int(f.UIDValidity)-1, from)))})
			}
			if !yield(batch, nil) {
				return
			}
		}
	}
}

func (l *load) Read(_ context.Context, f migrate.Folder, ms []*migrate.Message, body func(*migrate.Message, io.Reader) error) error {
	for _, m := range ms {
		if err := body(m, strings.NewReader(l.octets(int(f.UIDValidity)-1, m.UID))); err != nil {
			return err
		}
	}
	return nil
}

// Flags yields nothing: they never change.
func (l *load) Flags(context.Context, migrate.Folder, migrate.UID, uint64) iter.Seq2[[]migrate.Message, error] {
	return func(func([]migrate.Message, error) bool) {}
}

func (l *load) UIDs(_ context.Context, f migrate.Folder, below migrate.UID) iter.Seq2[migrate.UIDRange, error] {
	return func(yield func(migrate.UIDRange, error) bool) {
		if last := min(below, f.UIDNext) - 1; last > 0 {
			yield(migrate.UIDRange{First: 1, Last: last}, nil)
		}
	}
}

func (l *load) Close() error { return nil }
