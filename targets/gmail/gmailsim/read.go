package gmailsim

import (
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (c *call) getProfile() (any, error) {
	b := c.box
	b.mu.Lock()
	defer b.mu.Unlock()
	return profileResource{b.user, len(b.messages), len(b.threadSize), strconv.FormatUint(b.historyID, 10)}, nil
}

func (c *call) getMessage() (any, error) {
	c.box.mu.Lock()
	m, err := c.box.find(c.args[0])
	if err != nil {
		c.box.mu.Unlock()
		return nil, err
	}
	snapshot := *m // the octets are read without the lock
	c.box.mu.Unlock()
	return c.resource(&snapshot)
}

// resource answers with a message in the format asked for.
func (c *call) resource(m *message) (messageResource, error) {
	top := m.top(c.box.user)
	r := m.brief()
	r.HistoryID = strconv.FormatUint(m.changed, 10)
	r.InternalDate = m.internalDate()
	r.SizeEstimate = int64(len(top)) + m.size
	names := c.query["metadataHeaders"]
	switch format := c.query.Get("format"); format {
	case "minimal":
	case "raw":
		b := make([]byte, len(top)+int(m.size))
		copy(b, top)
		if _, err := c.s.octets.file.ReadAt(b[len(top):], m.offset); err != nil {
			return r, fmt.Errorf("message file: %w", err)
		}
		r.Raw = base64.URLEncoding.EncodeToString(b)
		c.box.mu.Lock()
		c.box.fetched += int64(len(b))
		c.box.mu.Unlock()
	case "metadata":
		b := make([]byte, min(m.size, maxHeader))
		if _, err := c.s.octets.file.ReadAt(b, m.offset); err != nil {
			return r, fmt.Errorf("message file: %w", err)
		}
		header, _ := split(b)
		r.Payload = payload(slices.Concat([]byte(top), header), names)
	case "", "full":
		return r, notSimulated("format=full")
	default:
		return r, invalid("Invalid value at 'format', %q", format)
	}
	return r, nil
}

// payload lists the header fields with the given names, all if there are none.
// Encoded words are decoded, as Gmail does.
func payload(header []byte, names []string) *partResource {
	p := &partResource{MimeType: "text/plain"}
	words := mime.WordDecoder{}
	fields(header, func(name, folded []byte) {
		value := unfold(folded)
		if is(name, "content-type") {
			if t, _, err := mime.ParseMediaType(value); err == nil {
				p.MimeType = t
			}
		}
		if len(names) > 0 && !containsFold(names, string(name)) {
			return
		}
		if decoded, err := words.DecodeHeader(value); err == nil {
			value = decoded
		}
		p.Headers = append(p.Headers, headerResource{string(name), strings.ToValidUTF8(value, "\uFFFD")})
	})
	return p
}

// Message is a message of the simulator, for tests.
type Message struct {
	ID           string
	ThreadID     string
	Labels       []string // names, without UNREAD and STARRED
	Unread       bool
	Starred      bool
	InternalDate time.Time
	Size         int64  // octets as received
	SHA256       string // of the octets as received, in hex
	Prepended    int    // octets of the fields that were put on top
	Added        string // those fields

	section *io.SectionReader
}

// Received reads the octets as they were received. It is valid until the
// server is closed.
func (m Message) Received() io.Reader { return io.NewSectionReader(m.section, 0, m.Size) }

// Raw reads what format=raw gives.
func (m Message) Raw() io.Reader { return io.MultiReader(strings.NewReader(m.Added), m.Received()) }

// Messages returns the messages of a user, oldest internalDate first.
func (s *Server) Messages(user string) []Message {
	s.mu.Lock()
	b := s.boxes[strings.ToLower(user)]
	s.mu.Unlock()
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]Message, len(b.messages))
	for i, m := range b.messages {
		top := m.top(b.user)
		x := Message{
			ID: formatID(m.id), ThreadID: formatID(m.thread), Labels: []string{},
			InternalDate: time.UnixMilli(m.date).UTC(),
			Size:         m.size, SHA256: fmt.Sprintf("%x", m.sum),
			Prepended: len(top), Added: top,
			section: io.NewSectionReader(s.octets.file, m.offset, m.size),
		}
		for _, l := range m.labels {
			switch l.id {
			case "UNREAD":
				x.Unread = true
			case "STARRED":
				x.Starred = true
			default:
				x.Labels = append(x.Labels, l.name)
			}
		}
		slices.Sort(x.Labels)
		list[i] = x
	}
	return list
}
