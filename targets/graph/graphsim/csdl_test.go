package graphsim

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A schema is the vendor's metadata: types with their members, enumerations.
type schema struct {
	types map[string]schemaType
	enums map[string][]string
}

type schemaType struct {
	base    string
	members map[string]string // name to type
}

// shared is the folder with the vendor's contracts and the corpus.
func shared() string {
	if dir := os.Getenv("MAILHAUL_SHARED"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "..", "..", "shared")
}

// needShared skips the test where that folder is absent, unless it is required.
func needShared(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat(shared()); err != nil {
		if strings.Contains(os.Getenv("MAILHAUL_REQUIRE"), "shared") {
			t.Fatal("the shared folder is required: ", err)
		}
		t.Skip("the shared folder with the vendor's contracts is absent; set MAILHAUL_SHARED: ", err)
	}
	return shared()
}

func readSchema(t *testing.T) *schema {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(needShared(t), "contracts", "graph", "graph-v1.0-mail.csdl.xml"))
	if err != nil {
		t.Fatal(err)
	}
	type property struct {
		Name string `xml:"Name,attr"`
		Type string `xml:"Type,attr"`
	}
	type structured struct {
		Name       string     `xml:"Name,attr"`
		BaseType   string     `xml:"BaseType,attr"`
		Properties []property `xml:"Property"`
		Navigation []property `xml:"NavigationProperty"`
	}
	var doc struct {
		Schema struct {
			Entities []structured `xml:"EntityType"`
			Complex  []structured `xml:"ComplexType"`
			Enums    []struct {
				Name    string     `xml:"Name,attr"`
				Members []property `xml:"Member"`
			} `xml:"EnumType"`
		} `xml:"DataServices>Schema"`
	}
	if err := xml.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	s := &schema{map[string]schemaType{}, map[string][]string{}}
	for _, e := range append(doc.Schema.Entities, doc.Schema.Complex...) {
		st := schemaType{strings.TrimPrefix(e.BaseType, "graph."), map[string]string{}}
		for _, p := range append(e.Properties, e.Navigation...) {
			st.members[p.Name] = p.Type
		}
		s.types[e.Name] = st
	}
	for _, e := range doc.Schema.Enums {
		for _, m := range e.Members {
			s.enums[e.Name] = append(s.enums[e.Name], m.Name)
		}
	}
	return s
}

// member returns the type of a member, also of a base type.
func (s *schema) member(typ, name string) string {
	for typ != "" {
		if t, ok := s.types[typ].members[name]; ok {
			return t
		}
		typ = s.types[typ].base
	}
	return ""
}

// beyond are members of answers that the v1.0 metadata lacks: live answers and
// the vendor's pages have them.
var beyond = []string{"sizeInBytes", "wellKnownName"}

// check returns what is wrong with v as a value of type typ.
func (s *schema) check(typ string, v any) error {
	if of, ok := strings.CutPrefix(typ, "Collection("); ok {
		list, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%v is not a collection", v)
		}
		for _, e := range list {
			if err := s.check(strings.TrimSuffix(of, ")"), e); err != nil {
				return err
			}
		}
		return nil
	}
	if v == nil {
		return nil
	}
	ok := true
	switch typ {
	case "Edm.String":
		_, ok = v.(string)
	case "Edm.Boolean":
		_, ok = v.(bool)
	case "Edm.Int32", "Edm.Int64":
		var n float64
		n, ok = v.(float64)
		ok = ok && n == float64(int64(n))
	case "Edm.Binary":
		_, err := base64.StdEncoding.DecodeString(str(v))
		ok = err == nil
	case "Edm.DateTimeOffset":
		_, err := time.Parse(time.RFC3339, str(v))
		ok = err == nil && strings.HasSuffix(str(v), "Z")
	case "Edm.Guid":
		ok = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(str(v))
	default:
		return s.checkObject(strings.TrimPrefix(typ, "graph."), v)
	}
	if !ok {
		return fmt.Errorf("%v is not of type %s", v, typ)
	}
	return nil
}

