package graphsim

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// user serves GET /users/{u}.
func (c *call) user() (reply, error) {
	if c.r.Method != http.MethodGet {
		return reply{}, errMethod()
	}
	c.s.register(c.mb.user)
	all := map[string]any{
		"id": directoryID(c.mb.user), "mail": c.mb.user, "userPrincipalName": c.mb.user, "accountEnabled": true,
		"proxyAddresses": []string{"SMTP:" + c.mb.user}, "assignedLicenses": []any{map[string]any{
			"disabledPlans": []string{}, "skuId": "6fd2c87f-b296-42f0-b197-1e91e994b900",
		}},
	}
	names := c.query.selects
	if len(names) == 0 {
		names = []string{"id", "mail", "userPrincipalName"}
	}
	out := map[string]any{"@odata.context": c.context("users/$entity")}
	for _, name := range names {
		v, ok := all[name]
		if !ok {
			return reply{}, errQuery("Could not find a property named '%s' on type 'microsoft.graph.user'.", name)
		}
		out[name] = v
	}
	return reply{status: http.StatusOK, body: out}, nil
}

// directoryID is the object id of a user, a GUID.
func directoryID(user string) string {
	t := tagOf(user) + tagOf(user+"/directory")
	return t[:8] + "-" + t[8:12] + "-" + t[12:16] + "-" + t[16:20] + "-" + t[20:32]
}

func newSettings(opt Options) map[string]any {
	language := map[string]any{"locale": "en-US", "displayName": "English (United States)"}
	if opt.Localised {
		language = map[string]any{"locale": "de-DE", "displayName": "Deutsch (Deutschland)"}
	}
	return map[string]any{
		"timeZone": "UTC", "dateFormat": "yyyy-MM-dd", "timeFormat": "HH:mm", "language": language,
		"automaticRepliesSetting": map[string]any{
			"status": "disabled", "externalAudience": "all", "internalReplyMessage": "", "externalReplyMessage": "",
		},
	}
}

var (
	repliesShape = object("automaticRepliesSetting", map[string]check{
		"status": enum("disabled", "alwaysEnabled", "scheduled"), "externalAudience": enum("none", "contactsOnly", "all"),
		"internalReplyMessage": null(text), "externalReplyMessage": null(text),
		"scheduledStartDateTime": dateZoneShape, "scheduledEndDateTime": dateZoneShape,
	})
	settingsShape = object("mailboxSettings", map[string]check{
		"timeZone": text, "dateFormat": text, "timeFormat": text, "automaticRepliesSetting": repliesShape,
		"language": object("localeInfo", map[string]check{"locale": text, "displayName": null(text)}),
	})
	zonePattern = regexp.MustCompile(`^(UTC|[A-Z][A-Za-z.]+( [A-Za-z.()+0-9-]+)* Time|[A-Z][A-Za-z_]+/[A-Z][A-Za-z_/]+)$`)
)

// mailboxSettings serves GET and PATCH.
func (c *call) mailboxSettings() (reply, error) {
	change := map[string]any{}
	switch c.r.Method {
	case http.MethodGet:
	case http.MethodPatch:
		var err error
		if change, _, err = c.json(settingsShape); err != nil {
			return reply{}, err
		}
	default:
		return reply{}, errMethod()
	}
	replies, _ := change["automaticRepliesSetting"].(map[string]any)
	zones := []any{change["timeZone"]}
	for _, name := range []string{"scheduledStartDateTime", "scheduledEndDateTime"} {
		if d, ok := replies[name].(map[string]any); ok {
			zones = append(zones, d["timeZone"])
		}
	}
	for _, z := range zones {
		if z, ok := z.(string); ok && !zonePattern.MatchString(z) {
			return reply{}, refuse(400, "InvalidTimeZone", "The time zone '%s' is not valid.", z)
		}
	}
	c.mb.mu.Lock()
	defer c.mb.mu.Unlock()
	settings := merged(c.mb.settings, change)
	if replies != nil {
		settings["automaticRepliesSetting"] = merged(c.mb.settings["automaticRepliesSetting"].(map[string]any), replies)
	}
	delete(settings, "@odata.type")
	c.mb.settings = settings
	out := maps.Clone(settings)
	out["@odata.context"] = c.context("users('" + c.mb.user + "')/mailboxSettings")
	return reply{status: http.StatusOK, body: out}, nil
}

// A category is an entry of the master list; messages may name others.
type category struct {
	n           uint64
	name, color string
}

func colors() []string {
	list := []string{"none"}
	for i := range 25 {
		list = append(list, fmt.Sprintf("preset%d", i))
	}
	return list
}

var (
	categoryShape      = need(object("outlookCategory", map[string]check{"displayName": text, "color": enum(colors()...)}), "displayName")
	categoryPatchShape = need(object("outlookCategory", map[string]check{"color": enum(colors()...)}), "color")
)

