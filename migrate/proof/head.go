package proof

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A Head is what a signature is for: how the log stood when a report was made,
// and which report. As text it is a checkpoint (c2sp.org/tlog-checkpoint).
type Head struct {
	Origin   string // name of the key
	Tree     tlog.Tree
	Report   Digest    // of all octets of report.json but its last line
	Previous Digest    // of the previous head as signed; zero in the first
	Made     time.Time // to the second, in UTC
}

// maxSize is how many entries a log has at most.
const maxSize = 1 << 40

const (
	reportLine   = "report "
	previousLine = "previous "
	madeLine     = "made "
)

func (h Head) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%d\n%s\n%s%s\n", h.Origin, h.Tree.N, h.Tree.Hash, reportLine, tlog.Hash(h.Report))
	if h.Previous != (Digest{}) {
		fmt.Fprintf(&b, "%s%s\n", previousLine, tlog.Hash(h.Previous))
	}
	fmt.Fprintf(&b, "%s%s\n", madeLine, h.Made.UTC().Format(time.RFC3339))
	return b.String()
}

// sign returns the head as a note, signed with a private key of that name.
func (h Head) sign(private string) (string, error) {
	signer, err := note.NewSigner(private)
	if err != nil {
		return "", err
	}
	signed, err := note.Sign(&note.Note{Text: h.text()}, signer)
	return string(signed), err
}

var errHead = errors.New("it is no head, or one in another spelling than its own")

// parseHead reads what Head.text writes, and nothing else.
func parseHead(text string) (h Head, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 3 {
		return h, errHead
	}
	h.Origin = lines[0]
	if h.Tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil || h.Tree.N < 0 || h.Tree.N > maxSize {
		return h, errHead
	}
	if h.Tree.Hash, err = tlog.ParseHash(lines[2]); err != nil {
		return h, errHead
	}
	for _, line := range lines[3:] {
		if value, ok := strings.CutPrefix(line, madeLine); ok {
			h.Made, err = time.Parse("2006-01-02T15:04:05Z", value)
		} else if value, ok := strings.CutPrefix(line, reportLine); ok {
			h.Report, err = tlog.ParseHash(value)
		} else if value, ok := strings.CutPrefix(line, previousLine); ok {
			h.Previous, err = tlog.ParseHash(value)
		}
		if err != nil {
			return h, errHead
		}
	}
	if h.text() != text {
		return h, errHead
	}
	return h, nil
}

// OpenHead reads a signed head and checks its signature. It must have just one,
// by one of the keys, and there is one spelling of it.
func OpenHead(signed string, keys ...Key) (Head, Key, error) {
	for _, k := range keys {
		n, err := note.Open([]byte(signed), note.VerifierList(k))
		if _, other := errors.AsType[*note.UnverifiedNoteError](err); other {
			continue
		}
		if _, invalid := errors.AsType[*note.InvalidSignatureError](err); invalid {
			return Head{}, Key{}, errors.New("its signature is not valid: it was changed after it was signed")
		}
		if err != nil {
			return Head{}, Key{}, errHead
		}
		s := n.Sigs[0]
		octets, err := base64.StdEncoding.DecodeString(s.Base64)
		if err != nil || fmt.Sprintf("%s\n— %s %s\n", n.Text, s.Name, base64.StdEncoding.EncodeToString(octets)) != signed {
			return Head{}, Key{}, errHead
		}
		h, err := parseHead(n.Text)
		if err == nil && h.Origin != k.Name() {
			err = errHead
		}
		return h, k, err
	}
	return Head{}, Key{}, errors.New("it is not signed with the given key")
}
