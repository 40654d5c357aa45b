package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// A way is one way into a target.
type way struct {
	name  string // as the page has it
	kind  string // of the target, as in the configuration
	route string // into Microsoft 365
}

func ways() []way {
	return []way{
		{"Gmail", "gmail", ""},
		{"Microsoft 365, importmime", "graph", "importmime"},
		{"Microsoft 365, json", "graph", "json"},
	}
}

// serve starts the target of a way, which takes a token. What it holds can be
// read afterwards.
func (w way) serve(t *testing.T, token string) (url string, replicas func(user string) map[migrate.MessageID]*replica) {
	t.Helper()
	if w.kind == "gmail" {
		sim := newGmail(t, gmailsim.Options{Tokens: []string{token}})
		return serveTest(t, sim, nil), func(user string) map[migrate.MessageID]*replica { return gmailReplicas(t, sim, user) }
	}
	sim := newGraph(t, graphsim.Options{Tokens: []string{token}})
	url = serveTest(t, sim, nil)
	return url, func(user string) map[migrate.MessageID]*replica { return graphReplicas(t, sim, url, token, user) }
}

// run makes one pass the way of w. It writes one message at a time, so that it
// is not chance which of several equal messages is written first.
func (w way) run(t *testing.T, config string) {
	t.Helper()
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	keys := "parallel = 1\nprofile ="
	if w.route != "" {
		keys = fmt.Sprintf("route = %q\n", w.route) + keys
	}
	text = regexp.MustCompile(`(?m)^route =.*$`).ReplaceAll(text, nil)
	if err := os.WriteFile(config, bytes.Replace(text, []byte("profile ="), []byte(keys), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := mailhaul(t.Context(), "run", "--config", config); code != exitDone && code != exitPerson {
		t.Fatalf("%s: exit code %d: %s", w.name, code, stderr)
	}
}

const fidelityPage = "../../docs/fidelity.md"

func TestTheFidelityPageSaysWhatArrives(t *testing.T) {
	t.Parallel()
	mail := fidelityMail()
	p := page{mail: mail}
	for _, w := range ways() {
		o := newOffice(t)
		o.deliver(t, mail)
		url, replicas := w.serve(t, officeToken)
		config := o.migration(t, w.kind, url, "", "", "fidelity")
		w.run(t, config)
		p.results = append(p.results, arrivals(t, config, mail, replicas(target(fidelityUser))))
	}
	golden(t, "../"+fidelityPage, p.text(t))
}

// What the page calls kept must be kept for mail that other programs wrote.
func TestTheCorpusKeepsWhatTheFidelityPagePromises(t *testing.T) {
	t.Parallel()
	s := &site{sourcetest.Dovecot(t, sourcetest.Options{Separator: "/"}), map[string][]delivered{}}
	s.deliverCorpus(t)
	mail := s.corpusMail(t)
	if len(mail) == 0 {
		t.Skip("without the corpus")
	}
	for i, w := range ways() {
		url, replicas := w.serve(t, "test")
		config := s.migration(t, w.kind, url)
		w.run(t, config)
		as := arrivals(t, config, mail, replicas(target(corpusUser)))
		promises, sound := 0, 0
		for _, r := range rows() {
			if !promised(t, r, i) {
				continue
			}
			promises++
			for _, a := range as {
				if f, ok := r.of(a); ok {
					sound++
					if f == fateLost {
						t.Errorf("%s: %q of %s UID %d (%s) is lost", w.name, r.name, a.folder, a.uid, a.mime.tree())
					}
				}
			}
		}
		if promises < 10 || sound < 200 {
			t.Errorf("%s: %d promises were looked at in %d places", w.name, promises, sound)
		}
	}
}

// promised says whether the page calls the property of a row kept for all
// messages, by the way of that number.
func promised(t *testing.T, r row, way int) bool {
	t.Helper()
	text, err := os.ReadFile(fidelityPage)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, "|"); len(cells) > way+2 && strings.TrimSpace(cells[1]) == r.name {
			return slices.ContainsFunc([]fate{fateKept, fateBelow, fateAside}, func(f fate) bool {
				return strings.HasPrefix(strings.TrimSpace(cells[way+2]), fateNames()[f]+" (")
			})
		}
	}
	t.Fatalf("%s has no row %q", fidelityPage, r.name)
	return false
}
