package gmailsim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A route is one method of the API.
type route struct {
	method string
	path   string // below /gmail/v1/users/{userId}; "*" stands for one segment
	name   string
	old    int64  // quota units: legacy projects
	new    int64  // quota units: projects from May 2026 on
	params string // its own query parameters; "?" behind a name makes it a boolean
	scopes scope  // any one of these is enough
	stores bool   // makes a message; also under /upload and /resumable/upload
	handle func(*call) (any, error)
}

// routes never change.
var routes = []route{
	// method, path, name, units (old, new), parameters, scopes, stores, handler
	{"GET", "profile", "getProfile", 1, 1, "", read | compose | metadata, false, (*call).getProfile},
	{"GET", "labels", "labels.list", 1, 1, "", read | labelling | metadata, false, (*call).listLabels},
	{"POST", "labels", "labels.create", 5, 5, "", modify | labelling, false, (*call).createLabel},
	{"GET", "labels/*", "labels.get", 1, 1, "", read | labelling | metadata, false, (*call).getLabel},
	{"PUT", "labels/*", "labels.update", 5, 5, "", modify | labelling, false, (*call).updateLabel},
	{"PATCH", "labels/*", "labels.patch", 5, 5, "", modify | labelling, false, (*call).updateLabel},
	{"DELETE", "labels/*", "labels.delete", 5, 5, "", modify | labelling, false, (*call).deleteLabel},
	{"POST", "messages/import", "messages.import", 25, 25, "deleted? internalDateSource neverMarkSpam? processForCalendar?", modify | insert, true, (*call).importMessage},
	{"POST", "messages", "messages.insert", 25, 25, "deleted? internalDateSource", modify | insert, true, (*call).insertMessage},
	{"GET", "messages", "messages.list", 5, 5, "includeSpamTrash? labelIds maxResults pageToken q", read | metadata, false, (*call).listMessages},
	{"POST", "messages/batchModify", "messages.batchModify", 50, 50, "", modify, false, (*call).batchModify},
	{"POST", "messages/batchDelete", "messages.batchDelete", 50, 50, "", full, false, (*call).batchDelete},
	{"GET", "messages/*", "messages.get", 5, 20, "format metadataHeaders", read | metadata, false, (*call).getMessage},
	{"DELETE", "messages/*", "messages.delete", 10, 10, "", full, false, (*call).deleteMessage},
	{"POST", "messages/*/modify", "messages.modify", 5, 5, "", modify, false, (*call).modifyMessage},
	{"POST", "messages/*/trash", "messages.trash", 5, 20, "", modify, false, (*call).trashMessage},
	{"POST", "messages/*/untrash", "messages.untrash", 5, 5, "", modify, false, (*call).untrashMessage},
	{"GET", "drafts", "drafts.list", 5, 5, "includeSpamTrash? maxResults pageToken q", read | compose, false, (*call).listDrafts},
	{"POST", "drafts", "drafts.create", 10, 10, "", modify | compose, true, (*call).createDraft},
	{"GET", "drafts/*", "drafts.get", 5, 20, "format", read | compose, false, (*call).getDraft},
	{"GET", "history", "history.list", 2, 2, "historyTypes labelId maxResults pageToken startHistoryId", read | metadata, false, (*call).listHistory},
}

// common are the query parameters of every method.
var common = strings.Fields("$.xgafv access_token alt callback fields key oauth_token prettyPrint quotaUser uploadType upload_protocol upload_id")

// known are the parts of the API that exist but are not simulated.
var known = strings.Fields("threads settings watch stop drafts messages")

// route finds the method that a request calls and checks its parameters.
func (s *Server) route(w http.ResponseWriter, r *http.Request) (*call, error) {
	c := &call{s: s, w: w, r: r, now: s.o.Now()}
	path := r.URL.EscapedPath()
	for _, prefix := range []string{"/upload", "/resumable/upload"} {
		if rest, ok := strings.CutPrefix(path, prefix+"/gmail/"); ok {
			path, c.upload = "/gmail/"+rest, true
		}
	}
	rest, ok := strings.CutPrefix(path, "/gmail/v1/users/")
	if !ok || len(rest) > 2000 {
		return nil, &refusal{code: 404, reason: "notFound", message: "Not Found"}
	}
	user, rest, _ := strings.Cut(rest, "/")
	segments := strings.Split(rest, "/")
	verb := r.Method
	if c.upload && verb == http.MethodPut && strings.Contains(r.URL.RawQuery, "upload_id=") { // a chunk may be PUT
		verb = http.MethodPost
	}
	for i := range routes {
		m := &routes[i]
		args, ok := match(m.path, segments)
		if !ok || m.method != verb || c.upload && !m.stores {
			continue
		}
		c.route, c.args = m, append([]string{user}, args...)
		return c, c.checkQuery()
	}
	elsewhere := slices.ContainsFunc(routes, func(m route) bool { _, ok := match(m.path, segments); return ok })
	if slices.Contains(known, segments[0]) && !elsewhere {
		return nil, notSimulated(r.Method + " " + rest)
	}
	return nil, &refusal{code: 404, reason: "notFound", message: "Not Found"}
}

// match compares a route's path with that of a request.
func match(pattern string, segments []string) (args []string, ok bool) {
	want := strings.Split(pattern, "/")
	if len(want) != len(segments) {
		return nil, false
	}
	for i, w := range want {
		switch {
		case w == "*" && segments[i] != "":
			arg, err := url.PathUnescape(segments[i])
			if err != nil {
				return nil, false
			}
			args = append(args, arg)
		case w != segments[i]:
			return nil, false
		}
	}
	return args, true
}

// checkQuery refuses parameters that the method does not have, and values of
// the wrong type.
func (c *call) checkQuery() error {
	query, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return badRequest()
	}
	c.query = query
	own := strings.Fields(c.route.params)
	for name, values := range query {
		switch {
		case slices.Contains(own, name+"?"):
			for _, v := range values {
				if v != "true" && v != "false" {
					return invalid("Invalid value at '%s' (TYPE_BOOL), %q", name, v)
				}
			}
		case slices.Contains(own, name):
		case !slices.Contains(common, name):
			return invalid("Invalid JSON payload received. Unknown name %q: Cannot bind query parameter. Field '%s' could not be found in request message.", name, name)
		}
	}
	if alt := query.Get("alt"); alt != "" && alt != "json" {
		return notSimulated("alt=" + alt)
	}
	return nil
}

// flag returns a boolean parameter, false if it is absent.
func (c *call) flag(name string) bool { return c.query.Get(name) == "true" }
