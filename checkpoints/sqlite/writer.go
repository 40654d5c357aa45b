package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// A writer owns the connection that writes. Its methods but do and close are
// for the functions that do is given.
type writer struct {
	db    *sql.DB
	conn  *sql.Conn
	stmts map[string]*sql.Stmt // by their text
	bases map[int64]string     // folder.base, by folder
	notes map[remark]int64     // remark.id
	flags map[string]int64     // flagset.id

	calls   chan *call
	closing chan struct{}
	closed  chan struct{} // closed once the goroutine has ended
}

// A call is one save that waits for its commit.
type call struct {
	do   func(*writer) error
	done chan error
}

// A refusal is the error of a call that asked for something wrong: that call
// alone is undone. Any other error undoes the whole commit.
type refusal struct{ error }

func refuse(format string, args ...any) error { return refusal{fmt.Errorf(format, args...)} }

// errClosed is the error of calls after Close.
var errClosed = errors.New("the checkpoints are closed")

// cached bounds what the writer remembers of folders, remarks and sets of flags, each.
const cached = 4096

func newWriter(path string) (*writer, error) {
	// fullfsync makes macOS wait for the disk; elsewhere it is what fsync does.
	db, err := connect(path, "rw", "journal_mode(WAL)", "synchronous(FULL)", "fullfsync(1)", "checkpoint_fullfsync(1)")
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(context.Background())
	if err != nil {
		db.Close()
		return nil, err
	}
	w := &writer{
		db: db, conn: conn,
		stmts: make(map[string]*sql.Stmt),
		bases: make(map[int64]string), notes: make(map[remark]int64), flags: make(map[string]int64),
		calls: make(chan *call), closing: make(chan struct{}), closed: make(chan struct{}),
	}
	go w.run()
	return w, nil
}

// do returns once fn has run and is durable, or was undone.
func (w *writer) do(ctx context.Context, fn func(*writer) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := &call{fn, make(chan error, 1)}
	select {
	case w.calls <- c:
		return <-c.done
	case <-w.closing:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writer) close() error {
	close(w.closing)
	<-w.closed
	var errs []error
	for _, stmt := range w.stmts {
		errs = append(errs, stmt.Close()) // an open one would keep the connection from closing
	}
	return errors.Join(append(errs, w.conn.Close(), w.db.Close())...)
}

// run commits what waits, together, until the writer is closed.
func (w *writer) run() {
	defer close(w.closed)
	for {
		var group []*call
		select {
		case c := <-w.calls:
			group = append(group, c)
		case <-w.closing:
			return
		}
	gather:
		for {
			select {
			case c := <-w.calls:
				group = append(group, c)
			default:
				break gather
			}
		}
		errs, err := w.commit(group)
		for i, c := range group {
			if err != nil {
				c.done <- err
			} else {
				c.done <- errs[i]
			}
		}
	}
}

// commit runs group in one transaction. errs are the refusals by call; an err
// means that nothing was saved.
func (w *writer) commit(group []*call) (errs []error, err error) {
	defer func() {
		if err != nil {
			w.forget()
			// SQLite may have rolled back by itself, and then this fails.
			w.exec("ROLLBACK")
		}
	}()
	if _, err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return nil, err
	}
	errs = make([]error, len(group))
	for i, c := range group {
		if errs[i], err = w.attempt(c.do); err != nil {
			return nil, err
		}
	}
	_, err = w.exec("COMMIT")
	return errs, err
}

// attempt runs one call, and undoes it if it is refused.
func (w *writer) attempt(do func(*writer) error) (refused, err error) {
	if _, err := w.exec("SAVEPOINT call"); err != nil {
		return nil, err
	}
	err = do(w)
	if r, ok := err.(refusal); ok {
		w.forget()
		refused = r.error
		_, err = w.exec("ROLLBACK TO call")
	}
	if err != nil {
		return nil, err
	}
	_, err = w.exec("RELEASE call")
	return refused, err
}

// forget drops what may not be in the database after a rollback.
func (w *writer) forget() {
	clear(w.bases)
	clear(w.notes)
	clear(w.flags)
}

// exec runs a statement and returns how many rows it changed.
func (w *writer) exec(query string, args ...any) (int64, error) {
	stmt, err := w.prepare(query)
	if err != nil {
		return 0, err
	}
	res, err := stmt.Exec(args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// get runs a statement that returns one row, and scans it.
func (w *writer) get(query string, args []any, into ...any) error {
	stmt, err := w.prepare(query)
	if err != nil {
		return err
	}
	return stmt.QueryRow(args...).Scan(into...)
}

func (w *writer) prepare(query string) (*sql.Stmt, error) {
	stmt := w.stmts[query]
	if stmt == nil {
		var err error
		if stmt, err = w.conn.PrepareContext(context.Background(), query); err != nil {
			return nil, err
		}
		w.stmts[query] = stmt
	}
	return stmt, nil
}
