package graph

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-message"

	"github.com/mailhaul/mailhaul/migrate"
)

// Bounds on what a letter holds in memory.
const (
	maxText   = 1_000_000 // octets of the body that is shown
	maxInline = 1_500_000 // octets of attachments that ride in the create request
	maxBlank  = 1_000     // octets of further texts that are nothing but blank, and are left out
)

// A letter is a message taken apart for the JSON route.
type letter struct {
	header      message.Header
	block       string // the header as it stands, up to the blank line
	text        string
	html        bool
	alternative int          // of the leaf that text came from
	attachments []attachment // in the order of the message
	notes       []string
	original    bool // attach the message itself too: something in it could not be read
	budget      int  // octets of attachments that may still be held
}

// An attachment is a leaf that is no body. data is held if it is small, and
// otherwise read again from the message when it is sent.
type attachment struct {
	name      string
	mediaType string
	contentID string // without brackets; set if inline
	inline    bool
	size      int64
	data      []byte // nil if not held
	leaf      int    // index; -1 for the message itself
}

// takeApart reads m once. It fails only with errProtected or an error of the
// body: a message that cannot be parsed is one text.
func takeApart(m *migrate.Message) (*letter, error) {
	r, err := m.Body.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	l := &letter{budget: maxInline}
	if err := l.readHeader(r); err != nil {
		return nil, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	w := walk{visit: l.visit}
	l.header, err = w.message(r)
	switch {
	case err == errNoHeader:
		return l, l.unparsed(r)
	case err != nil:
		return nil, err
	}
	if t, _ := contentType(l.header); signedOrEncrypted(t) {
		return nil, errProtected
	}
	if w.multi || len(l.attachments) > 0 {
		l.note("mime-structure-rebuilt")
	}
	if w.damaged {
		l.note("damaged-mime-attached")
		l.original = true
	}
	if w.protected {
		l.note("inner-signature-broken-and-original-attached")
		l.original = true
	}
	if l.original {
		size, err := r.Seek(0, io.SeekEnd)
		if err != nil {
			return nil, err
		}
		l.attachments = append(l.attachments, original(size))
	}
	return l, nil
}

// original is the message itself, of size octets.
func original(size int64) attachment {
	return attachment{name: "original.eml", mediaType: "message/rfc822", size: size, leaf: -1}
}

func (l *letter) note(s string) {
	if !slices.Contains(l.notes, s) {
		l.notes = append(l.notes, s)
	}
}

// unparsed makes the whole message its text, and an attachment.
func (l *letter) unparsed(r io.ReadSeeker) error {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	l.block, l.html = "", false
	l.note("unparsed-as-text")
	data, err := io.ReadAll(io.LimitReader(r, maxText+1))
	if err != nil {
		return err
	}
	size, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	l.text = clean(toUTF8(head(data, maxText), ""))
	l.attachments = []attachment{{name: "original.eml", mediaType: "application/octet-stream", size: size, leaf: -1}}
	return nil
}

func (l *letter) visit(p leaf, body io.Reader) error {
	if signedOrEncrypted(p.mediaType) && p.index == 0 {
		return errProtected
	}
	isHTML := p.mediaType == "text/html"
	if (isHTML || p.mediaType == "text/plain") && !p.attached() && p.fileName() == "" {
		same := p.alternative != 0 && p.alternative == l.alternative
		switch {
		case strings.TrimSpace(l.text) == "" && !l.html:
			return l.setText(p, isHTML, body)
		case same && isHTML && !l.html:
			l.note("alternative-text-dropped")
			return l.setText(p, isHTML, body)
		case same && !isHTML && l.html:
			l.note("alternative-text-dropped")
			return nil
		}
		start, err := io.ReadAll(io.LimitReader(body, maxBlank))
		if err != nil || len(start) < maxBlank && len(bytes.TrimSpace(start)) == 0 {
			return err
		}
		body = io.MultiReader(bytes.NewReader(start), body)
	}
	return l.attach(p, body)
}

// setText makes the leaf the text that is shown. A very long one is shown in
// part.
func (l *letter) setText(p leaf, isHTML bool, body io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(body, maxText+1))
	if err != nil {
		return err
	}
	l.html, l.alternative = isHTML, p.alternative
	text, guess := decodeText(head(data, maxText), p.params["charset"])
	if guess {
		l.note("charset-guessed-and-original-attached")
		l.original = true
	}
	if l.text = clean(text); l.text != text {
		l.note("control-characters-dropped")
	}
	if len(data) > maxText || len(l.text) > maxText {
		l.note("long-text-attached")
		l.original = true
		l.text = string(head([]byte(l.text), maxText))
	}
	return nil
}