func (s *schema) checkObject(typ string, v any) error {
	if members, ok := s.enums[typ]; ok {
		if !slices.Contains(members, str(v)) {
			return fmt.Errorf("%v is not a %s", v, typ)
		}
		return nil
	}
	o, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%v is not a %s", v, typ)
	}
	if t, ok := o["@odata.type"]; ok {
		typ = strings.TrimPrefix(str(t), "#microsoft.graph.")
	}
	if _, ok := s.types[typ]; !ok {
		return fmt.Errorf("there is no type %q", typ)
	}
	for name, e := range o {
		if strings.Contains(name, "@") || slices.Contains(beyond, name) {
			continue
		}
		t := s.member(typ, name)
		if t == "" {
			return fmt.Errorf("%s has no member %s", typ, name)
		}
		if err := s.check(t, e); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// contexts are the ends of @odata.context and the type that each announces.
var contexts = []struct{ end, typ string }{
	{"/messages/$entity", "message"}, {"/mailFolders/$entity", "mailFolder"}, {"/attachments/$entity", "attachment"},
	{"/masterCategories/$entity", "outlookCategory"}, {"users/$entity", "user"}, {"/mailboxSettings", "mailboxSettings"},
	{"microsoft.graph.uploadSession", "uploadSession"},
	{"/messages", "Collection(message)"}, {"/mailFolders", "Collection(mailFolder)"}, {"/attachments", "Collection(attachment)"},
	{"/masterCategories", "Collection(outlookCategory)"}, {"Collection(message)", "Collection(message)"},
	{"Collection(mailFolder)", "Collection(mailFolder)"}, {"Collection(microsoft.graph.convertIdResult)", "Collection(convertIdResult)"},
}

// checkAnswer checks a successful answer by the type that its context announces.
func (s *schema) checkAnswer(body map[string]any) error {
	context := str(body["@odata.context"])
	for _, c := range contexts {
		if !strings.HasSuffix(context, c.end) {
			continue
		}
		if strings.HasPrefix(c.typ, "Collection(") {
			return s.check(c.typ, body["value"])
		}
		return s.checkObject(c.typ, body)
	}
	return fmt.Errorf("no type for the context %q", context)
}

func TestAnswersFollowTheVendorsSchema(t *testing.T) {
	s := readSchema(t)
	c := newClient(t, Options{Archive: true})
	checked := map[string]bool{}
	check := func(a answer) answer {
		t.Helper()
		if err := s.checkAnswer(a.json); err != nil {
			t.Errorf("%v in %.2000s", err, a.octets)
		}
		context := a.str("@odata.context")
		for _, k := range contexts {
			if strings.HasSuffix(context, k.end) {
				checked[k.end] = true
				break
			}
		}
		return a
	}
	check(c.want(200, "GET", "?$select=id,mail,userPrincipalName,proxyAddresses,assignedLicenses,accountEnabled", nil))
	check(c.want(200, "GET", "/mailboxSettings", nil))
	check(c.want(200, "PATCH", "/mailboxSettings", map[string]any{"automaticRepliesSetting": map[string]any{
		"status": "scheduled", "scheduledStartDateTime": map[string]any{"dateTime": "2026-12-01T00:00:00", "timeZone": "UTC"}}}))
	check(c.want(201, "POST", "/outlook/masterCategories", map[string]any{"displayName": "work", "color": "preset4"}))
	check(c.want(200, "GET", "/outlook/masterCategories", nil))
	folder := check(c.want(201, "POST", "/mailFolders", map[string]any{"displayName": "Projects", "isHidden": false})).str("id")
	check(c.want(200, "GET", "/mailFolders/inbox", nil))
	check(c.want(200, "GET", "/beta/users/"+c.user+"/mailFolders/inbox", nil))
	check(c.want(200, "GET", "/mailFolders?includeHiddenFolders=true&$top=100", nil))
	check(c.want(200, "GET", "/mailFolders/delta()", nil, "Prefer: odata.maxpagesize=100"))
	check(c.importMIME("inbox", sample))
	draft := check(c.want(201, "POST", "/messages", base64.StdEncoding.EncodeToString([]byte(sample)))).str("id")
	made := check(c.want(201, "POST", "/mailFolders/"+folder+"/messages", fullMessage())).str("id")
	check(c.want(201, "POST", "/messages/"+made+"/attachments", fileAttachment("a.pdf", "AAEC")))
	check(c.want(200, "GET", "/messages/"+made+"/attachments", nil))
	check(c.want(200, "GET", "/messages/"+draft+"/attachments", nil))
	check(c.want(200, "PATCH", "/messages/"+made, map[string]any{"isRead": false}))
	check(c.want(201, "POST", "/messages/"+made+"/copy", map[string]any{"destinationId": "inbox"}))
	made = check(c.want(201, "POST", "/messages/"+made+"/move", map[string]any{"destinationId": "junkemail"})).str("id")
	made = check(c.want(201, "POST", "/messages/"+made+"/move", map[string]any{"destinationId": folder})).str("id")
	check(c.want(201, "POST", "/mailFolders/"+folder+"/move", map[string]any{"destinationId": "inbox"}))
	check(c.want(200, "PATCH", "/mailFolders/"+folder, map[string]any{"displayName": "moved"}))
	check(c.want(200, "GET", "/messages?$expand=attachments,singleValueExtendedProperties($filter=id%20eq%20'Integer%200x0E07')", nil))
	check(c.want(200, "GET", "/messages/"+made+"?$select=internetMessageHeaders,body,flag", nil))
	check(c.want(200, "GET", "/mailFolders/"+folder+"/messages/delta", nil))
	check(c.want(200, "POST", "/translateExchangeIds", map[string]any{"inputIds": []string{made, "x"}, "sourceIdType": "restId", "targetIdType": "restImmutableEntryId"}))
	check(c.want(201, "POST", "/messages/"+made+"/attachments/createUploadSession", uploadItem(minUpload)))
	for _, k := range contexts {
		if !checked[k.end] {
			t.Errorf("no answer of type %s was checked", k.typ)
		}
	}
}

// TestAcceptedMembersAreTheSchemasWithItsTypes offers a value of the schema's type to each
// member that the server accepts, and one of another type.
func TestAcceptedMembersAreTheSchemasWithItsTypes(t *testing.T) {
	s := readSchema(t)
	for typ, members := range map[string]map[string]check{
		"message":    merge(freeMembers(), sealedMembers(), map[string]check{"internetMessageHeaders": listOf(headerShape)}),
		"mailFolder": {"displayName": text, "isHidden": boolean},
	} {
		for name, accepts := range members {
			of := s.member(typ, name)
			if of == "" {
				t.Errorf("%s has no member %s", typ, name)
				continue
			}
			good, bad := s.example(of)
			if err := accepts(good); err != nil {
				t.Errorf("%s %s refuses %v: %v", typ, name, good, err)
			}
			if accepts(bad) == nil {
				t.Errorf("%s %s, which is %s, accepts %v", typ, name, of, bad)
			}
		}
	}
}

func merge(all ...map[string]check) map[string]check {
	out := map[string]check{}
	for _, m := range all {
		maps.Copy(out, m)
	}
	return out
}

// example returns a value of type typ and one that is not.
func (s *schema) example(typ string) (good, bad any) {
	if of, ok := strings.CutPrefix(typ, "Collection("); ok {
		g, b := s.example(strings.TrimSuffix(of, ")"))
		return []any{g}, []any{b}
	}
	switch typ {
	case "Edm.String":
		return "x", json.Number("1")
	case "Edm.Boolean":
		return true, "true"
	case "Edm.Binary":
		return "AAEC", "A"
	case "Edm.DateTimeOffset":
		return "2009-03-01T08:15:00Z", "yesterday"
	}
	typ = strings.TrimPrefix(typ, "graph.")
	if members, ok := s.enums[typ]; ok {
		return members[0], strings.ToUpper(members[0])
	}
	switch typ { // ids have a form of their own
	case "singleValueLegacyExtendedProperty":
		return map[string]any{"id": "Integer 0x0E07", "value": "1"}, map[string]any{"id": "Integer", "value": "1"}
	case "multiValueLegacyExtendedProperty":
		return map[string]any{"id": "StringArray 0x7000", "value": []any{"a"}}, map[string]any{"id": "StringArray 0x7000", "value": "a"}
	}
	o := map[string]any{}
	for name, of := range s.types[typ].members {
		o[name], _ = s.example(of)
	}
	return o, map[string]any{"unknown": "x"}
}
