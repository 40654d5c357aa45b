package canon

import (
	"bytes"
	"crypto/sha256"
	"io"
	"slices"
	"strings"
	"testing"

	gomessage "github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset"
	"github.com/emersion/go-message/mail"
)

// An opinion is what another reader finds in a message.
type opinion struct {
	files []string // names of attachments
	held  []Digest // their octets
	texts []Digest // of what people read of texts
}

// ofGoMessage asks github.com/emersion/go-message.
func ofGoMessage(t *testing.T, octets []byte) (o opinion) {
	t.Helper()
	m, err := gomessage.Read(bytes.NewReader(octets))
	if err != nil {
		t.Fatal(err)
	}
	err = m.Walk(func(_ []int, e *gomessage.Entity, err error) error {
		if err != nil {
			return err
		}
		if e.MultipartReader() != nil {
			return nil
		}
		content, err := io.ReadAll(e.Body)
		kind, _, _ := e.Header.ContentType()
		name, _ := (&mail.AttachmentHeader{Header: e.Header}).Filename()
		disposition, _, _ := e.Header.ContentDisposition()
		if strings.HasPrefix(kind, "text/") && name == "" && disposition != "attachment" {
			o.texts = append(o.texts, proseOf(string(content), kind))
		} else {
			o.files, o.held = append(o.files, name), append(o.held, sha256.Sum256(content))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// ofTree asks the packages mime and mime/multipart.
func ofTree(t *testing.T, octets []byte) (o opinion) {
	t.Helper()
	n, err := parse(octets)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range n.leaves() {
		if l.isText() {
			o.texts = append(o.texts, proseOf(charsetOf(l.params["charset"]).string(l.content), l.mediaType))
		} else {
			o.files, o.held = append(o.files, l.fileName()), append(o.held, sha256.Sum256(l.content))
		}
	}
	return o
}

func proseOf(text, mediaType string) Digest {
	kind := "plain"
	if mediaType == "text/html" {
		kind = "html"
	}
	p := newProse(charset{}, kind)
	p.write([]byte(text))
	return p.digest()
}

func TestOtherReadersFindTheSameParts(t *testing.T) {
	read := 0
	each(t, func(t *testing.T, octets []byte) {
		if _, err := parse(octets); err != nil || !bytes.Contains(octets, []byte("example.")) || bytes.Contains(octets, []byte("charset=x-")) {
			return // not well-formed, not generated, or in a charset that go-message refuses
		}
		read++
		form := sum(t, string(octets))
		for who, o := range map[string]opinion{"go-message": ofGoMessage(t, octets), "mime/multipart": ofTree(t, octets)} {
			var files []string
			var texts []Digest
			for _, p := range form.parts {
				if p.aspect == Attachment {
					files = append(files, strings.ReplaceAll(p.name, " ", ""))
				} else {
					texts = append(texts, p.content)
				}
			}
			for i, name := range o.files {
				o.files[i] = strings.ReplaceAll(phrase(name), " ", "")
			}
			// Package mime, which both use, knows no charset but UTF-8 in names.
			if !slices.Equal(files, o.files) && !bytes.Contains(octets, []byte("*=iso-8859-1'")) {
				t.Errorf("%s finds the files %q, this package %q", who, o.files, files)
			}
			for i, digest := range o.held {
				if !form.Holds(digest) {
					t.Errorf("%s finds other octets in file %d", who, i+1)
				}
			}
			if !slices.Equal(texts, o.texts) {
				t.Errorf("%s finds other texts", who)
			}
		}
	})
	if read < 20 {
		t.Errorf("only %d messages were read", read)
	}
}
