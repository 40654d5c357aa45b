package proof

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// Bounds of what is read of JSON.
const (
	maxDepth   = 32
	maxMembers = 10_000 // of one object
)

// A scanner reads JSON piece by piece. An object that has a member twice, and
// numbers that are read but are not whole, are errors.
type scanner struct {
	decoder *json.Decoder
	depth   int
}

func newScanner(r io.Reader) *scanner {
	d := json.NewDecoder(r)
	d.UseNumber()
	return &scanner{decoder: d}
}

// token returns the next one. The end is an error.
func (s *scanner) token() (json.Token, error) {
	t, err := s.decoder.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return t, err
}

// end returns an error if anything follows.
func (s *scanner) end() error {
	if _, err := s.decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.Join(errors.New("more follows after its end"), err)
	}
	return nil
}

// open reads the beginning of an object or array.
func (s *scanner) open(what json.Delim) error {
	t, err := s.token()
	if err != nil {
		return err
	}
	if t != what {
		return fmt.Errorf("%v stands where %v is expected", shorten(t), what)
	}
	s.depth++
	return nil
}

// shut reads the end of an object or array.
func (s *scanner) shut() error {
	s.depth--
	_, err := s.token()
	return err
}

// object reads an object. The function reads the value of each member, or skips
// it.
func (s *scanner) object(member func(key string) error) error {
	if err := s.open('{'); err != nil {
		return err
	}
	return s.members(member)
}

func (s *scanner) members(member func(key string) error) error {
	var few []string // most objects have a few
	var many map[string]bool
	for s.decoder.More() {
		t, err := s.token()
		if err != nil {
			return err
		}
		key := t.(string) // the decoder sees to that
		if slices.Contains(few, key) || many[key] {
			return fmt.Errorf("there is another %.100q", key)
		}
		switch {
		case len(few) < 32:
			few = append(few, key)
		case len(many) == maxMembers:
			return errors.New("an object has too many members")
		case many == nil:
			many = map[string]bool{key: true}
		default:
			many[key] = true
		}
		if err := member(key); err != nil {
			return err
		}
	}
	return s.shut()
}

// array reads an array. The function reads each element.
func (s *scanner) array(element func() error) error {
	if err := s.open('['); err != nil {
		return err
	}
	for s.decoder.More() {
		if err := element(); err != nil {
			return err
		}
	}
	return s.shut()
}

// row reads an object and returns the whole numbers of those keys, all of which
// it has. The function reads the value of each other member, or skips it.
func (s *scanner) row(keys []string, other func(key string) error) ([]int64, error) {
	values, found := make([]int64, len(keys)), make([]bool, len(keys))
	err := s.object(func(key string) (err error) {
		i := slices.Index(keys, key)
		if i < 0 {
			return other(key)
		}
		found[i] = true
		values[i], err = s.number()
		return err
	})
	if missing := slices.Index(found, false); missing >= 0 && err == nil {
		err = fmt.Errorf("a row has no %q", keys[missing])
	}
	return values, err
}

// skip reads any value and forgets it.
func (s *scanner) skip() error {
	_, err := s.any()
	return err
}

// any reads a value and returns it, of an object or array only how it begins.
func (s *scanner) any() (json.Token, error) {
	t, err := s.token()
	if err != nil {
		return nil, err
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	if s.depth++; s.depth > maxDepth {
		return nil, errors.New("too many objects in each other")
	}
	if delim == '{' {
		return t, s.members(func(string) error { return s.skip() })
	}
	for s.decoder.More() {
		if err := s.skip(); err != nil {
			return nil, err
		}
	}
	return t, s.shut()
}

// text reads a string, or null, which is empty.
func (s *scanner) text() (string, error) {
	t, err := s.any()
	if err != nil {
		return "", err
	}
	switch t := t.(type) {
	case string:
		return t, nil
	case nil:
		return "", nil
	}
	return "", fmt.Errorf("%v stands where a text is expected", shorten(t))
}

// texts reads an array of strings, or null, which is empty.
func (s *scanner) texts() (all []string, err error) {
	t, err := s.token()
	if t == nil || err != nil {
		return nil, err
	}
	if t != json.Delim('[') {
		return nil, fmt.Errorf("%v stands where a list of texts is expected", shorten(t))
	}
	s.depth++
	for s.decoder.More() {
		text, err := s.text()
		if err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, s.shut()
}

// number reads a whole number in its shortest spelling.
func (s *scanner) number() (int64, error) {
	t, err := s.any()
	if err != nil {
		return 0, err
	}
	if text, ok := t.(json.Number); ok {
		if n, err := strconv.ParseInt(text.String(), 10, 64); err == nil && strconv.FormatInt(n, 10) == text.String() {
			return n, nil
		}
	}
	return 0, fmt.Errorf("%v stands where a whole number is expected", shorten(t))
}

// shorten returns a token as a message can show it.
func shorten(t json.Token) string { return fmt.Sprintf("%.100q", fmt.Sprint(t)) }