func (c *call) categoryJSON(cat *category) map[string]any {
	return map[string]any{"id": categoryID.format(c.mb.tag, cat.n), "displayName": cat.name, "color": cat.color}
}

// masterCategories serves /outlook/masterCategories and below.
func (c *call) masterCategories(rest []string) (reply, error) {
	of := "users('" + c.mb.user + "')/outlook/masterCategories"
	if len(rest) > 1 {
		return reply{}, errSegment(rest[1])
	}
	var o map[string]any
	var err error
	switch action := c.r.Method; {
	case len(rest) == 0 && action == http.MethodPost:
		o, _, err = c.json(categoryShape)
	case len(rest) == 1 && action == http.MethodPatch:
		o, _, err = c.json(categoryPatchShape)
	case action == http.MethodGet, len(rest) == 1 && action == http.MethodDelete:
	default:
		err = errMethod()
	}
	if err != nil {
		return reply{}, err
	}
	c.mb.mu.Lock()
	defer c.mb.mu.Unlock()
	status := http.StatusOK
	var cat *category
	switch {
	case o != nil && len(rest) == 0:
		if cat, err = c.mb.addCategory(str(o["displayName"]), str(o["color"])); err != nil {
			return reply{}, err
		}
		status = http.StatusCreated
	case len(rest) == 0:
		start, end, next := c.slice(len(c.mb.categories))
		values := []any{}
		for _, cat := range c.mb.categories[start:end] {
			values = append(values, c.categoryJSON(cat))
		}
		return c.collection(of, values, next, ""), nil
	default:
		n, err := categoryID.parse(c.mb.tag, rest[0])
		if err != nil {
			return reply{}, err
		}
		i := slices.IndexFunc(c.mb.categories, func(cat *category) bool { return cat.n == n })
		if i < 0 {
			return reply{}, errItemNotFound()
		}
		cat = c.mb.categories[i]
		if c.r.Method == http.MethodDelete {
			c.mb.categories = slices.Delete(c.mb.categories, i, i+1)
			return reply{status: http.StatusNoContent}, nil
		}
		if o != nil {
			cat.color = str(o["color"])
		}
	}
	out := c.categoryJSON(cat)
	out["@odata.context"] = c.context(of + "/$entity")
	return reply{status: status, body: out}, nil
}

// addCategory adds to the master list, in which names are unique.
func (mb *mailbox) addCategory(name, color string) (*category, error) {
	for _, cat := range mb.categories {
		if strings.EqualFold(cat.name, name) {
			return nil, refuse(409, "ErrorNameAlreadyExists", "A category with the name '%s' exists already.", name)
		}
	}
	if color == "" {
		color = "none"
	}
	mb.last.category++
	cat := &category{n: mb.last.category, name: name, color: color}
	mb.categories = append(mb.categories, cat)
	return cat, nil
}

const maxTranslate = 1000

var (
	idFormats      = []string{"entryId", "ewsId", "immutableEntryId", "restId", "restImmutableEntryId"}
	translateShape = need(object("translateExchangeIds", map[string]check{
		"inputIds": listOf(text), "sourceIdType": enum(idFormats...), "targetIdType": enum(idFormats...),
	}), "inputIds", "sourceIdType", "targetIdType")
)

// translateIDs serves translateExchangeIds between the two kinds of REST ids.
func (c *call) translateIDs() (reply, error) {
	if c.r.Method != http.MethodPost {
		return reply{}, errMethod()
	}
	o, _, err := c.json(translateShape)
	if err != nil {
		return reply{}, err
	}
	ids := o["inputIds"].([]any)
	if len(ids) > maxTranslate {
		return reply{}, refuse(400, "ErrorInvalidRequest", "At most %d ids can be translated at once.", maxTranslate)
	}
	target := str(o["targetIdType"])
	if !strings.HasPrefix(target, "rest") || !strings.HasPrefix(str(o["sourceIdType"]), "rest") {
		return reply{}, errNotSimulated("translate ids of other kinds than restId and restImmutableEntryId")
	}
	c.prefer.immutable = target == "restImmutableEntryId"
	c.mb.mu.Lock()
	defer c.mb.mu.Unlock()
	values := []any{}
	for _, id := range ids {
		row := map[string]any{"sourceId": id}
		if m, err := c.findMessage(id.(string)); err != nil {
			refused := err.(*apiError)
			row["errorDetails"] = map[string]string{"code": refused.code, "message": refused.message}
		} else {
			row["targetId"] = c.id(m)
		}
		values = append(values, row)
	}
	return c.collection("Collection(microsoft.graph.convertIdResult)", values, "", ""), nil
}
