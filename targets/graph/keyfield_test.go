package graph

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

func TestTheKeyStandsOnTopOfAnyMessage(t *testing.T) {
	long := "From " + strings.Repeat("x", 10_000)
	for in, want := range map[string]string{
		"":                            "KEY",
		"Subject: s\r\n\r\nbody":      "KEYSubject: s\r\n\r\nbody",
		"\r\nbody":                    "KEY\r\nbody",
		"From: a@example.org\r\n\r\n": "KEYFrom: a@example.org\r\n\r\n",
		"From ann Sun Mar  1 2009\nSubject: s\n\nbody": "From ann Sun Mar  1 2009\nKEYSubject: s\n\nbody",
		"From ann": "KEYFrom ann",
		long:       "KEY" + long,
	} {
		got, err := io.ReadAll(withKey(strings.NewReader(in), "k"))
		if want = strings.Replace(want, "KEY", keyLine("k"), 1); err != nil || string(got) != want {
			t.Errorf("%.30q became %.60q (%v), want %.60q", in, got, err, want)
		}
		b := targettest.Octets(in)
		r, err := importOf(b, int64(len(in)), "k").open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if size := importOf(b, int64(len(in)), "k").size; err != nil || int64(len(text)) != size {
			t.Errorf("%.30q: %d octets of base64 (%v), %d announced", in, len(text), err, size)
		}
	}
}

// The octets are the worst case: nothing but the key tells these apart.
func TestMessagesThatLookAlikeAreToldApart(t *testing.T) {
	for name, content := range map[string]string{
		"twins":      "From: a@example.org\r\nMessage-ID: <a@example.org>\r\nSubject: s\r\n\r\nbody\r\n",
		"bare":       "Content-Type: multipart/mixed; boundary=a\r\n\r\nin no part\r\n",
		"no header":  "\r\nbody\r\n",
		"mid-header": "\tand a half\r\nSubject: s\r\n\r\nbody\r\n",
		"mbox":       "From ann Sun Mar  1 2009\r\nSubject: s\r\n\r\nbody\r\n",
		"empty":      "",
	} {
		w := newWorld(t, graphsim.Options{})
		target := w.open(t, Config{Route: RouteImport})
		since, err := target.Position(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var twins []*migrate.Message
		for _, key := range []string{"aa", "bb", "cc"} {
			m := targettest.Message([]byte(content), "")
			m.Key = strings.Repeat(key, 32)
			twins = append(twins, m)
		}
		for _, m := range twins[:2] {
			w.breakWrite(1, true)
			if _, err := target.Append(t.Context(), "inbox", m); err == nil {
				t.Fatal("the append did not fail")
			}
		}
		w.front = nil
		if got, err := target.Find(t.Context(), "inbox", twins[2], since); !errors.Is(err, migrate.ErrNotFound) {
			t.Errorf("%s: what was never sent was found as %q: %v", name, got.ID, err)
		}
		for i, m := range []*migrate.Message{twins[1], twins[0]} {
			m.Body = nil // gone from the source
			got, err := target.Find(t.Context(), "inbox", m, since)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			at := w.sim.Messages(user)[1-i]
			if key := property64(at); migrate.MessageID(at.ImmutableID) != got.ID || key != m.Key {
				t.Errorf("%s: found %q, which has the key %.4s, want %.4s", name, got.ID, key, m.Key)
			}
		}
	}
}

func TestFindKeepsToWhatWasImported(t *testing.T) {
	m := targettest.Letter("a")
	w, folder, since := keyless(t, m)
	target := w.open(t, Config{Route: RouteImport})
	// The same mail, delivered to the new mailbox too.
	delivered := *m
	delivered.Key = ""
	w.breakWrite(2, false)
	if _, err := target.Append(t.Context(), folder, &delivered); err == nil {
		t.Fatal("the append did not fail")
	}
	w.front = nil
	found, err := target.Find(t.Context(), folder, m, since)
	if err != nil {
		t.Fatal(err)
	}
	if at := w.sim.Messages(user); property64(at[0]) != m.Key || migrate.MessageID(at[0].ImmutableID) != found.ID || property64(at[1]) != "" {
		t.Errorf("%+v", at)
	}
	later := migrate.Position(time.Now().Add(24 * time.Hour).Format(time.RFC3339))
	other := targettest.Letter("b")
	other.Key = strings.Repeat("cd", 32)
	for _, since := range []migrate.Position{since, later} {
		if got, err := target.Find(t.Context(), folder, other, since); !errors.Is(err, migrate.ErrNotFound) {
			t.Errorf("another message was found as %q: %v", got.ID, err)
		}
	}
	if _, err := target.Find(t.Context(), folder, other, "12345"); !errors.Is(err, migrate.ErrUndecided) {
		t.Errorf("a foreign position: %v", err)
	}
}
