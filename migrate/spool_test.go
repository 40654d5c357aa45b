package migrate

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

func TestTheSpoolKeepsEveryOctetWhateverSizeWasAnnounced(t *testing.T) {
	s := NewSpool(t.TempDir(), 4<<20, 1<<26)
	for _, size := range []int{0, 1, 511, 512, 513, inMemory - 1, inMemory, inMemory + 1, 3 << 20} {
		content := bytes.Repeat([]byte("mail haul"), size/9+1)[:size]
		for _, announced := range []int64{-5, 0, 1, int64(size) - 1, int64(size), int64(size) + 1, 10 << 20} {
			sp, err := s.fill(iotest.HalfReader(bytes.NewReader(content)), announced)
			if err != nil {
				t.Fatal(err)
			}
			if sp.size != int64(size) || sp.digest != sha256.Sum256(content) {
				t.Errorf("size %d announced as %d: %d octets, digest %x", size, announced, sp.size, sp.digest)
			}
			for range 2 { // it can be opened again
				r, _ := sp.Open()
				got, err := io.ReadAll(r)
				if err != nil || !bytes.Equal(got, content) {
					t.Errorf("size %d announced as %d: read %d octets, %v", size, announced, len(got), err)
				}
				r.Close()
			}
			sp.Close()
		}
	}
	if !s.memory.TryAcquire(4 << 20) {
		t.Error("memory was not given back")
	}
}

func TestASpoolFileIsReadableByItsOwnerOnly(t *testing.T) {
	dir := t.TempDir()
	s := NewSpool(dir, 0, 1<<26)
	sp, err := s.fill(strings.NewReader("secret"), 6)
	if err != nil {
		t.Fatal(err)
	}
	defer sp.Close()
	st, err := sp.file.Stat()
	if err != nil || st.Mode().Perm()&0o077 != 0 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
}

func TestAMessageThatBreaksOffIsTheReadersFault(t *testing.T) {
	s := NewSpool(t.TempDir(), 1<<20, 1<<26)
	broken := errors.New("connection reset")
	for _, announced := range []int64{10, 1 << 21} {
		_, err := s.fill(io.MultiReader(strings.NewReader("begin"), iotest.ErrReader(broken)), announced)
		if local := (*localError)(nil); err == nil || errors.As(err, &local) || !errors.Is(err, broken) {
			t.Errorf("announced as %d: got %v", announced, err)
		}
	}
	if !s.memory.TryAcquire(1 << 20) {
		t.Error("memory was not given back")
	}
}

func TestAFullDiskIsOurOwnTrouble(t *testing.T) {
	s := NewSpool(t.TempDir(), 0, 1<<26)
	s.dir += "/missing"
	_, err := s.fill(strings.NewReader("mail"), 4)
	if local := (*localError)(nil); !errors.As(err, &local) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestAMessageLargerThanTheSpoolIsRefusedForGood(t *testing.T) {
	s := NewSpool(t.TempDir(), 0, groupBytes)
	_, err := s.fill(io.LimitReader(zeros{}, 1<<40), 10)
	if !errors.Is(err, errTooLarge) || classify(err).Class != Permanent {
		t.Errorf("got %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
