package graph

import (
	"bytes"
	"encoding/base64"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
)

// octets is a migrate.Body in memory.
type octets string

func (o octets) Open() (io.ReadSeekCloser, error) {
	return struct {
		io.ReadSeeker
		io.Closer
	}{bytes.NewReader([]byte(o)), io.NopCloser(nil)}, nil
}

func TestAPayloadHasTheLengthItAnnouncesAndCanBeReadAgain(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	for _, n := range []int{0, 1, 2, 3, 4, 3071, 3072, 3073, 10_000} {
		data := make([]byte, n)
		random.Read(data)
		p := payload{literal([]byte("<")), encoded(data), importOf(octets(data), int64(n), "k"), literal([]byte(">"))}
		text := base64.StdEncoding.EncodeToString(data)
		keyed := base64.StdEncoding.EncodeToString(append([]byte(keyLine("k")), data...))
		for range 2 {
			r, err := p.open()
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(iotest.HalfReader(r))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != "<"+text+keyed+">" || int64(len(got)) != p.size() {
				t.Fatalf("%d octets: wrong payload of %d, announced %d", n, len(got), p.size())
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAnEncoderPassesOnTheErrorOfItsSource(t *testing.T) {
	if _, err := io.ReadAll(&encoder{src: iotest.TimeoutReader(bytes.NewReader(make([]byte, 10_000)))}); err != iotest.ErrTimeout {
		t.Errorf("got %v", err)
	}
}
