package proof

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/mailhaul/mailhaul/migrate"
)

// WriteLog writes the log as it is now to w, as report.log.gz has it, and
// returns its tree. It is an error if an earlier head was signed for another
// log than the beginning of this one.
func WriteLog(ctx context.Context, log Log, w io.Writer) (tlog.Tree, error) {
	signed, err := log.Heads(ctx)
	if err != nil {
		return tlog.Tree{}, err
	}
	heads := make([]Head, len(signed))
	for i, s := range signed {
		if heads[i], err = readHead(s); err != nil {
			return tlog.Tree{}, fmt.Errorf("earlier head %d: %w", i+1, err)
		}
	}
	size, err := log.Size(ctx)
	if err != nil {
		return tlog.Tree{}, err
	}
	zip, err := gzip.NewWriterLevel(w, gzip.BestSpeed) // most of it is digests, which no level makes smaller than half
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := bufio.NewWriterSize(zip, 1<<16)
	p := newPrefixes(heads)
	for text, err := range log.Entries(ctx, 0, size) {
		if err != nil {
			return tlog.Tree{}, err
		}
		line := append([]byte(text), '\n')
		p.add(line[:len(text)])
		if _, err := lines.Write(line); err != nil {
			return tlog.Tree{}, err
		}
	}
	if other := p.others(); len(other) > 0 {
		return tlog.Tree{}, errOther(other[0] + 1)
	}
	return p.tree(), errors.Join(lines.Flush(), zip.Close())
}

func errOther(report int) error {
	return &migrate.Error{Op: "read the log", Class: migrate.Fatal,
		Err:  fmt.Errorf("report %d was signed for another log than the one in mailhaul.db", report),
		Hint: "The database was changed or is damaged: restore it from a backup."}
}

// Sign returns a signed head for the log with that tree and the report.json
// whose octets before its last line have the digest report. It is chained to the
// latest head of the log, to which the caller adds it once the report is
// complete.
func Sign(ctx context.Context, log Log, private string, tree tlog.Tree, report Digest, made time.Time) (string, error) {
	k, err := PublicKey(private)
	if err != nil {
		return "", err
	}
	h := Head{Origin: k.Name(), Tree: tree, Report: report, Made: made.UTC()}
	signed, err := log.Heads(ctx)
	if err != nil {
		return "", err
	}
	if len(signed) > 0 {
		latest := signed[len(signed)-1]
		before, err := readHead(latest)
		if err != nil {
			return "", fmt.Errorf("the latest head: %w", err)
		}
		if h.Made.Before(before.Made) {
			return "", &migrate.Error{Op: "sign", Class: migrate.Fatal,
				Err:  fmt.Errorf("the latest report was made at %s, and by the clock of this machine it is %s", before.Made.Format(time.RFC3339), h.Made.Format(time.RFC3339)),
				Hint: "Set the clock."}
		}
		h.Previous = sha256.Sum256([]byte(latest))
	}
	return h.sign(private)
}

// LastLine returns the last line of a report.json with that head, without its
// line feed.
func LastLine(signed string) string {
	return `"head":"` + strings.ReplaceAll(signed, "\n", `\n`) + `"}` // nothing else in a head needs an escape
}

// readHead reads a head whose signature is nobody's concern here.
func readHead(signed string) (Head, error) {
	_, err := note.Open([]byte(signed), nil)
	if unverified, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
		return parseHead(unverified.Note.Text)
	}
	return Head{}, errHead
}
