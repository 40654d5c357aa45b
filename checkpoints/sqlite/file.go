package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const applicationID = 0x6d68_636b // "mhck", at offset 68 of the file

// prepareFile makes the file if it is missing. The caller holds the lock.
func prepareFile(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(path + "-wal"); err == nil {
			return damaged(path, errors.New("it is missing, but its log is there"))
		}
		return create(path)
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a file", path)
	}
	return checkLength(path, info)
}

// checkLength refuses what SQLite takes for a new database: create never
// leaves such a file.
func checkLength(path string, info fs.FileInfo) error {
	if info.Size() < 512 { // the smallest page
		return damaged(path, fmt.Errorf("it has only %d octets", info.Size()))
	}
	return nil
}

// restrict sees to it that the owner alone can read the file, which may have
// been copied back, and those beside it.
func restrict(path string) error {
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Chmod(name, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// create makes the file under another name and renames it, so that a file
// at path is a whole one, and an empty one a damaged one.
func create(path string) error {
	fresh := path + ".new"
	for _, old := range []string{fresh, fresh + "-wal", fresh + "-shm", fresh + "-journal"} {
		if err := os.Remove(old); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	f, err := os.OpenFile(fresh, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	db, err := connect(fresh, "rw", "journal_mode(WAL)", "synchronous(FULL)", "fullfsync(1)", "checkpoint_fullfsync(1)")
	if err != nil {
		return err
	}
	_, err = db.Exec(fmt.Sprintf("BEGIN; PRAGMA application_id = %d;\n%sCOMMIT;", applicationID, upgrade(0)))
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	if dir, err := os.Open(filepath.Dir(path)); err == nil {
		dir.Sync() // where directories can be synced
		dir.Close()
	}
	return nil
}

// checkSchema returns the schema of the file, and an error unless this program
// understands it.
func checkSchema(db *sql.DB, path string) (version int64, err error) {
	var id int64
	if err := db.QueryRow(`SELECT application_id, user_version FROM pragma_application_id, pragma_user_version`).Scan(&id, &version); err != nil {
		return 0, err
	}
	switch {
	case id != applicationID:
		return 0, foreign(path)
	case version > schemaVersion:
		return 0, newer(path, version)
	case version < 1:
		return 0, damaged(path, fmt.Errorf("its schema version is %d", version))
	}
	return version, nil
}

// checkPages reads the whole file and returns an error if it is damaged.
func checkPages(db *sql.DB, path string) error {
	var result string
	if err := db.QueryRow(`PRAGMA quick_check(1)`).Scan(&result); err != nil {
		return err
	}
	if result != "ok" {
		return damaged(path, errors.New(result))
	}
	return nil
}
