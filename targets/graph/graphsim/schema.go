package graphsim

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"slices"
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
