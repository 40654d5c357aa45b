package graphsim

import (
	"html"
	"net/mail"
	"regexp"
	"strings"
	"time"
)

// content is what a message says, whichever way it was written.
type content struct {
	subject               string
	from, sender          *recipient
	to, cc, bcc, replyTo  []recipient
	bodyType, body        string // bodyType: "text" or "html"
	headers               []field
	headerBlock           string // as 0x007D has it
	inReplyTo, references string
	mime                  *part          // A, D
	members               map[string]any // C: the create body, patched
}

type recipient struct {
	EmailAddress emailAddress `json:"emailAddress"`
}

type emailAddress struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

func contentOfMIME(b []byte) *content {
	root := parsePart(b)
	ct := &content{
		subject: decodeWords(root.get("Subject")), headers: root.fields, mime: root, bodyType: "text",
		headerBlock: strings.ToValidUTF8(string(root.header), "\uFFFD"),
		inReplyTo:   root.get("In-Reply-To"), references: root.get("References"),
		to: addresses(root.get("To")), cc: addresses(root.get("Cc")), bcc: addresses(root.get("Bcc")), replyTo: addresses(root.get("Reply-To")),
	}
	if from := addresses(root.get("From")); len(from) > 0 {
		ct.from, ct.sender = &from[0], &from[0]
	}
	if sender := addresses(root.get("Sender")); len(sender) > 0 {
		ct.sender = &sender[0]
	}
	var body *part
	root.leaves(func(p *part) {
		if !p.isFile() && (body == nil || body.media == "text/plain" && p.media == "text/html") {
			body = p
		}
	})
	if body != nil {
		ct.body = body.text()
		if body.media == "text/html" {
			ct.bodyType = "html"
		}
	}
	return ct
}

// addresses reads an address list; one that does not parse is kept as a name.
func addresses(value string) []recipient {
	if value == "" {
		return nil
	}
	list, err := mail.ParseAddressList(value)
	if err != nil {
		return []recipient{{emailAddress{Name: decodeWords(value)}}}
	}
	var rs []recipient
	for _, a := range list {
		name := decodeWords(a.Name)
		if name == "" {
			name = a.Address
		}
		rs = append(rs, recipient{emailAddress{name, a.Address}})
	}
	return rs
}

// contentOfJSON reads a create body.
func contentOfJSON(b []byte, m *message) (*content, error) {
	object, err := parseObject(b)
	if err != nil {
		return nil, err
	}
	for k, v := range m.patched {
		object[k] = v
	}
	return contentOfMembers(object, func(tag string) string { return m.single[tag].value }), nil
}

// contentOfMembers reads a message in JSON form. tag gives the values of its
// extended properties.
func contentOfMembers(object map[string]any, tag func(string) string) *content {
	ct := &content{
		members: object, bodyType: "text", subject: str(object["subject"]), headerBlock: tag(tagHeaders),
		inReplyTo: tag(tagInReplyTo), references: tag(tagReferences),
		to: recipients(object["toRecipients"]), cc: recipients(object["ccRecipients"]),
		bcc: recipients(object["bccRecipients"]), replyTo: recipients(object["replyTo"]),
		from: oneRecipient(object["from"]), sender: oneRecipient(object["sender"]),
	}
	if ct.from == nil {
		ct.from = ct.sender
	}
	if ct.sender == nil {
		ct.sender = ct.from
	}
	if body, ok := object["body"].(map[string]any); ok {
		ct.bodyType, ct.body = str(body["contentType"]), str(body["content"])
		if ct.bodyType == "" {
			ct.bodyType = "text"
		}
	}
	ct.headers = parseFields([]byte(ct.headerBlock))
	for _, h := range listMembers(object["internetMessageHeaders"]) {
		ct.headers = append(ct.headers, field{str(h["name"]), str(h["value"])})
	}
	return ct
}

func str(v any) string {
	s, _ := v.(string)
	return s
}

func listMembers(v any) []map[string]any {
	list, _ := v.([]any)
	var out []map[string]any
	for _, e := range list {
		if o, ok := e.(map[string]any); ok {
			out = append(out, o)
		}
	}
	return out
}

func recipients(v any) []recipient {
	var rs []recipient
	for _, o := range listMembers(v) {
		if r := oneRecipient(o); r != nil {
			rs = append(rs, *r)
		}
	}
	return rs
}

func oneRecipient(v any) *recipient {
	o, _ := v.(map[string]any)
	a, ok := o["emailAddress"].(map[string]any)
	if !ok {
		return nil
	}
	r := &recipient{emailAddress{str(a["name"]), str(a["address"])}}
	if r.EmailAddress.Name == "" {
		r.EmailAddress.Name = r.EmailAddress.Address
	}
	return r
}

// member returns one of the members that the content gives.
func (ct *content) member(name string, plain bool) (any, error) {
	switch name {
	case "subject":
		return ct.subject, nil
	case "from":
		return orNull(ct.from), nil
	case "sender":
		return orNull(ct.sender), nil
	case "toRecipients":
		return orEmpty(ct.to), nil
	case "ccRecipients":
		return orEmpty(ct.cc), nil
	case "bccRecipients":
		return orEmpty(ct.bcc), nil
	case "replyTo":
		return orEmpty(ct.replyTo), nil
	case "body":
		if plain && ct.bodyType == "html" {
			return map[string]string{"contentType": "text", "content": plainText(ct.body)}, nil
		}
		return map[string]string{"contentType": ct.bodyType, "content": ct.body}, nil
	case "bodyPreview":
		s := ct.body
		if len(s) > 8<<10 {
			s = strings.ToValidUTF8(s[:8<<10], "")
		}
		if ct.bodyType == "html" {
			s = plainText(s)
		}
		if r := []rune(strings.Join(strings.Fields(s), " ")); len(r) > 255 {
			return string(r[:255]), nil
		} else {
			return string(r), nil
		}
	case "conversationId":
		return "AAQkAD" + tagOf(ct.thread())[:16] + "=", nil
	case "conversationIndex":
		return "AQHZ" + tagOf(ct.thread())[:12], nil
	case "internetMessageHeaders":
		out := []map[string]string{}
		for _, f := range ct.headers {
			out = append(out, map[string]string{"name": f.name, "value": strings.ToValidUTF8(f.value, "\uFFFD")})
		}
		return out, nil
	case "uniqueBody":
		return nil, errNotSimulated("tell a body's unique part")
	}
	return nil, errQuery("Could not find a property named '%s' on type 'microsoft.graph.message'.", name)
}

// thread names the conversation: the first message of References, else the subject.
func (ct *content) thread() string {
	if refs := strings.Fields(ct.references); len(refs) > 0 {
		return refs[0]
	}
	return strings.TrimPrefix(strings.ToLower(ct.subject), "re: ")
}

func orNull(r *recipient) any {
	if r == nil {
		return nil
	}
	return r
}

func orEmpty(rs []recipient) []recipient {
	if rs == nil {
		return []recipient{}
	}
	return rs
}

var tags = regexp.MustCompile(`(?s)<style.*?</style>|<script.*?</script>|<[^>]*>`)

func plainText(s string) string { return html.UnescapeString(tags.ReplaceAllString(s, " ")) }

// parseDate reads a Date: field; ok is false if it is missing or bad.
func parseDate(value string) (t time.Time, ok bool) {
	t, err := mail.ParseDate(value)
	return t, err == nil && t.Year() > 0
}