func (l *letter) attach(p leaf, body io.Reader) error {
	a := attachment{name: p.fileName(), mediaType: p.mediaType, leaf: p.index}
	if method := p.params["method"]; p.mediaType == "text/calendar" && method != "" {
		a.mediaType = mime.FormatMediaType(p.mediaType, map[string]string{"method": method}) // RFC 6047 section 2.4
	}
	if id := strings.Trim(strings.TrimSpace(p.header.Get("Content-Id")), "<>"); id != "" && !p.attached() {
		a.inline, a.contentID = true, clean(id)
	}
	if a.name == "" {
		a.name = defaultName(p)
	}
	if p.mediaType == "message/rfc822" {
		l.note("attached-message-as-file")
		if !strings.EqualFold(path.Ext(a.name), ".eml") {
			a.name += ".eml"
		}
	}
	held, err := io.ReadAll(io.LimitReader(body, int64(l.budget)+1))
	if err != nil {
		return err
	}
	a.size = int64(len(held))
	if len(held) > l.budget {
		n, err := io.Copy(io.Discard, body)
		if err != nil {
			return err
		}
		a.size += n
	} else {
		l.budget -= len(held)
		a.data = held
	}
	l.attachments = append(l.attachments, a)
	return nil
}

func defaultName(p leaf) string {
	ext := ".bin"
	switch p.mediaType {
	case "text/plain":
		ext = ".txt"
	case "text/html":
		ext = ".html"
	case "message/rfc822":
		ext = ".eml"
	case "text/calendar":
		ext = ".ics"
	case "image/jpeg":
		ext = ".jpg"
	default:
		if all, err := mime.ExtensionsByType(p.mediaType); err == nil && len(all) > 0 {
			ext = all[0]
		}
	}
	return fmt.Sprintf("part-%d%s", p.index+1, ext)
}

func (l *letter) readHeader(r io.Reader) (err error) {
	l.block, err = headerBlock(r)
	if len(l.block) > maxHeaderBlock {
		l.block = string(head([]byte(l.block), maxHeaderBlock))
		l.note("header-shortened")
	}
	return err
}

// headerBlock reads the header as it stands, without the lines that Exchange
// keeps for itself (MS-OXCMAIL 2.2.3.2.26), at most a little over
// maxHeaderBlock.
func headerBlock(r io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxHeaderBlock+1))
	if err != nil {
		return "", err
	}
	var b strings.Builder
	skip := false
	for line := range bytes.Lines(data) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if line[0] != ' ' && line[0] != '\t' {
			low := strings.ToLower(string(line[:min(len(line), 40)]))
			skip = strings.HasPrefix(low, "x-ms-exchange-organization-") || strings.HasPrefix(low, "x-ms-exchange-forest-")
		}
		if !skip {
			b.WriteString(clean(toUTF8(line, "")))
			b.WriteString("\r\n")
		}
	}
	return b.String(), nil
}

// plausible says whether a date can be that of a message: sources answer 1899
// or the like when they do not know.
func plausible(t time.Time) bool { return t.Year() >= 1900 && t.Year() < 2200 }
