package gmailsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"reflect"
	"strings"
)

// maxJSON bounds JSON bodies: above about 5 MB the path without upload refuses.
const maxJSON = 7 << 20

// body decodes the JSON body of the request. Members that v does not have are
// refused.
func (c *call) body(v any) error {
	if err := jsonType(c.r.Header.Get("Content-Type")); err != nil {
		return err
	}
	b, err := io.ReadAll(io.LimitReader(c.r.Body, maxJSON+1))
	switch {
	case err != nil:
		return badRequest()
	case len(b) > maxJSON:
		return tooLarge()
	}
	return decode(b, v)
}

func jsonType(contentType string) error {
	if t, _, err := mime.ParseMediaType(contentType); err != nil || t != "application/json" {
		return badContent("Media type '%s' is not supported for JSON", contentType)
	}
	return nil
}

// decode decodes a JSON object strictly: members are spelled exactly as the
// tags of v's fields, and nothing follows the object. No octets count as {}.
func decode(b []byte, v any) error {
	if len(bytes.TrimSpace(b)) == 0 {
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(b, &members); err != nil {
		return invalid("Invalid JSON payload received. %s", syntax(err))
	}
	t := reflect.TypeOf(v).Elem()
next:
	for name := range members {
		for i := range t.NumField() {
			if tag, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); tag == name {
				continue next
			}
		}
		return invalid("Invalid JSON payload received. Unknown name %q: Cannot find field.", name)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return invalid("Invalid JSON payload received. %s", syntax(err))
	}
	return nil
}

// syntax keeps what the body holds out of the answer.
func syntax(err error) string {
	switch e := err.(type) {
	case *json.UnmarshalTypeError:
		return fmt.Sprintf("Invalid value at '%s'.", e.Field)
	case *json.SyntaxError:
		return fmt.Sprintf("Unexpected token at %d.", e.Offset)
	}
	return "Unexpected end of string."
}
