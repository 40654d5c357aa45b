package graphsim

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"
)

// rebuild makes MIME of a message that was created from JSON.
func (c *call) rebuild(ct *content, m *message) ([]byte, error) {
	var out bytes.Buffer
	if c.s.opt.TransportHeaders {
		for _, f := range ct.headers {
			switch strings.ToLower(f.name) {
			case "from", "sender", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id", "in-reply-to", "references", "mime-version":
				continue
			}
			if !strings.HasPrefix(strings.ToLower(f.name), "content-") {
				writeField(&out, f.name, f.value)
			}
		}
	}
	writeMessageFields(&out, ct, m.sent, m.messageID)
	if m.importance != "normal" {
		writeField(&out, "Importance", m.importance)
	}
	writeField(&out, "MIME-Version", "1.0")
	outer := fmt.Sprintf("_000_graphsim%s_", tagOf(m.messageID))
	if len(m.files) > 0 {
		kind := "mixed"
		for _, a := range m.files {
			if a.inline {
				kind = "related"
			}
		}
		writeField(&out, "Content-Type", "multipart/"+kind+"; boundary=\""+outer+"\"")
		out.WriteString("\r\n--" + outer + "\r\n")
	}
	writeText(&out, ct)
	for _, a := range m.files {
		b, err := c.s.attachmentOctets(a)
		if err != nil {
			return nil, err
		}
		out.WriteString("\r\n--" + outer + "\r\n")
		c.writeFile(&out, a, b)
	}
	if len(m.files) > 0 {
		out.WriteString("\r\n--" + outer + "--\r\n")
	}
	return out.Bytes(), nil
}

// rebuildItem makes MIME of an attached message.
func (c *call) rebuildItem(object map[string]any) []byte {
	tag := func(want string) string {
		for _, o := range listMembers(object["singleValueExtendedProperties"]) {
			if canonical, _, _ := canonicalID(str(o["id"])); canonical == want {
				return str(o["value"])
			}
		}
		return ""
	}
	ct := contentOfMembers(object, tag)
	var out bytes.Buffer
	sent, _ := time.Parse(time.RFC3339, tag(tagSubmit))
	writeMessageFields(&out, ct, sent, str(object["internetMessageId"]))
	writeField(&out, "MIME-Version", "1.0")
	writeText(&out, ct)
	return out.Bytes()
}

func writeMessageFields(out *bytes.Buffer, ct *content, sent time.Time, id string) {
	if ct.from != nil {
		writeField(out, "From", addressText(*ct.from))
	}
	if ct.sender != nil && (ct.from == nil || *ct.sender != *ct.from) {
		writeField(out, "Sender", addressText(*ct.sender))
	}
	for _, list := range []struct {
		name string
		rs   []recipient
	}{{"To", ct.to}, {"Cc", ct.cc}, {"Bcc", ct.bcc}, {"Reply-To", ct.replyTo}} {
		var words []string
		for _, r := range list.rs {
			words = append(words, addressText(r))
		}
		if words != nil {
			writeField(out, list.name, strings.Join(words, ", "))
		}
	}
	writeField(out, "Subject", encodeWords(ct.subject))
	if !sent.IsZero() {
		writeField(out, "Date", sent.UTC().Format(time.RFC1123Z))
	}
	if id != "" {
		writeField(out, "Message-ID", id)
	}
	if ct.inReplyTo != "" {
		writeField(out, "In-Reply-To", ct.inReplyTo)
	}
	if ct.references != "" {
		writeField(out, "References", ct.references)
	}
}

// writeField writes one field; line breaks in its value cannot make another one.
func writeField(out *bytes.Buffer, name, value string) {
	value = strings.NewReplacer("\r", "", "\n", " ").Replace(value)
	out.WriteString(fold(name+": "+value, len(name)+2, "\r\n") + "\r\n")
}

func encodeWords(s string) string {
	return strings.ReplaceAll(mime.QEncoding.Encode("utf-8", s), "\r\n ", " ")
}

func addressText(r recipient) string {
	a := r.EmailAddress
	switch {
	case a.Name == "" || a.Name == a.Address:
		return a.Address
	case strings.ContainsAny(a.Name, `()<>[]:;@\,."`) && mime.QEncoding.Encode("utf-8", a.Name) == a.Name:
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(a.Name) + `" <` + a.Address + ">"
	}
	return encodeWords(a.Name) + " <" + a.Address + ">"
}

func writeText(out *bytes.Buffer, ct *content) {
	media := "text/plain"
	if ct.bodyType == "html" {
		media = "text/html"
	}
	writeField(out, "Content-Type", media+"; charset=\"utf-8\"")
	writeField(out, "Content-Transfer-Encoding", "quoted-printable")
	out.WriteString("\r\n")
	w := quotedprintable.NewWriter(out)
	w.Write([]byte(ct.body))
	w.Close()
}

func (c *call) writeFile(out *bytes.Buffer, a *attachment, b []byte) {
	disposition := "attachment"
	if a.inline {
		disposition = "inline"
	}
	name := map[string]string{}
	if a.name != "" {
		name["filename"] = a.name
	}
	if a.item {
		writeField(out, "Content-Type", "message/rfc822")
	} else {
		writeField(out, "Content-Type", a.contentType)
	}
	if v := mime.FormatMediaType(disposition, name); v != "" {
		disposition = v
	}
	writeField(out, "Content-Disposition", disposition)
	if a.contentID != "" {
		writeField(out, "Content-ID", "<"+a.contentID+">")
	}
	if a.item {
		out.WriteString("\r\n")
		if object, err := parseObject(b); err == nil {
			out.Write(c.rebuildItem(object))
		}
		return
	}
	writeField(out, "Content-Transfer-Encoding", "base64")
	out.WriteString("\r\n")
	text := base64.StdEncoding.EncodeToString(b)
	for len(text) > 76 {
		out.WriteString(text[:76] + "\r\n")
		text = text[76:]
	}
	out.WriteString(text)
}
