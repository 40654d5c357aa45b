package proof

import (
	"context"
	"fmt"
	"io"
	"regexp"

	"github.com/mailhaul/mailhaul/migrate"
)

// Format and Version are those of the reports that Check knows.
const (
	Format  = "mailhaul-report"
	Version = 1
)

// A report is what of a report.json is checked.
type report struct {
	format     string
	version    int64
	draft      bool
	mailboxes  []mailboxRow
	folders    []folderRow
	exceptions []messageID
	log        file
	files      []file
	heads      []string // of earlier reports
	head       string
	digest     Digest // of all octets but the last line
	last       string // line
}

// sums are the messages of a folder or mailbox by outcome.
type sums struct {
	listed int64
	count  [migrate.Outcomes]int64
}

type mailboxRow struct {
	number int64
	sums
}

type folderRow struct {
	id      int64
	mailbox int64 // its number
	sums
	shown [len(kinds)]Digest // what the names that are shown stand for in entries; zero for those that are not
}

type messageID struct {
	folder int64
	uid    int64
}

// A file is one beside the report.
type file struct {
	name    string
	entries int64 // of a log
	digest  string
}

// readReport reads a report.json to its end.
func readReport(ctx context.Context, r io.Reader) (*report, error) {
	l := newLines(ctx, r)
	rep := &report{}
	s := newScanner(l)
	err := s.object(func(key string) error {
		if err := rep.member(s, key); err != nil {
			return fmt.Errorf("in %.100q: %w", key, err)
		}
		return nil
	})
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return nil, err
	}
	rep.digest, rep.last = Digest(l.digest.Sum(nil)), string(l.last)
	return rep, nil
}

func (r *report) member(s *scanner, key string) (err error) {
	switch key {
	case "format":
		r.format, err = s.text()
	case "version":
		r.version, err = s.number()
	case "draft":
		r.draft = true
		err = s.skip()
	case "mailboxes":
		err = s.array(func() error { return r.mailbox(s) })
	case "folders":
		err = s.array(func() error { return r.folder(s) })
	case "exceptions":
		err = s.array(func() error { return r.exception(s) })
	case "log":
		r.log, err = readFile(s, "file")
	case "files":
		err = s.array(func() error {
			f, err := readFile(s, "name")
			r.files = append(r.files, f)
			return err
		})
	case "heads":
		r.heads, err = s.texts()
	case "head":
		r.head, err = s.text()
	default:
		err = s.skip()
	}
	return err
}

func (r *report) mailbox(s *scanner) error {
	n, err := s.row(append([]string{"mailbox"}, sumKeys...), func(string) error { return s.skip() })
	if err == nil {
		r.mailboxes = append(r.mailboxes, mailboxRow{n[0], newSums(n[1:])})
	}
	return err
}

func (r *report) folder(s *scanner) error {
	names := map[string]string{}
	n, err := s.row(append([]string{"folder", "mailbox"}, sumKeys...), func(key string) (err error) {
		switch key {
		case "source_name", "source_nonce", "target_name", "target_nonce", "path_nonce":
			names[key], err = s.text()
		case "path_name":
			var parts []string
			parts, err = s.texts()
			names[key] = Path(parts)
		default:
			err = s.skip()
		}
		return err
	})
	if err != nil {
		return err
	}
	f := folderRow{id: n[0], mailbox: n[1], sums: newSums(n[2:])}
	for i, kind := range kinds {
		if nonce := names[kind+"_nonce"]; nonce != "" {
			if f.shown[i] = commit(nonce, names[kind+"_name"]); f.shown[i] == (Digest{}) {
				return fmt.Errorf("folder %d: the nonce of its %s is none", f.id, kind)
			}
		}
	}
	r.folders = append(r.folders, f)
	return nil
}

func (r *report) exception(s *scanner) error {
	n, err := s.row([]string{"folder", "uid"}, func(string) error { return s.skip() })
	if err == nil {
		r.exceptions = append(r.exceptions, messageID{n[0], n[1]})
	}
	return err
}

// readFile reads what is said of a file, whose name is the member called name.
func readFile(s *scanner, name string) (f file, err error) {
	err = s.object(func(key string) (err error) {
		switch key {
		case name:
			f.name, err = s.text()
		case "entries":
			f.entries, err = s.number()
		case "sha256":
			f.digest, err = s.text()
		default:
			err = s.skip()
		}
		return err
	})
	if err == nil && !fileName.MatchString(f.name) {
		err = fmt.Errorf("%.100q is no name of a file beside the report", f.name)
	}
	return f, err
}

// Names of files lead nowhere but to the folder of the report.
var fileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$`)

// sumKeys are the keys of sums.
var sumKeys = func() []string {
	keys := []string{"listed"}
	for o := range migrate.Outcomes {
		keys = append(keys, o.String())
	}
	return keys
}()

// newSums returns the sums with the values of sumKeys.
func newSums(values []int64) (s sums) {
	s.listed = values[0]
	copy(s.count[:], values[1:])
	return s
}
