package graphsim

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"strings"
	"time"
)

// create serves a POST of a message to a folder, nil if the path names none:
// MIME (route D) or JSON (route C).
func (c *call) create(f *folder) (reply, error) {
	media, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if media == "text/plain" && (f == nil || c.s.opt.MIMEInFolder) {
		return c.createMIME(f, RouteMIME)
	}
	object, raw, err := c.json(messageShape())
	if err != nil {
		return reply{}, err
	}
	return c.createJSON(f, object, raw)
}

// importMIME is route A (section 3).
func (c *call) importMIME(folder string) (reply, error) {
	if c.s.opt.NoImport || c.version == "v1.0" && !c.s.opt.ImportV1 {
		return reply{}, errSegment("importMime")
	}
	if media, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type")); media != "text/plain" {
		return reply{}, errBody("Unable to deserialize the post body: importMime wants text/plain.")
	}
	c.mb.mu.Lock()
	f, err := c.findFolder(folder)
	c.mb.mu.Unlock()
	if err != nil {
		return reply{}, err
	}
	return c.createMIME(f, RouteImport)
}

// createMIME stores the base64 text in the body as a message.
func (c *call) createMIME(f *folder, route Route) (reply, error) {
	text, err := c.octets()
	if err != nil {
		return reply{}, err
	}
	defer buffers.Put(text)
	if len(text.b) == 0 {
		return reply{}, errBody("Unable to deserialize the post body: it is empty.")
	}
	mimeText, err := c.decodeBase64(text.b)
	if err != nil {
		return reply{}, err
	}
	if route == RouteImport && c.s.opt.ImportDropsFields {
		mimeText = withoutCustomFields(mimeText)
	}
	said := contentOfMIME(mimeText)
	if c.s.opt.RefuseBroken && (len(said.headers) == 0 || said.mime.get("From") == "") || defective(mimeText, c.s.opt.Defects) {
		return reply{}, refuse(400, "ErrorMimeContentInvalid", "The MIME content is invalid.")
	}
	written, err := c.s.octets.add(mimeText)
	if err != nil {
		return reply{}, err
	}
	m := &message{
		route: route, written: written, messageID: said.mime.get("Message-ID"), received: c.now, sent: c.now,
		read: true, draft: true, importance: importanceOf(said.mime), inference: "focused",
	}
	if t, ok := parseDate(said.mime.get("Date")); ok {
		m.sent = t
	}
	if route == RouteImport {
		m.draft, m.read = false, c.s.opt.ImportRead
		if !c.s.opt.ImportNow {
			m.received = arrival(said.mime, m.sent)
		}
	}
	return c.store(f, m, said)
}

func withoutCustomFields(b []byte) []byte {
	var kept []byte
	n := headerLength(b)
	custom := false
	for at := 0; at < n; {
		end := lineEnd(b, at)
		if line := b[at:end]; line[0] != ' ' && line[0] != '\t' {
			custom = bytes.HasPrefix(bytes.ToLower(line), []byte("x-"))
		}
		if !custom {
			kept = append(kept, b[at:end]...)
		}
		at = end
	}
	return append(kept, b[n:]...)
}

// decodeBase64 decodes in place.
func (c *call) decodeBase64(b []byte) ([]byte, error) {
	invalid := refuse(400, "ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content.")
	if !c.s.opt.Base64Lines {
		for _, ch := range b {
			if ch == '\r' || ch == '\n' { // the decoder would pass over them
				return nil, invalid
			}
		}
	}
	n, err := base64.StdEncoding.Strict().Decode(b, b)
	if err != nil {
		return nil, invalid
	}
	return b[:n], nil
}

// arrival is the date of the topmost Received: field, which is the latest, or
// else the sent date.
func arrival(p *part, sent time.Time) time.Time {
	trace := p.get("Received")
	if i := strings.LastIndexByte(trace, ';'); i >= 0 {
		if t, ok := parseDate(strings.TrimSpace(trace[i+1:])); ok {
			return t
		}
	}
	return sent
}

func importanceOf(p *part) string {
	switch strings.ToLower(p.get("Importance")) {
	case "high":
		return "high"
	case "low":
		return "low"
	}
	switch p.get("X-Priority") {
	case "1", "2":
		return "high"
	case "4", "5":
		return "low"
	}
	return "normal"
}

// store puts a new message into f, or into Drafts, within the limits of the
// mailbox, and answers 201.
func (c *call) store(f *folder, m *message, said *content) (reply, error) {
	m.created, m.modified = c.now, c.now
	c.mb.mu.Lock()
	defer c.mb.mu.Unlock()
	if f == nil {
		f = c.mb.wellKnown["drafts"]
	}
	if f.gone {
		return reply{}, errItemNotFound()
	}
	if m.size() > c.s.opt.MaxMessage {
		return reply{}, refuse(400, "ErrorMessageSizeExceeded", "The message exceeds the maximum supported size.")
	}
	if err := c.room(f, m.size()); err != nil {
		return reply{}, err
	}
	m.item, m.placement = c.mb.nextItem(), c.mb.nextPlacement()
	m.seenAt = c.mb.requests.Load()
	if m.messageID == "" {
		m.messageID = fmt.Sprintf("<%s%08d@%s.prod.outlook.com>", strings.ToUpper(c.mb.tag[:8]), m.item, strings.ToUpper(c.mb.tag[8:]))
	}
	c.mb.put(f, m)
	out, err := (&view{c: c, m: m, said: said}).json()
	if err != nil {
		return reply{}, err
	}
	out["@odata.context"] = c.context("users('" + c.mb.user + "')/messages/$entity")
	return reply{status: 201, body: out}, nil
}

// room refuses a message that is too much for its folder, or that adds too much
// to its mailbox.
func (c *call) room(f *folder, size int64) error {
	if n := c.s.opt.MaxMailbox; n > 0 && size > 0 && c.mb.octets+size > n {
		return refuse(507, "ErrorQuotaExceeded", "The mailbox has exceeded its quota.")
	}
	if n := c.s.opt.MaxFolderMessages; n > 0 && len(f.messages) >= n {
		return refuse(400, "ErrorMessagePerFolderCountReceiveQuotaExceeded", "The folder holds the most messages that it may.")
	}
	if f.search {
		return refuse(400, "ErrorInvalidFolderId", "A search folder cannot hold messages.")
	}
	return nil
}

func (mb *mailbox) nextItem() uint64 {
	mb.last.item++
	return mb.last.item
}

func (mb *mailbox) nextPlacement() uint64 {
	mb.last.placement++
	return mb.last.placement
}
