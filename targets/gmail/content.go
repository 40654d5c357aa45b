package gmail

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"net/http"
	"net/url"

	api "google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"

	"github.com/mailhaul/mailhaul/migrate"
)

// A match says how a message at Gmail compares with one of the source.
type match int

const (
	differs match = iota
	ends          // it is header fields and then the other's octets
	copied        // and the last of those fields is one that Gmail prepends
)

// compare compares message id with m. While m's own octets are at hand, line
// ends may differ, since it is not known whether Gmail keeps bare ones.
func (t *Target) compare(ctx context.Context, id string, m *migrate.Message) (match, error) {
	file, err := newTempFile()
	if err != nil {
		return differs, unsent(costGet.op, err)
	}
	defer file.Close()
	var size int64
	err = t.call(ctx, costRead, func(ctx context.Context) (err error) {
		_, size, err = t.download(ctx, id, file)
		return err
	})
	if err != nil {
		return differs, err
	}
	found, err := endsWith(file, size, m)
	if err == nil && found == differs && m.Body != nil {
		found, err = endsAlike(file, m)
	}
	if err != nil {
		return differs, unsent(costGet.op, err)
	}
	return found, nil
}

// download writes message id to w as Gmail holds it, and returns what else the
// answer says of it. The client library would hold it in memory, twice.
func (t *Target) download(ctx context.Context, id string, w io.Writer) (m *api.Message, size int64, err error) {
	u := *t.endpoint
	u.Path = "/gmail/v1/users/" + t.user + "/messages/" + id
	u.RawPath = "/gmail/v1/users/" + url.PathEscape(t.user) + "/messages/" + url.PathEscape(id)
	u.RawQuery = "alt=json&fields=labelIds%2CinternalDate%2CsizeEstimate%2Craw&format=raw&prettyPrint=false"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, 0, err
	}
	res, err := t.raw.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer res.Body.Close()
	if err := googleapi.CheckResponse(res); err != nil {
		return nil, 0, err
	}
	return readRaw(w, res.Body)
}

// endsWith compares the size octets of file with m.
func endsWith(file io.ReadSeeker, size int64, m *migrate.Message) (match, error) {
	if size < m.Size {
		return differs, nil
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return differs, err
	}
	tail := &tail{skip: size - m.Size, hash: sha256.New()}
	if _, err := io.Copy(tail, file); err != nil {
		return differs, err
	}
	return tail.match(m.Digest[:]), nil
}

// endsAlike is endsWith when all line ends count as CRLF.
func endsAlike(file io.ReadSeeker, m *migrate.Message) (match, error) {
	body, err := m.Body.Open()
	if err != nil {
		return differs, err
	}
	defer body.Close()
	want := &tail{hash: sha256.New()}
	wantSize, err := copyLines(want, body)
	if err != nil {
		return differs, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return differs, err
	}
	size, err := copyLines(io.Discard, file)
	if err != nil || size < wantSize {
		return differs, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return differs, err
	}
	got := &tail{skip: size - wantSize, hash: sha256.New()}
	if _, err := copyLines(got, file); err != nil {
		return differs, err
	}
	return got.match(want.hash.Sum(nil)), nil
}

// A tail hashes what is written to it, but for the first skip octets, which
// may be header fields.
type tail struct {
	skip  int64
	hash  hash.Hash
	field []byte // the start of the last field that was skipped
	line  int    // octets of the line that is being skipped, without its end
	body  bool   // what was skipped has an empty line, so not fields only
}

// maxField bounds what is kept of a field.
const maxField = 2000

func (t *tail) Write(p []byte) (int, error) {
	head := p[:min(int64(len(p)), t.skip)]
	for _, c := range head {
		switch {
		case c == '\r':
		case c == '\n':
			t.body = t.body || t.line == 0
			t.line = 0
		default:
			if t.line == 0 && c != ' ' && c != '\t' {
				t.field = t.field[:0]
			}
			if t.line++; len(t.field) < maxField {
				t.field = append(t.field, c)
			}
		}
	}
	t.skip -= int64(len(head))
	t.hash.Write(p[len(head):])
	return len(p), nil
}

// match compares what was not skipped with the message that has this hash.
func (t *tail) match(hash []byte) match {
	switch {
	case t.body || t.line > 0 || !bytes.Equal(t.hash.Sum(nil), hash):
		return differs
	case len(t.field) == 0 || bytes.Contains(t.field, []byte("google.com")):
		return copied
	}
	return ends
}

// copyLines copies r to w with every line end (CRLF, CR, LF) as CRLF, and one
// at the end, and returns how much it wrote.
func copyLines(w io.Writer, r io.Reader) (n int64, err error) {
	in, out := bufio.NewReaderSize(r, 32<<10), bufio.NewWriterSize(w, 32<<10)
	var last byte
	for {
		c, err := in.ReadByte()
		if err == io.EOF {
			break
		}
		if err != nil {
			return n, err
		}
		switch {
		case c == '\n' && last == '\r': // written already
		case c == '\n' || c == '\r':
			out.WriteString("\r\n")
			n += 2
		default:
			out.WriteByte(c)
			n++
		}
		last = c
	}
	if last != '\n' && last != '\r' && last != 0 {
		out.WriteString("\r\n")
		n += 2
	}
	return n, out.Flush()
}
