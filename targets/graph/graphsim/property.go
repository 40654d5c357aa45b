package graphsim

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

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
	return "{" + strings.ToLower(strings.Trim(g, "{}")) + "}"
}

// propertyID accepts the id of a single-value or multi-value property.
func propertyID(multi bool) check {
	return func(v any) error {
		s, _ := v.(string)
		_, typ, ok := canonicalID(s)
		if multi && ok {
			typ, ok = strings.CutSuffix(typ, "Array")
		}
		if !ok || !slices.Contains(propertyTypes, typ) {
			return errBody("The extended property id '%v' is not valid.", v)
		}
		return nil
	}
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

// The tags of MAPI properties that the server understands (section 12).
const (
	tagImportance  = "Integer 0x17"
	tagSubmit      = "SystemTime 0x39"
	tagHeaders     = "String 0x7d"
	tagMessageID   = "String 0x1035"
	tagReferences  = "String 0x1039"
	tagInReplyTo   = "String 0x1042"
	tagReceived    = "SystemTime 0xe06"
	tagFlags       = "Integer 0xe07"
	tagSize        = "Integer 0xe08"
	flagRead       = 0x1
	flagUnsent     = 0x8
	flagAttachment = 0x10
)

// onlyAtCreate lists the properties that a later PATCH leaves alone, though it
// answers 200.
var onlyAtCreate = []string{tagFlags, tagReceived, tagSubmit, tagHeaders, tagMessageID, tagReferences, tagInReplyTo, tagSize}
