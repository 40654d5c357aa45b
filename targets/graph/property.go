package graph

import (
	"strconv"
	"time"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
)

// Ids of MAPI properties in the form that singleValueExtendedProperties takes
// (MS-OXPROPS for the tags).
const (
	propFlags        = "Integer 0x0E07"    // PidTagMessageFlags: settable only until the first save (MS-OXCMSG 2.2.1.6)
	propReceived     = "SystemTime 0x0E06" // PidTagMessageDeliveryTime
	propSubmitted    = "SystemTime 0x0039" // PidTagClientSubmitTime
	propHeaders      = "String 0x007D"     // PidTagTransportMessageHeaders
	propInReplyTo    = "String 0x1042"
	propReferences   = "String 0x1039"
	propClass        = "String 0x001A"
	propSize         = "Integer 0x0E08" // PidTagMessageSize: read only
	propLastVerb     = "Integer 0x1081" // PidTagLastVerbExecuted: 0 open, 102 reply, 104 forward (MS-OXOMSG 2.2.1.4)
	propIcon         = "Integer 0x1080" // PidTagIconIndex: 256 read, 261 replied, 262 forwarded (MS-OXOMSG 2.2.1.10)
	propMigrationKey = "String {6f0a3c58-2d4b-4c8e-9d57-b1e2a90c7f64} Name MigrationKey"

	// partial follows the key of a message that is not complete yet.
	partial = "-partial"
)

func property(id, value string) models.SingleValueLegacyExtendedPropertyable {
	p := models.NewSingleValueLegacyExtendedProperty()
	p.SetId(&id)
	p.SetValue(&value)
	return p
}

func integer(id string, n int) models.SingleValueLegacyExtendedPropertyable {
	return property(id, strconv.Itoa(n))
}

func systemTime(id string, t time.Time) models.SingleValueLegacyExtendedPropertyable {
	return property(id, t.UTC().Format(time.RFC3339))
}

// keyOf returns the migration key of a message that was read with it, or "".
func keyOf(m models.Messageable) string {
	for _, p := range m.GetSingleValueExtendedProperties() {
		// The property was asked for alone, but Graph may spell the id anew.
		if v := p.GetValue(); v != nil {
			return *v
		}
	}
	return ""
}
