package graphsim

import "maps"

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
	maps.Copy(m, sealedMembers())
	m["internetMessageHeaders"] = listOf(headerShape)
	m["attachments"] = listOf(attachmentShape(object("message", maps.Clone(m))))
	return object("message", m)
}

// attachmentShape is an attachment; item accepts the message that it may hold,
// which has no attachments of its own.
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
