package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/mailhaul/mailhaul/migrate"
)

// ErrNoMailbox says that no run has come to a mailbox yet.
var ErrNoMailbox = errors.New("has no checkpoints yet")

// explain turns the error of an operation on the file into one that says what
// a person can do. Every error is fatal, because without checkpoints a run
// must not write; only the context's error stays as it is.
func explain(path, op string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if _, ok := errors.AsType[*migrate.Error](err); ok {
		return err
	}
	e := &migrate.Error{Op: op, Class: migrate.Fatal, Err: fmt.Errorf("%s: %w", filepath.Base(path), err)}
	if cause, ok := errors.AsType[*driver.Error](err); ok {
		switch cause.Code() & 0xff { // without the extension
		case lib.SQLITE_NOTADB, lib.SQLITE_CORRUPT:
			return damaged(path, err)
		case lib.SQLITE_FULL:
			e.Err = fmt.Errorf("the disk that holds %s is full; nothing of this call was saved: %w", path, err)
			e.Hint = "Make room and start the run again: it goes on where it was."
		case lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_PERM:
			e.Hint = "See whether you may write to the file and to its folder."
		case lib.SQLITE_IOERR:
			e.Hint = "See whether the disk is full or broken, then start the run again: it goes on where it was."
		case lib.SQLITE_BUSY:
			e.Hint = "Another program keeps the file locked. Close it and start the run again."
		}
	}
	return e
}

func inUse(path string, h Holder) error {
	who := "another process"
	if h != (Holder{}) {
		who = h.String()
	}
	return &migrate.Error{
		Op: "open checkpoints", Class: migrate.Fatal,
		Err:  fmt.Errorf("%s is in use by %s", filepath.Base(path), who),
		Hint: "Only one run at a time may work on a migration. Wait until the other one ends, or stop it.",
	}
}

func damaged(path string, cause error) error {
	return &migrate.Error{
		Op: "open checkpoints", Class: migrate.Fatal,
		Err: fmt.Errorf("%s is damaged: %w", path, cause),
		Hint: fmt.Sprintf("Nothing at the source or the target is lost. Move the file and those named like it aside as %[1]s.bak "+
			"and put your latest backup copy in its place: what was copied after it was made will be copied again. "+
			"Do not start with an empty file: every message would be copied again.",
			filepath.Base(path)),
	}
}

func missing(path string) error {
	return &migrate.Error{
		Op: "open checkpoints", Class: migrate.Fatal,
		Err:  fmt.Errorf("%s: there is no such file", path),
		Hint: "The first run makes it. If there was one already, name its checkpoints in the configuration.",
	}
}

func foreign(path string) error {
	return &migrate.Error{
		Op: "open checkpoints", Class: migrate.Fatal,
		Err:  fmt.Errorf("%s is a database of another program", path),
		Hint: "Name another file for the checkpoints in the configuration.",
	}
}

func newer(path string, version int64) error {
	return &migrate.Error{
		Op: "open checkpoints", Class: migrate.Fatal,
		Err:  fmt.Errorf("%s was written by a newer mailhaul: it has schema %d, and this one knows up to %d", path, version, schemaVersion),
		Hint: "Use that version of mailhaul, or a later one.",
	}
}
