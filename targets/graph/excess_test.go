package graph

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

func TestHundredsOfAttachmentsArrive(t *testing.T) {
	for _, n := range []int{131, 251} {
		b := strings.Builder{}
		b.WriteString("From: ann@example.org\r\nDate: Fri, 03 Jul 2009 14:15:16 +0000\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n")
		for i := range n {
			fmt.Fprintf(&b, "--b\r\nContent-Type: application/octet-stream; name=%d.bin\r\n\r\ncontent %[1]d\r\n", i)
		}
		m := targettest.Message([]byte(b.String()+"--b--\r\n"), "", migrate.Seen)
		for _, route := range []Route{RouteImport, RouteJSON} {
			w := newWorld(t, graphsim.Options{})
			_, err := w.open(t, Config{Route: route}).Append(t.Context(), "inbox", m)
			ms := w.sim.Messages(user)
			if err != nil || len(ms) != 1 || len(ms[0].Attachments) != n {
				t.Errorf("%s, %d attachments: %v, %d messages", route, n, err, len(ms))
			}
		}
	}
}

func TestSignedMailTooLargeToImportIsNotRebuiltInSilence(t *testing.T) {
	signed := "From: a@example.org\r\nDate: Fri, 03 Jul 2009 14:15:16 +0000\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\n" + strings.Repeat("TUlB\r\n", 1_000_000)
	m := targettest.Message([]byte(signed), "", migrate.Seen)
	w := newWorld(t, graphsim.Options{})
	_, err := w.open(t, Config{Route: RouteImport}).Append(t.Context(), "inbox", m)
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Permanent || !e.Refused || !strings.Contains(e.Hint, "attach") || len(w.sim.Messages(user)) != 0 {
		t.Errorf("%#v", err)
	}
	stored, err := w.open(t, Config{Route: RouteImport, AttachProtected: true}).Append(t.Context(), "inbox", m)
	if ms := w.sim.Messages(user); err != nil || !slices.Contains(stored.Notes, "protected-attached") || len(ms) != 1 || !slices.Equal(attachmentSizes(ms[0]), []int64{m.Size}) {
		t.Errorf("attached: %v %v", stored.Notes, err)
	}
}

func TestAnyNumberAndSpellingOfKeywordsLeavesTheMessageWhole(t *testing.T) {
	flags := []migrate.Flag{migrate.Seen, "$NOTJUNK", "Größe", "a b", `\Odd`, `\*`, "", migrate.Flag(strings.Repeat("k", 300))}
	for i := range 40 {
		flags = append(flags, migrate.Flag(fmt.Sprint("keyword-", i)))
	}
	for _, route := range []Route{RouteImport, RouteJSON} {
		w := newWorld(t, graphsim.Options{})
		stored, err := w.open(t, Config{Route: route}).Append(t.Context(), "inbox", targettest.Letter("k", flags...))
		ms := w.sim.Messages(user)
		if err != nil || len(ms) != 1 || len(ms[0].Categories) != 42 || !slices.Contains(ms[0].Categories, "Größe") || !slices.Equal(stored.Notes, []string{"keyword-dropped"}) {
			t.Errorf("%s: %v %v %+v", route, stored.Notes, err, ms)
		}
	}
}

func TestAnswersThatAreWebPagesHaveTheClassOfTheirStatus(t *testing.T) {
	for status, want := range map[int]migrate.Class{400: migrate.Permanent, 404: migrate.Permanent, 413: migrate.Permanent, 502: migrate.Transient, 503: migrate.Transient} {
		w := newWorld(t, graphsim.Options{})
		target := w.open(t, Config{Route: RouteJSON})
		w.front = func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/html")
			rw.WriteHeader(status)
			io.WriteString(rw, "<html><title>Error</title><body>Try again.</body></html>")
		}
		_, err := target.Append(t.Context(), "inbox", targettest.Letter("a"))
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != want || e.Refused != (want == migrate.Permanent) || !strings.Contains(e.Error(), fmt.Sprint(status)) {
			t.Errorf("%d: %#v", status, err)
		}
	}
}
