// Package sqlite keeps the checkpoints of one migration in one SQLite file.
//
// One goroutine writes: it gathers the calls that wait, commits them together
// and lets them return once the commit is on the disk. Readers have their own
// connections and neither wait for the writer nor hold it up. One process at a
// time may open a file for a run; others may look at it with [OpenReadOnly].
//
// The file holds addresses, folder names, sizes, digests, the target's ids,
// Message-IDs, and the subjects of what failed or was changed; no other content
// and no passwords. Only its owner can read it. Its layout is in
// schema1.sql and those that follow it.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/mailhaul/mailhaul/migrate"
)

var _ migrate.Checkpoints = (*Store)(nil)

// A Store is an open checkpoint file. Several goroutines may use it.
type Store struct {
	path   string
	schema int64 // of the file; older than schemaVersion only if opened with OpenReadOnly
	read   *sql.DB
	equal  *sql.Stmt // digestQuery, which is asked for every message
	equals *sql.Stmt // allDigestQuery
	write  *writer   // nil if opened with OpenReadOnly
	lock   *os.File  // nil if opened with OpenReadOnly
	counts counts
	once   sync.Once
	err    error // of Close
}

// Open opens the file at path for a run, and makes it at first. A file of an
// older schema gets the present one. Errors that a
// person must act on are of type *migrate.Error with a hint: the file is in
// use by another process, is damaged, is something else, or was written by a
// newer mailhaul. A file that Open refuses is left as it was.
func Open(path string) (*Store, error) {
	s := &Store{path: path}
	if err := s.openForRun(); err != nil {
		s.Close()
		return nil, explain(path, "open checkpoints", err)
	}
	return s, nil
}

func (s *Store) openForRun() error {
	lock, holder, err := holdLock(s.path + ".lock")
	if errors.Is(err, errLocked) {
		return inUse(s.path, holder)
	}
	if err != nil {
		return err
	}
	s.lock = lock
	if err := prepareFile(s.path); err != nil {
		return err
	}
	if err := s.openReaders("rw", "query_only(1)"); err != nil {
		return err
	}
	if err := checkPages(s.read, s.path); err != nil {
		return err
	}
	if err := restrict(s.path); err != nil {
		return err
	}
	if s.write, err = newWriter(s.path); err != nil {
		return err
	}
	if s.schema < schemaVersion {
		err = s.write.do(context.Background(), func(w *writer) error {
			_, err := w.conn.ExecContext(context.Background(), upgrade(s.schema))
			return err
		})
		if err != nil {
			return err
		}
		s.schema = schemaVersion
	}
	return s.prepare()
}

// OpenReadOnly opens the file at path to look at it, also while another
// process has it open for a run, which does not notice. Saving is an error.
func OpenReadOnly(path string) (*Store, error) {
	s := &Store{path: path}
	if err := s.openToLook(); err != nil {
		s.Close()
		return nil, explain(path, "open checkpoints", err)
	}
	return s, nil
}

func (s *Store) openToLook() (err error) {
	info, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return missing(s.path)
	}
	if err != nil {
		return err
	}
	if err := checkLength(s.path, info); err != nil {
		return err
	}
	if err := s.openReaders("ro"); err != nil {
		return err
	}
	if s.schema < schemaVersion {
		s.read.SetMaxOpenConns(1) // which has the views
		if _, err := s.read.Exec(shadow(s.schema)); err != nil {
			return err
		}
	}
	return s.prepare()
}

func (s *Store) openReaders(mode string, pragmas ...string) (err error) {
	if s.read, err = connect(s.path, mode, pragmas...); err != nil {
		return err
	}
	s.schema, err = checkSchema(s.read, s.path)
	return err
}

func (s *Store) prepare() (err error) {
	if s.equal, err = s.read.Prepare(digestQuery); err != nil {
		return err
	}
	s.equals, err = s.read.Prepare(allDigestQuery)
	return err
}

// connect returns a pool of connections to the file, which must exist.
func connect(path, mode string, pragmas ...string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	abs = filepath.ToSlash(abs)
	if !strings.HasPrefix(abs, "/") {
		abs = "/" + abs // file:///C:/...
	}
	query := url.Values{"mode": {mode}, "_pragma": append([]string{
		"busy_timeout(10000)",
		"cache_size(-1000)", // KiB for each connection; the system caches the rest
	}, pragmas...)}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: abs, RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	return db, nil
}

// Close waits for calls that are being saved and gives the file free. Later
// calls fail.
func (s *Store) Close() error {
	s.once.Do(func() {
		var errs []error
		if s.read != nil {
			errs = append(errs, s.read.Close())
		}
		if s.write != nil {
			errs = append(errs, s.write.close()) // the last to close folds the log into the file
		}
		if s.lock != nil {
			errs = append(errs, freeLock(s.lock))
		}
		s.err = errors.Join(errs...)
	})
	return s.err
}

// InUse says which process has the file open for a run; running is false if
// none has.
func (s *Store) InUse() (h Holder, running bool, err error) {
	return readLock(s.path + ".lock")
}

// Mailbox returns the memory of one mailbox pair. In a store that was opened
// with OpenReadOnly it makes none, and the error wraps ErrNoMailbox.
func (s *Store) Mailbox(ctx context.Context, source, target string) (migrate.Ledger, error) {
	if s.write != nil {
		err := s.save(ctx, "make mailbox", func(w *writer) error {
			_, err := w.exec(`INSERT INTO mailbox (source, target) VALUES (?, ?) ON CONFLICT DO NOTHING`, source, target)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	l := &ledger{store: s}
	err := s.read.QueryRowContext(ctx, `SELECT id FROM mailbox WHERE source = ? AND target = ?`, source, target).Scan(&l.mailbox)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("%s to %s %w", source, target, ErrNoMailbox)
	}
	if err != nil {
		return nil, explain(s.path, "read mailbox", err)
	}
	return l, nil
}

// save has do run by the writer and returns once what it did is durable, or
// did not happen. A call that has begun is not cut short by ctx, so that the
// caller learns what became of it.
func (s *Store) save(ctx context.Context, op string, do func(*writer) error) error {
	if s.write == nil {
		return explain(s.path, op, errors.New("the checkpoints were opened for reading only"))
	}
	return explain(s.path, op, s.write.do(ctx, do))
}
