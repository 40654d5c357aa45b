package discovery

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A document is what is read of a discovery document.
type document struct {
	Parameters map[string]*schema
	Schemas    map[string]*schema
	Resources  map[string]*resource
	methods    []*method
}

type resource struct {
	Methods   map[string]*method
	Resources map[string]*resource
}

type method struct {
	HTTPMethod  string
	Path        string
	Parameters  map[string]*schema
	Request     *schema
	Response    *schema
	MediaUpload struct {
		Protocols map[string]struct{ Path string }
	}
}

// A schema describes a JSON value or a parameter.
type schema struct {
	Ref        string `json:"$ref"`
	Type       string
	Format     string
	Enum       []string
	Items      *schema
	Properties map[string]*schema
	Location   string
	Repeated   bool
}

// load reads the document once; nothing changes it.
var load = sync.OnceValues(func() (*document, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "google.golang.org/api").Output()
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "gmail", "v1", "gmail-api.json"))
	if err != nil {
		return nil, err
	}
	var d document
	if err := json.Unmarshal(b, &d); err != nil {
		return nil, err
	}
	d.collect(d.Resources)
	return &d, nil
})

func (d *document) collect(resources map[string]*resource) {
	for _, r := range resources {
		for _, m := range r.Methods {
			d.methods = append(d.methods, m)
		}
		d.collect(r.Resources)
	}
}

// method returns the method with a path, and whether that is its upload path.
// A method whose path has no wildcard where others have one wins.
func (d *document) method(httpMethod, path string) (found *method, upload bool) {
	fewest := -1
	try := func(m *method, template string, isUpload bool) {
		if n := wildcards(template, path); n >= 0 && (fewest < 0 || n < fewest) {
			found, upload, fewest = m, isUpload, n
		}
	}
	for _, m := range d.methods {
		if m.HTTPMethod != httpMethod {
			continue
		}
		try(m, "/"+m.Path, false)
		for _, p := range m.MediaUpload.Protocols {
			try(m, p.Path, true)
		}
	}
	return found, upload
}

// wildcards returns how many parts of the path the template leaves open, -1 if
// they do not match.
func wildcards(template, path string) (n int) {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return -1
	}
	for i := range want {
		switch {
		case strings.HasPrefix(want[i], "{") && got[i] != "":
			n++
		case want[i] != got[i]:
			return -1
		}
	}
	return n
}

func (d *document) checkJSON(report reporter, what string, s *schema, b []byte) {
	if s == nil {
		report("%s: has a body", what)
		return
	}
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		report("%s: %v", what, err)
		return
	}
	d.check(report, what, s, v)
}

// check compares a value with its schema.
func (d *document) check(report reporter, at string, s *schema, v any) {
	if s.Ref != "" {
		if s = d.Schemas[s.Ref]; s == nil {
			report("%s: unknown schema", at)
			return
		}
	}
	switch v := v.(type) {
	case map[string]any:
		if s.Type != "object" {
			report("%s: an object, want %s", at, s.Type)
			return
		}
		for name, member := range v {
			if p := s.Properties[name]; p != nil {
				d.check(report, at+"."+name, p, member)
			} else {
				report("%s: no such member: %s", at, name)
			}
		}
	case []any:
		if s.Type != "array" {
			report("%s: an array, want %s", at, s.Type)
			return
		}
		for i, item := range v {
			d.check(report, fmt.Sprintf("%s[%d]", at, i), s.Items, item)
		}
	case string:
		if s.Type != "string" {
			report("%s: a string, want %s", at, s.Type)
			return
		}
		s.checkText(report, at, v)
	case json.Number:
		if s.Type != "integer" && s.Type != "number" {
			report("%s: a number, want %s", at, s.Type)
			return
		}
		s.checkText(report, at, v.String())
	case bool:
		if s.Type != "boolean" {
			report("%s: a boolean, want %s", at, s.Type)
		}
	default:
		report("%s: null", at)
	}
}

// checkText checks a scalar in the form that a parameter has.
func (s *schema) checkText(report reporter, at, v string) {
	var err error
	switch {
	case s.Type == "boolean":
		if v != "true" && v != "false" {
			err = fmt.Errorf("not a boolean")
		}
	case s.Format == "int32":
		_, err = strconv.ParseInt(v, 10, 32)
	case s.Format == "uint32":
		_, err = strconv.ParseUint(v, 10, 32)
	case s.Format == "int64":
		_, err = strconv.ParseInt(v, 10, 64)
	case s.Format == "uint64":
		_, err = strconv.ParseUint(v, 10, 64)
	case s.Format == "byte":
		_, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(v, "="))
	case len(s.Enum) > 0 && !slices.Contains(s.Enum, v):
		err = fmt.Errorf("not one of %s", strings.Join(s.Enum, " "))
	}
	if err != nil {
		report("%s: %q: %v", at, v, err)
	}
}
