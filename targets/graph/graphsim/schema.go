package graphsim

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// A check says what is wrong with a decoded JSON value, as UnableToDeserializePostBody.
type check func(v any) error

// maxDepth bounds the nesting of a request body.
const maxDepth = 64

func isJSON(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && t == "application/json"
}

// parseObject decodes exactly one JSON object. Members that come twice and
// nesting beyond maxDepth are refused.
func parseObject(b []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := parseValue(d, 0)
	if err != nil {
		return nil, errBody("Unable to deserialize the post body: %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errBody("Unable to deserialize the post body: text after the object")
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errBody("Unable to deserialize the post body: not an object")
	}
	return object, nil
}

func parseValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	if depth == maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	if delim == '[' {
		list := []any{}
		for d.More() {
			v, err := parseValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	object := map[string]any{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		if _, twice := object[name.(string)]; twice {
			return nil, fmt.Errorf("member %q comes twice", name)
		}
		if object[name.(string)], err = parseValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err = d.Token()
	return object, err
}

func text(v any) error {
	if _, ok := v.(string); !ok {
		return errBody("A string was expected.")
	}
	return nil
}

func boolean(v any) error {
	if _, ok := v.(bool); !ok {
		return errBody("A Boolean was expected.")
	}
	return nil
}

func number(v any) error {
	n, ok := v.(json.Number)
	if !ok {
		return errBody("A number was expected.")
	}
	if _, err := n.Int64(); err != nil {
		return errBody("An integer was expected.")
	}
	return nil
}

func binary(v any) error {
	if s, ok := v.(string); ok {
		if _, err := base64.StdEncoding.Strict().DecodeString(s); err == nil {
			return nil
		}
	}
	return errBody("The value cannot be converted to the type Edm.Binary: invalid base64.")
}

func dateTime(v any) error {
	if s, ok := v.(string); ok {
		if _, err := time.Parse(time.RFC3339, s); err == nil {
			return nil
		}
	}
	return errBody("The value cannot be converted to the type Edm.DateTimeOffset.")
}

// enum accepts the members of an enumeration as the metadata spells them.
func enum(members ...string) check {
	return func(v any) error {
		if s, ok := v.(string); ok && slices.Contains(members, s) {
			return nil
		}
		return errBody("Requested value '%v' was not found.", v)
	}
}

func null(of check) check {
	return func(v any) error {
		if v == nil {
			return nil
		}
		return of(v)
	}
}

func listOf(of check) check {
	return func(v any) error {
		list, ok := v.([]any)
		if !ok {
			return errBody("An array was expected.")
		}
		for _, e := range list {
			if err := of(e); err != nil {
				return err
			}
		}
		return nil
	}
}

// object accepts an object with these members. Any other one is refused, and
// so is a wrong @odata.type.
func object(name string, members map[string]check) check {
	return func(v any) error {
		o, ok := v.(map[string]any)
		if !ok {
			return errBody("An object of type microsoft.graph.%s was expected.", name)
		}
		for k, e := range o {
			of, ok := members[k]
			switch {
			case k == "@odata.type":
				if e != "#microsoft.graph."+name {
					return errBody("The type '%v' is not microsoft.graph.%s.", e, name)
				}
			case !ok:
				return errBody("The property '%s' does not exist on type 'microsoft.graph.%s' or is read-only.", k, name)
			default:
				if err := of(e); err != nil {
					return errBody("%s: %s", k, err.(*apiError).message)
				}
			}
		}
		return nil
	}
}

// need refuses an object that lacks a member.
func need(of check, members ...string) check {
	return func(v any) error {
		if err := of(v); err != nil {
			return err
		}
		for _, m := range members {
			if v.(map[string]any)[m] == nil {
				return errBody("The property '%s' is required.", m)
			}
		}
		return nil
	}
}

var (
	emailAddressShape = object("emailAddress", map[string]check{"name": null(text), "address": null(text)})
	recipientShape    = object("recipient", map[string]check{"emailAddress": null(emailAddressShape)})
	recipientsShape   = null(listOf(recipientShape))
	bodyShape         = object("itemBody", map[string]check{"contentType": enum("text", "html"), "content": null(text)})
	dateZoneShape     = object("dateTimeTimeZone", map[string]check{"dateTime": text, "timeZone": null(text)})
	flagShape         = object("followupFlag", map[string]check{
		"flagStatus":        enum("notFlagged", "complete", "flagged"),
		"completedDateTime": null(dateZoneShape), "dueDateTime": null(dateZoneShape), "startDateTime": null(dateZoneShape),
	})
	headerShape = need(object("internetMessageHeader", map[string]check{"name": text, "value": text}), "name", "value")
	singleShape = need(object("singleValueLegacyExtendedProperty", map[string]check{"id": propertyID(false), "value": text}), "id", "value")
	multiShape  = need(object("multiValueLegacyExtendedProperty", map[string]check{"id": propertyID(true), "value": listOf(text)}), "id", "value")

	importanceShape = enum("low", "normal", "high")
)

// freeMembers may be written at any time.
func freeMembers() map[string]check {
	return map[string]check{
		"categories": listOf(text), "flag": flagShape, "importance": importanceShape,
		"inferenceClassification": enum("focused", "other"), "isRead": boolean,
		"isDeliveryReceiptRequested": null(boolean), "isReadReceiptRequested": null(boolean),
		"singleValueExtendedProperties": listOf(singleShape), "multiValueExtendedProperties": listOf(multiShape),
		// Computed: what is sent is ignored.
		"isDraft": null(boolean), "receivedDateTime": null(dateTime), "sentDateTime": null(dateTime), "hasAttachments": null(boolean),
		"bodyPreview": null(text), "conversationId": null(text), "conversationIndex": null(binary),
	}
}

// sealedMembers may be written while a message is a draft.
func sealedMembers() map[string]check {
	return map[string]check{
		"subject": null(text), "body": null(bodyShape), "from": null(recipientShape), "sender": null(recipientShape),
		"toRecipients": recipientsShape, "ccRecipients": recipientsShape, "bccRecipients": recipientsShape, "replyTo": recipientsShape,
		"internetMessageId": null(text),
	}
}

// messageShape is a message as it may be created (section 5).
func messageShape() check {
	m := freeMembers()
	for k, v := range sealedMembers() {
		m[k] = v
	}
	m["internetMessageHeaders"] = listOf(headerShape)
	m["attachments"] = listOf(attachmentShape(object("message", maps2(m))))
	return object("message", m)
}

// maps2 copies m, so that an attached message cannot hold attachments of its own.
func maps2(m map[string]check) map[string]check {
	c := map[string]check{}
	for k, v := range m {
		c[k] = v
	}
	return c
}

func attachmentShape(item check) check {
	file := map[string]check{
		"name": text, "contentType": null(text), "contentBytes": binary, "isInline": null(boolean), "contentId": null(text), "contentLocation": null(text),
		"size": null(number), "lastModifiedDateTime": null(dateTime),
	}
	attached := map[string]check{"name": text, "contentType": null(text), "isInline": null(boolean), "item": item, "size": null(number), "lastModifiedDateTime": null(dateTime)}
	asFile := need(object("fileAttachment", file), "name", "contentBytes")
	asItem := need(object("itemAttachment", attached), "name", "item")
	return func(v any) error {
		o, ok := v.(map[string]any)
		if !ok {
			return errBody("An object of type microsoft.graph.attachment was expected.")
		}
		switch o["@odata.type"] {
		case "#microsoft.graph.fileAttachment":
			return asFile(v)
		case "#microsoft.graph.itemAttachment":
			return asItem(v)
		}
		return errBody("The type of an attachment is missing or unknown: '%v'.", o["@odata.type"])
	}
}

const guidPattern = `\{?[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\}?`

var propertyPattern = regexp.MustCompile(`^([A-Za-z]+) (?:(0[xX][0-9A-Fa-f]{1,4})|(` + guidPattern + `) (?:Name (.+)|Id (0[xX][0-9A-Fa-f]{1,8})))$`)

var propertyTypes = []string{"ApplicationTime", "Binary", "Boolean", "CLSID", "Currency", "Double", "Float", "Integer", "Long", "Short", "String", "SystemTime"}

// canonicalID spells the id of an extended property in one way: tags without
// leading zeros and GUIDs in lower case; a name stays as it is (section 12).
func canonicalID(id string) (canonical, typ string, ok bool) {
	m := propertyPattern.FindStringSubmatch(id)
	if m == nil {
		return "", "", false
	}
	typ = m[1]
	switch {
	case m[2] != "":
		n, err := strconv.ParseUint(m[2][2:], 16, 16)
		return fmt.Sprintf("%s 0x%x", typ, n), typ, err == nil && n >= 1 && n <= 0x7fff
	case m[4] != "":
		return fmt.Sprintf("%s %s Name %s", typ, canonicalGUID(m[3]), m[4]), typ, true
	}
	n, err := strconv.ParseUint(m[5][2:], 16, 32)
	return fmt.Sprintf("%s %s Id 0x%x", typ, canonicalGUID(m[3]), n), typ, err == nil
}

func canonicalGUID(g string) string {
	return "{" + string(bytes.ToLower(bytes.Trim([]byte(g), "{}"))) + "}"
}

// propertyID accepts the id of a single-value or multi-value property.
func propertyID(multi bool) check {
	return func(v any) error {
		s, _ := v.(string)
		_, typ, ok := canonicalID(s)
		if multi && ok {
			typ, ok = trimArray(typ)
		}
		if !ok || !slices.Contains(propertyTypes, typ) {
			return errBody("The extended property id '%v' is not valid.", v)
		}
		return nil
	}
}

func trimArray(typ string) (string, bool) {
	short, ok := bytes.CutSuffix([]byte(typ), []byte("Array"))
	return string(short), ok
}

// propertyValue checks the value of a property of type typ.
func propertyValue(typ, value string) error {
	var err error
	switch typ {
	case "Integer":
		_, err = strconv.ParseInt(value, 10, 32)
	case "Short":
		_, err = strconv.ParseInt(value, 10, 16)
	case "Long", "Currency":
		_, err = strconv.ParseInt(value, 10, 64)
	case "Double", "Float", "ApplicationTime":
		_, err = strconv.ParseFloat(value, 64)
	case "Boolean":
		if value != "true" && value != "false" {
			err = errBody("not a Boolean")
		}
	case "SystemTime":
		err = dateTime(value)
	case "Binary":
		err = binary(value)
	}
	if err != nil {
		return refuse(400, "ErrorInvalidArgument", "The value '%s' is not a %s.", value, typ)
	}
	return nil
}
