package graph

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate/canon"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

// notesInSource returns what in the package's source is spelled as notes are.
func notesInSource(t *testing.T) (found []string) {
	t.Helper()
	spelled := regexp.MustCompile(`^[a-z]+(-[a-z]+)+$`)
	others := []string{"us-ascii", "quoted-printable", "client-request-id"}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") || f.Name() == "explain.go" {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil && spelled.MatchString(s) && !slices.Contains(others, s) {
					found = append(found, s)
				}
			}
			return true
		})
	}
	return found
}

func TestEveryNoteSaysWhatItExplains(t *testing.T) {
	original := []canon.Aspect{verify.Original}
	addresses := []canon.Aspect{canon.From, canon.Sender, canon.ReplyTo, canon.To, canon.Cc, canon.Bcc}
	notes := map[string]struct {
		why  string
		want []canon.Aspect
	}{
		"damaged-mime-attached":                        {"what could not be read may be anywhere", original},
		"inner-signature-broken-and-original-attached": {"what was signed is taken apart", original},
		"charset-guessed-and-original-attached":        {"the text may be other characters", original},
		"unparsed-as-text":                             {"header and text are one text", original},
		"long-text-attached":                           {"the text is cut", original},
		"protected-attached":                           {"the text is ours", original},
		"mime-structure-rebuilt":                       {"the parts are all there, put together anew", []canon.Aspect{canon.Structure}},
		"attached-message-as-file":                     {"a file of type .eml is compared as the message it has", []canon.Aspect{canon.Structure}},
		"alternative-text-dropped":                     {"only beside another that is there", []canon.Aspect{canon.Alternative}},
		"subject-shortened":                            {"Exchange holds no longer one", []canon.Aspect{canon.Subject}},
		"authors-shortened":                            {"Graph has room for one", []canon.Aspect{canon.From, canon.Sender}},
		"recipients-shortened":                         {"it does not say of which field", addresses},
		"addresses-repaired":                           {"it does not say of which field", addresses},
		"references-shortened":                         {"it does not say of which field", []canon.Aspect{canon.InReplyTo, canon.References}},
		"message-id-missing":                           {"Exchange makes one", []canon.Aspect{canon.MessageID}},
		"sent-date-missing":                            {"Exchange has one", []canon.Aspect{canon.Date}},
		"received-date-from-header":                    {"there is none of the source to compare with", []canon.Aspect{verify.Received}},
		"date-is-import-time":                          {"it has that date instead", []canon.Aspect{verify.Received}},
		"date-differs":                                 {"it is a date of the message's own", nil},
		"dates-unknown":                                {"there are none to compare with", []canon.Aspect{canon.Date, verify.Received}},
		"flags-refused":                                {"they are not there", []canon.Aspect{verify.Flags}},
		"draft-as-message":                             {"an import is none", []canon.Aspect{verify.Flags}},
		"draft-flag-kept":                              {"the copy is a draft for ever", []canon.Aspect{verify.Flags}},
		"deleted-flag-dropped":                         {"Shown leaves it out", nil},
		"forwarded-flag-dropped":                       {"Shown leaves it out", nil},
		"keyword-dropped":                              {"Shown leaves it out", nil},
		"control-characters-dropped":                   {"the canonical form has none", nil},
		"header-shortened":                             {"fields that are compared are written apart", nil},
		"too-large-to-import":                          {"the notes of the other route say the rest", nil},
		"import-refused":                               {"the notes of the other route say the rest", nil},
	}
	for note, c := range notes {
		if got := (*Target)(nil).Explains(note); !slices.Equal(got, c.want) {
			t.Errorf("%s explains %q, want %q: %s", note, got, c.want, c.why)
		}
	}
	for _, note := range notesInSource(t) {
		if _, ok := notes[note]; !ok {
			t.Errorf("nobody has thought about what the note %q explains", note)
		}
	}
}
