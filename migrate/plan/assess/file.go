package assess

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// A file holds the assessment of one mailbox: magic, then two streams of gzip
// with values of package gob in them. The first stream is the Assessment. The
// second is its surveys: their number, and of each the survey, the number of its
// prints, and these in chunks.
const magic = "mailhaul assessment 1\n"

// chunkMost is how many prints are in memory twice while they are written.
const chunkMost = 8192

// chunk is some of the prints of a survey.
type chunk struct {
	Prints []uint64
	Octets []uint32
}

// fileOf names files by a digest, since a mailbox may be called anything.
func fileOf(dir, mailbox string) string {
	sum := sha256.Sum256([]byte(mailbox))
	return filepath.Join(dir, hex.EncodeToString(sum[:16])+".assessment")
}

// Open returns the assessment of a mailbox that was saved in dir, or nil if
// there is none that can be read.
func Open(dir, mailbox string) *Assessment {
	a := &Assessment{file: fileOf(dir, mailbox)}
	err := a.open(func(r *bufio.Reader) error {
		return stream(r, func(z io.Reader) error { return gob.NewDecoder(z).Decode(a) })
	})
	if err != nil || a.Mailbox != mailbox {
		return nil
	}
	return a
}

// open calls read for what is after the magic.
func (a *Assessment) open(read func(*bufio.Reader) error) error {
	f, err := os.Open(a.file)
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	start := make([]byte, len(magic))
	if _, err := io.ReadFull(r, start); err != nil || string(start) != magic {
		return errors.New("it is no assessment")
	}
	return read(r)
}

// stream calls read for one stream of gzip, and reads the rest of it, which
// checks it.
func stream(r *bufio.Reader, read func(io.Reader) error) error {
	z, err := gzip.NewReader(r)
	if err != nil {
		return err
	}
	z.Multistream(false)
	if err := read(z); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, z)
	return err
}

// surveys returns those of an assessment, or none if they cannot be read.
func (a *Assessment) surveys() []*survey {
	if a.parts != nil {
		return a.parts
	}
	var parts []*survey
	err := a.open(func(r *bufio.Reader) error {
		if err := stream(r, func(io.Reader) error { return nil }); err != nil {
			return err
		}
		return stream(r, func(z io.Reader) (err error) {
			parts, err = readSurveys(gob.NewDecoder(z))
			return err
		})
	})
	if err != nil {
		return nil
	}
	return parts
}

func readSurveys(d *gob.Decoder) (parts []*survey, err error) {
	var n, chunks int
	if err := d.Decode(&n); err != nil {
		return nil, err
	}
	for range n {
		s := new(survey)
		if err := errors.Join(d.Decode(s), d.Decode(&chunks)); err != nil {
			return nil, err
		}
		for range chunks {
			var c chunk
			if err := d.Decode(&c); err != nil {
				return nil, err
			}
			s.prints, s.octets = append(s.prints, c.Prints...), append(s.octets, c.Octets...)
		}
		parts = append(parts, s)
	}
	return parts, nil
}

// Save keeps a in dir for a later Open, in place of an earlier assessment of
// the mailbox. The directory is made if need be. What only a later Mailbox needs
// is not in memory any more then.
func (a *Assessment) Save(dir string) error {
	if a.file != "" {
		return nil // it was taken over whole
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "*.tmp") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // if it was not renamed
	w := bufio.NewWriter(f)
	w.WriteString(magic)
	err = errors.Join(a.writeHead(w), a.writeSurveys(w), w.Flush(), f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("keep the assessment of %s: %w", a.Mailbox, err)
	}
	name := fileOf(dir, a.Mailbox)
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	a.parts, a.file = nil, name
	return nil
}

func (a *Assessment) writeHead(w io.Writer) error {
	z := gzip.NewWriter(w)
	return errors.Join(gob.NewEncoder(z).Encode(a), z.Close())
}

func (a *Assessment) writeSurveys(w io.Writer) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed) // most of it is as good as random
	if err != nil {
		return err
	}
	e := gob.NewEncoder(z)
	err = e.Encode(len(a.parts))
	for _, s := range a.parts {
		prints, octets := slices.Collect(slices.Chunk(s.prints, chunkMost)), slices.Collect(slices.Chunk(s.octets, chunkMost))
		err = errors.Join(err, e.Encode(s), e.Encode(len(prints)))
		for i := range prints {
			err = errors.Join(err, e.Encode(chunk{prints[i], octets[i]}))
		}
	}
	return errors.Join(err, z.Close())
}
