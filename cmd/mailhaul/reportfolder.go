package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A reportFolder is where a report is written. It gets its name when all of it
// is on the disk, so that no half report looks like a whole one.
type reportFolder struct {
	path string // its name in the end
	dir  string // until then
}

// A sealed file is one of a report, as "files" in report.json names it.
type sealed struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// newReportFolder begins a folder that must not exist yet. One that is empty
// makes room for it.
func newReportFolder(path string) (*reportFolder, error) {
	entries, err := os.ReadDir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case len(entries) > 0:
		return nil, fmt.Errorf("%s is not empty: name another folder with --out; nothing is written over what is there", path)
	default:
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	parent := filepath.Dir(path)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parent, "unfinished-report-") // mode 0700
	return &reportFolder{path, dir}, err
}

// freeName returns the first of path, path-2, path-3 and so on, with what they
// end with, that does not exist.
func freeName(path, end string) string {
	name := path + end
	for n := 2; absent(name) != nil; n++ {
		name = fmt.Sprintf("%s-%d%s", path, n, end)
	}
	return name
}

func (f *reportFolder) file(name string) string { return filepath.Join(f.dir, name) }

// write writes a file to the disk.
func (f *reportFolder) write(name string, face func(io.Writer) error) (sealed, error) {
	file, err := os.OpenFile(f.file(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return sealed{}, err
	}
	sum := sha256.New()
	if err := errors.Join(face(io.MultiWriter(file, sum)), file.Sync(), file.Close()); err != nil {
		return sealed{}, fmt.Errorf("%s: %w", name, err)
	}
	return sealed{name, hex.EncodeToString(sum.Sum(nil))}, nil
}

// digest names a file that was written by another program.
func (f *reportFolder) digest(name string) (sealed, error) {
	file, err := os.Open(f.file(name))
	if err != nil {
		return sealed{}, err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return sealed{}, err
	}
	return sealed{name, hex.EncodeToString(sum.Sum(nil))}, file.Sync()
}

// finish gives the folder its name, which nothing else may have got meanwhile.
func (f *reportFolder) finish() error { return os.Rename(f.dir, f.path) }

// discard removes what was not finished.
func (f *reportFolder) discard() error { return os.RemoveAll(f.dir) }
