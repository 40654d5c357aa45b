package graph

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"github.com/mailhaul/mailhaul/migrate"
)

// keyField is the header field that an import carries: what Exchange makes of
// the rest of a message need not be like the original, above all if its MIME
// is damaged, so content cannot tell which message an import was.
const keyField = "X-Mailhaul-Key"

func keyLine(key string) string { return keyField + ": " + key + "\r\n" }

// importOf is what an import of b sends, in base64. b has size octets.
func importOf(b migrate.Body, size int64, key string) piece {
	size += int64(len(keyLine(key)))
	return piece{(size + 2) / 3 * 4, func() (io.ReadCloser, error) {
		r, err := b.Open()
		if err != nil {
			return nil, err
		}
		return struct {
			io.Reader
			io.Closer
		}{&encoder{src: withKey(r, key)}, r}, nil
	}}
}

// withKey puts the key on top of a message, below a "From " line of mbox. It
// may be above damage, and is not what a signature covers.
func withKey(r io.Reader, key string) io.Reader {
	const mbox = "From "
	var from []byte
	br := bufio.NewReader(r)
	if start, _ := br.Peek(len(mbox)); string(start) == mbox {
		if line, _ := br.Peek(br.Size()); bytes.IndexByte(line, '\n') > 0 {
			from, _ = br.ReadBytes('\n')
		}
	}
	return io.MultiReader(bytes.NewReader(from), strings.NewReader(keyLine(key)), br)
}

// importedAs returns the key that a message was imported with, or "". A damaged
// header may have added to the field.
func importedAs(m models.Messageable) string {
	for _, h := range m.GetInternetMessageHeaders() {
		if h.GetName() == nil || h.GetValue() == nil || !strings.EqualFold(*h.GetName(), keyField) {
			continue
		}
		if words := strings.Fields(*h.GetValue()); len(words) > 0 {
			return words[0]
		}
	}
	return ""
}
