package gmail

import (
	"crypto/sha256"
	"errors"
	"io"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// A Repair is a change to the header of a message without which Gmail does not
// take it, or does not date it. The fields that it puts on top end with one
// that names the repairs; those that they stand for keep their values under
// other names. All else, signed parts among it, stays as it is, octet for octet.
type Repair string

const (
	// RepairDate gives a message whose Date field is missing, or is no date,
	// the time when the source received it.
	RepairDate Repair = "date"

	// RepairFrom gives a message that Gmail refuses for its From field one
	// that holds one address: the first in From, Sender or Return-Path, or
	// else unknown@mailhaul.invalid.
	RepairFrom Repair = "from"
)

const (
	repairedField = "X-Mailhaul-Repaired: "
	quote         = "X-Mailhaul-Original-" // stands before the names of fields that were replaced
)

// dateRepair returns RepairDate if m needs it and it may be done. A draft has
// the time of its import in any case.
func (t *Target) dateRepair(folder migrate.FolderID, m *migrate.Message, h *head) []Repair {
	_, ok := h.date()
	if ok || folder == draft || !h.sound || m.InternalDate.IsZero() || !slices.Contains(t.repairs, RepairDate) {
		return nil
	}
	return []Repair{RepairDate}
}

// refusesFrom says whether Gmail refused the message with the header h for its
// From field. Of two addresses in it, it says no more than "Bad Request".
func refusesFrom(err error, h *head) bool {
	e, ok := errors.AsType[*migrate.Error](err)
	if !ok || e.Class != migrate.Permanent {
		return false
	}
	text := strings.ToLower(e.Err.Error())
	return strings.Contains(text, "from' header") || strings.Contains(text, "from header") ||
		strings.HasSuffix(text, ": bad request") && h.severalAuthors()
}

// hintFrom is what to do about a From field that Gmail refuses.
const hintFrom = `Gmail takes mail with exactly one From field that holds one valid address. Set repair = ["from"] in [gmail] to have the field repaired in the copy, or keep the message as a file.`

// refusedFrom says what to do about a From field that was not repaired.
func (t *Target) refusedFrom(err error) error {
	cause, _ := errors.AsType[*migrate.Error](err)
	e := *cause
	if e.Hint = hintFrom; slices.Contains(t.repairs, RepairFrom) {
		e.Hint = "Gmail refuses its From field, and the rest of its header is too damaged to repair it. Keep the message as a file."
	}
	return &e
}

// repair returns m with repairs, which a sound header is needed for, or m
// itself if there are none. restored undoes them.
func (h *head) repair(m *migrate.Message, repairs []Repair) *migrate.Message {
	if len(repairs) == 0 {
		return m
	}
	top := ""
	replaced := h.quoted
	for _, r := range repairs {
		switch r {
		case RepairDate:
			top += "Date: " + m.InternalDate.Format(time.RFC1123Z) + "\r\n"
			replaced = append(slices.Clip(replaced), h.dates...)
		case RepairFrom:
			top += "From: " + h.author() + "\r\n"
			replaced = append(slices.Clip(replaced), h.authors...)
		}
	}
	top += repairedField + joined(repairs) + "\r\n"
	body := repairedBody{m.Body, []insertion{{0, top}}, m.Size + int64(len(top)+len(replaced)*len(quote))}
	for _, f := range replaced {
		body.insertions = append(body.insertions, insertion{f.at, quote})
	}
	slices.SortStableFunc(body.insertions, func(a, b insertion) int { return int(a.at - b.at) })
	form := *m
	form.Body, form.Size = body, body.size
	form.Digest = sha256.Sum256(append(m.Digest[:], top...)) // what is sent is not m
	return &form
}

func joined(repairs []Repair) string {
	var names []string
	for _, r := range repairs {
		names = append(names, string(r))
	}
	return strings.Join(names, " ")
}

var address = regexp.MustCompile(`[!#-'*+\-/-9=?A-Z^-~]+(?:\.[!#-'*+\-/-9=?A-Z^-~]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*`)

// author returns the one whom the message most likely is from.
func (h *head) author() string {
	for _, f := range slices.Concat(h.authors, h.senders) {
		if list, err := mail.ParseAddressList(f.value); err == nil && address.FindString(list[0].Address) == list[0].Address {
			return list[0].String()
		}
		if a := address.FindString(f.value); a != "" {
			return "<" + a + ">"
		}
	}
	return "unknown sender <unknown@mailhaul.invalid>"
}

// severalAuthors says whether From names more than one.
func (h *head) severalAuthors() bool {
	if len(h.authors) != 1 {
		return len(h.authors) > 1
	}
	list, err := mail.ParseAddressList(h.authors[0].value)
	return err == nil && len(list) > 1 || err != nil && len(address.FindAllString(h.authors[0].value, 2)) > 1
}

// An insertion is text that stands before the octet at of a body.
type insertion struct {
	at   int64
	text string
}

// repairedBody is a body with insertions, in order.
type repairedBody struct {
	body       migrate.Body
	insertions []insertion
	size       int64
}

func (b repairedBody) Open() (io.ReadSeekCloser, error) {
	source, err := b.body.Open()
	return &repairedReader{b, source, 0, 0}, err
}

type repairedReader struct {
	repairedBody
	source io.ReadSeekCloser
	from   int64 // where source stands
	at     int64 // where this stands
}

func (r *repairedReader) Read(p []byte) (n int, err error) {
	var before int64 // octets of the insertions so far
	most := r.size - r.at
	for _, i := range r.insertions {
		start := i.at + before
		if r.at < start {
			most = start - r.at
			break
		}
		if r.at < start+int64(len(i.text)) {
			n = copy(p, i.text[r.at-start:])
			r.at += int64(n)
			return n, nil
		}
		before += int64(len(i.text))
	}
	if most <= 0 {
		return 0, io.EOF
	}
	if at := r.at - before; at != r.from {
		if r.from, err = r.source.Seek(at, io.SeekStart); err != nil {
			return 0, err
		}
	}
	n, err = r.source.Read(p[:min(int64(len(p)), most)])
	r.from, r.at = r.from+int64(n), r.at+int64(n)
	return n, err
}

func (r *repairedReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the start")
	}
	r.at = offset
	return offset, nil
}

func (r *repairedReader) Close() error { return r.source.Close() }
