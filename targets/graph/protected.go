package graph

import (
	"errors"
	"io"

	"github.com/mailhaul/mailhaul/migrate"
)

var errProtected = errors.New("the message is signed or encrypted")

const hintProtected = "Rebuilding would break the signature or the encryption. Use the importmime route (the app needs Mail-Advanced.ReadWrite.All; it takes messages up to 3 MB), " +
	"or set protected = \"attach\" under [graph] to have it attached, as it is, to a message with its header."

// enclose makes a letter with m's header and a line of text, to which m itself
// is attached: that keeps what rebuilding would break.
func enclose(m *migrate.Message) (*letter, error) {
	l := &letter{text: "This message is signed or encrypted. It is attached as it was, as original.eml.\r\n"}
	r, err := m.Body.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if err := l.readHeader(r); err != nil {
		return nil, err
	}
	size, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	if h, ok := headerOf(m.Body); ok {
		l.header = h.Header
	}
	l.note("protected-attached")
	l.attachments = []attachment{original(size)}
	return l, nil
}
