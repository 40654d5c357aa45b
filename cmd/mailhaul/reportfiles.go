package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/tlog"

	model "github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/proof"
	"github.com/mailhaul/mailhaul/migrate/report"
)

// The files of a report, beside the pages of users.
const (
	reportHTML = "report.html"
	reportPDF  = "report.pdf"
	reportXLSX = "report.xlsx"
	reportJSON = "report.json"
	reportLog  = "report.log.gz"
	reportPub  = "report.pub"
)

// write writes all files, and then lets the folder have its name. It says what
// was asked for and is not there.
func (r *reporting) write(ctx context.Context, m report.Migration, s *seal, stdout io.Writer) (lacks []string, err error) {
	doc, err := report.New(ctx, m)
	if err != nil {
		return nil, err
	}
	folder, err := newReportFolder(r.out)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, folder.discard()) }() // of one that is finished nothing is left here

	html, err := folder.write(reportHTML, doc.WriteHTML)
	if err != nil {
		return nil, err
	}
	files := []sealed{html}
	if r.pdf {
		if pdf, err := folder.print(ctx); err == nil {
			files = append(files, pdf)
		} else {
			lacks = append(lacks, fmt.Sprintf("report.pdf is not: %v. Open report.html in a browser and print it there", err))
		}
	}
	xlsx, err := folder.write(reportXLSX, doc.WriteXLSX)
	if err != nil {
		return nil, err
	}
	files = append(files, xlsx)
	if err := r.writePages(ctx, folder, m); err != nil {
		return nil, err
	}
	if s == nil {
		_, err = folder.write(reportJSON, func(w io.Writer) error { return doc.WriteJSON(w, nil, nil) })
	} else {
		err = s.write(ctx, folder, doc, files)
	}
	if err != nil {
		return nil, err
	}
	if err := folder.finish(); err != nil {
		return nil, err
	}
	return lacks, r.print(stdout, doc)
}

// print prints the page.
func (f *reportFolder) print(ctx context.Context) (sealed, error) {
	browser, err := findBrowser()
	if err != nil {
		return sealed{}, err
	}
	if err := printPDF(ctx, browser, f.file(reportHTML), f.file(reportPDF), printTimeout); err != nil {
		os.Remove(f.file(reportPDF)) // it may be half of one
		return sealed{}, err
	}
	return f.digest(reportPDF)
}

// write writes the log, the public key, and the JSON, which is signed, and reads
// all of it again, as whoever checks it will. The checkpoints know of the head
// before anybody else does, so that the next report is chained to every one that
// was handed out.
func (s *seal) write(ctx context.Context, folder *reportFolder, doc *model.Document, files []sealed) error {
	var tree tlog.Tree
	log, err := folder.write(reportLog, func(w io.Writer) (err error) { tree, err = proof.WriteLog(ctx, s.log, w); return err })
	if err != nil {
		return err
	}
	_, err = folder.write(reportPub, func(w io.Writer) (err error) {
		for _, k := range s.key.public {
			if _, err = fmt.Fprintln(w, k); err != nil {
				break
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	heads, err := s.log.Heads(ctx)
	if err != nil {
		return err
	}
	more := []model.Member{
		{Key: "log", Value: struct {
			File    string `json:"file"`
			Entries int64  `json:"entries"`
			SHA256  string `json:"sha256"`
		}{log.Name, tree.N, log.SHA256}},
		{Key: "files", Value: files},
		{Key: "heads", Value: append([]string{}, heads...)}, // never null
	}
	var head string
	_, err = folder.write(reportJSON, func(w io.Writer) error {
		sum := sha256.New()
		return doc.WriteJSON(io.MultiWriter(w, sum), more, func() (_ string, err error) {
			head, err = proof.Sign(ctx, s.log, s.key.private, tree, proof.Digest(sum.Sum(nil)), doc.Made)
			return proof.LastLine(head), err
		})
	})
	if err != nil {
		return err
	}
	if _, err := proof.Check(ctx, os.DirFS(folder.dir), reportJSON, s.key.public); err != nil {
		return fmt.Errorf("the report does not pass its own check, and is not kept: %w", err)
	}
	return s.log.AddHead(ctx, head)
}

// writePages writes a page for each of the users that get one.
func (r *reporting) writePages(ctx context.Context, folder *reportFolder, m report.Migration) error {
	for _, user := range r.users {
		i := slices.IndexFunc(m.Mailboxes, func(b report.Mailbox) bool { return b.Source == user.Source && b.Target == user.Target })
		page, err := report.UserPage(ctx, m, i)
		if err != nil {
			return err
		}
		local, _, _ := strings.Cut(user.Source, "@")
		name := filepath.Base(freeName(folder.file(pageName(local)), ".html"))
		if _, err := folder.write(name, page.WriteHTML); err != nil {
			return err
		}
	}
	return nil
}

// pageName is the name of a user's page, of characters that mean nothing to any
// system.
func pageName(local string) string {
	name := []rune("user-" + strings.ToLower(local))
	for i, r := range name {
		if r == unicode.ReplacementChar || !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '.' && r != '_' {
			name[i] = '-'
		}
	}
	return string(name[:min(len(name), 50)])
}

// print says where the report is, and what its first page says.
func (r *reporting) print(w io.Writer, doc *model.Document) error {
	fmt.Fprintf(w, "The report is in %s\n", r.out)
	if len(r.users) > 0 {
		fmt.Fprintf(w, "With it %s.\n", count(int64(len(r.users)), "page for a user", "pages for users"))
	}
	fmt.Fprintln(w)
	if grades := printGlance(w, doc); grades != nil {
		fmt.Fprintln(w)
		return printTable(w, grades)
	}
	return nil
}

// printGlance prints what the first page says, up to its first table, which it
// returns.
func printGlance(w io.Writer, doc *model.Document) *model.Table {
	say := func(s string) { // on paper some spaces do not break
		fmt.Fprintln(w, printable(strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(s)))
	}
	for _, block := range doc.Sections[0].Blocks {
		switch b := block.(type) {
		case model.Notice:
			say(b.Text)
		case model.Text:
			for _, paragraph := range b {
				say(paragraph)
			}
		case *model.Table:
			return b
		}
	}
	return nil
}

// printTable writes the rows of a table that count something.
func printTable(w io.Writer, t *model.Table) error {
	text := table{left: len(t.Columns)}
	for row, err := range t.Rows {
		if err != nil {
			return err
		}
		var cells []string
		counts := true
		for _, v := range row {
			switch v := v.(type) {
			case model.Term:
				cells = append(cells, printable(v.Text))
			case int64:
				cells, counts = append(cells, thousands(v)), counts && v > 0
			default:
				cells = append(cells, printable(fmt.Sprint(v)))
			}
		}
		if counts {
			text.add(cells...)
		}
	}
	text.write(w)
	return nil
}
