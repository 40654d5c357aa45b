package graphsim

import (
	"encoding/base64"
	"encoding/json"
	"hash/crc32"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A query is the options of a request's URL, decoded once.
type query struct {
	values  url.Values
	selects []string
	expand  []expansion
	top     int // 0: not given
	token   *pageToken
}

// An expansion is one item of $expand.
type expansion struct {
	name string
	ids  []string // canonical ids of extended properties
}

// A pageToken is what an opaque nextLink or deltaLink carries.
type pageToken struct {
	Link   string // "skip", "deltanext" or "delta"
	Query  string // the options of the first call
	After  uint64 // delta: change number
	Offset []int64
}

const maxTop = 1000

var queryOptions = []string{
	"$select", "$expand", "$top", "$filter", "$orderby", "$count", "$skiptoken", "$deltatoken", "$skip", "$search", "$format",
}

func parseQuery(u *url.URL) (query, error) {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return query{}, errQuery("The query string is not valid.")
	}
	for _, name := range []string{"$skiptoken", "$deltatoken"} {
		if !values.Has(name) {
			continue
		}
		t := new(pageToken)
		if len(values) > 1 || !t.decode(values.Get(name)) {
			code := "SyncStateInvalid"
			if name == "$skiptoken" {
				code = "BadRequest"
			}
			return query{}, refuse(400, code, "The token in the query is not valid, or has other options beside it.")
		}
		q, err := parseQuery(&url.URL{RawQuery: t.Query})
		q.token = t
		return q, err
	}
	q := query{values: values}
	for name, v := range values {
		if !strings.HasPrefix(name, "$") {
			continue
		}
		if !slices.Contains(queryOptions, name) || len(v) != 1 {
			return query{}, errQuery("The query parameter '%s' is not supported, or comes twice.", name)
		}
	}
	if values.Has("$search") {
		return query{}, errNotSimulated("search")
	}
	if values.Has("$skip") {
		return query{}, errNotSimulated("serve $skip; follow @odata.nextLink")
	}
	if v := values.Get("$top"); v != "" || values.Has("$top") {
		if q.top, err = strconv.Atoi(v); err != nil || q.top < 1 || q.top > maxTop {
			return query{}, errQuery("Invalid value '%s' for $top: 1 to %d.", v, maxTop)
		}
	}
	if values.Has("$select") {
		for _, name := range strings.Split(values.Get("$select"), ",") {
			q.selects = append(q.selects, strings.TrimSpace(name))
		}
	}
	q.expand, err = parseExpand(values.Get("$expand"))
	return q, err
}

// parseExpand reads the forms attachments and
// singleValueExtendedProperties($filter=id eq '…' or id eq '…'); the same for multi.
func parseExpand(s string) ([]expansion, error) {
	var list []expansion
	for s = strings.TrimSpace(s); s != ""; {
		end := strings.IndexAny(s, "(,")
		if end < 0 {
			end = len(s)
		}
		e := expansion{name: strings.TrimSpace(s[:end])}
		s = s[end:]
		inner := ""
		if strings.HasPrefix(s, "(") {
			closing := closingParen(s)
			if closing < 0 {
				return nil, errQuery("Parsing $expand failed.")
			}
			inner, s = s[1:closing], s[closing+1:]
		}
		s = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(s), ","))
		switch e.name {
		case "attachments":
			if inner != "" {
				return nil, errNotSimulated("serve options inside $expand=attachments")
			}
		case "singleValueExtendedProperties", "multiValueExtendedProperties":
			filter, ok := strings.CutPrefix(strings.TrimSpace(inner), "$filter=")
			if !ok {
				return nil, errQuery("$expand of extended properties needs a $filter on id.")
			}
			ids, err := idsOf(filter)
			if err != nil {
				return nil, err
			}
			e.ids = ids
		default:
			return nil, errQuery("Could not find a property named '%s' on type 'microsoft.graph.message'.", e.name)
		}
		list = append(list, e)
	}
	return list, nil
}

// closingParen returns where the parenthesis at the start of s closes.
func closingParen(s string) int {
	depth, quoted := 0, false
	for i, r := range s {
		switch {
		case r == '\'':
			quoted = !quoted
		case quoted:
		case r == '(':
			depth++
		case r == ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// idsOf reads "id eq 'a' or id eq 'b'".
func idsOf(filter string) ([]string, error) {
	p := &filterParser{s: filter}
	var ids []string
	for {
		name, op := p.word(), p.word()
		value, ok := p.quoted()
		id, _, valid := canonicalID(value)
		if name != "id" || op != "eq" || !ok || !valid {
			return nil, errQuery("The filter of an extended property is not valid: %s", filter)
		}
		ids = append(ids, id)
		if p.end() {
			return ids, nil
		}
		if p.word() != "or" {
			return nil, errQuery("The filter of an extended property is not valid: %s", filter)
		}
	}
}

// encode makes t opaque, and notices when it is altered.
func (t pageToken) encode() string {
	b, _ := json.Marshal(t)
	sum := crc32.ChecksumIEEE(b)
	b = append(b, byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum))
	return base64.RawURLEncoding.EncodeToString(b)
}

func (t *pageToken) decode(s string) bool {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < 4 {
		return false
	}
	n := len(b) - 4
	sum := uint32(b[n])<<24 | uint32(b[n+1])<<16 | uint32(b[n+2])<<8 | uint32(b[n+3])
	return crc32.ChecksumIEEE(b[:n]) == sum && json.Unmarshal(b[:n], t) == nil && !strings.Contains(t.Query, "token=")
}

// link returns the URL of this request with t in place of its options.
func (c *call) link(t pageToken) string {
	t.Query = c.query.values.Encode()
	name := "$skiptoken"
	if t.Link == "delta" {
		name = "$deltatoken"
	}
	path := strings.TrimPrefix(c.r.URL.EscapedPath(), "/"+c.version)
	return c.base() + path + "?" + name + "=" + t.encode()
}

// page is the size of the pages of this request.
func (c *call) page() int {
	switch {
	case c.query.top > 0:
		return c.query.top
	case c.prefer.pageSize > 0:
		return min(c.prefer.pageSize, maxTop)
	}
	return 10
}

// prefer is what the Prefer header asks for.
type prefer struct {
	immutable bool
	pageSize  int
	plainText bool
}

func parsePrefer(h http.Header) (prefer, error) {
	var p prefer
	for _, line := range h.Values("Prefer") {
		for _, item := range strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ';' }) {
			name, value, _ := strings.Cut(strings.TrimSpace(item), "=")
			value = strings.Trim(strings.TrimSpace(value), `"`)
			switch {
			case strings.EqualFold(name, "IdType"):
				p.immutable = strings.EqualFold(value, "ImmutableId")
			case name == "odata.maxpagesize":
				n, err := strconv.Atoi(value)
				if err != nil || n < 1 {
					return p, errQuery("Invalid value '%s' for odata.maxpagesize.", value)
				}
				p.pageSize = n
			case name == "outlook.body-content-type":
				p.plainText = value == "text"
			}
		}
	}
	return p, nil
}
