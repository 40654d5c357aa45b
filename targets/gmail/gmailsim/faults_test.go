package gmailsim

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"google.golang.org/api/googleapi"
)

func parseFaults(t testing.TB, list string) Faults {
	t.Helper()
	f, err := ParseFaults(list)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestALostReplyIsCommittedAndACutIsNot(t *testing.T) {
	s, g := serve(t, Options{Fault: parseFaults(t, "cut@1,lost-reply@3")})
	for i, want := range []struct {
		answered bool
		stored   int
	}{{false, 0}, {true, 1}, {false, 2}, {true, 3}} {
		_, err := importing(g, mailOf(string(rune('a'+i))+"@x")).Do()
		if _, answered := errors.AsType[*googleapi.Error](err); (err == nil) != want.answered || answered {
			t.Errorf("import %d: %v", i+1, err)
		}
		if n := len(s.Messages(user)); n != want.stored {
			t.Errorf("import %d: %d messages, want %d", i+1, n, want.stored)
		}
	}
	if got, want := s.Fired(), map[string]int{"cut": 1, "lost-reply": 1}; !maps.Equal(got, want) {
		t.Errorf("fired %v, want %v", got, want)
	}
}

func TestFaultsAtANumberCountOnlyCallsThatStoreAMessage(t *testing.T) {
	s, g := serve(t, Options{Fault: parseFaults(t, "503@1")})
	makeLabel(t, g, "x")
	open(t, s) // opens an upload, and stores nothing
	_, err := importing(g, mailOf("a@x")).Do()
	wantError(t, err, 503, "backendError", "Temporary System Problem. Try again later.")
	mustImport(t, g, mailOf("a@x"))

	s, _ = serve(t, Options{Fault: parseFaults(t, "500@1")})
	url := open(t, s)
	first := strings.Repeat("A: b\n", granule)[:granule]
	if code, _ := chunk(s, url, "bytes 0-262143/*", first); code != 308 {
		t.Errorf("a chunk that is not the last was struck: %d", code)
	}
	if code, _ := chunk(s, url, "bytes */262144", ""); code != 500 {
		t.Errorf("the last chunk was not struck: %d", code)
	}
}

func TestEveryKindOfFaultCanBeProvoked(t *testing.T) {
	for _, test := range []struct {
		kind            string
		code            int
		reason, message string
	}{
		{"precondition", 400, "failedPrecondition", "Precondition check failed."},
		{"401", 401, "authError", "Invalid Credentials"},
		{"403", 403, "userRateLimitExceeded", "User Rate Limit Exceeded"},
		{"429", 429, "rateLimitExceeded", "Resource has been exhausted (e.g. check quota)."},
		{"500", 500, "backendError", "Backend Error"},
		{"502", 502, "backendError", "Backend Error"},
		{"503", 503, "backendError", "Temporary System Problem. Try again later."},
		{"504", 504, "backendError", "Backend Error"},
		{"html500", 500, "", ""},
		{"html502", 502, "", ""},
		{"html503", 503, "", ""},
		{"html504", 504, "", ""},
	} {
		s, g := serve(t, Options{Fault: parseFaults(t, test.kind+":1")})
		_, err := importing(g, mailOf("a@x")).Do()
		wantError(t, err, test.code, test.reason, test.message)
		if e, _ := errors.AsType[*googleapi.Error](err); strings.Contains(e.Body, "<html") != (test.reason == "") {
			t.Errorf("%s: body %s", test.kind, e.Body)
		}
		if s.Fired()[test.kind] != 1 || len(s.Messages(user)) != 0 {
			t.Errorf("%s: fired %v, %d messages", test.kind, s.Fired(), len(s.Messages(user)))
		}
	}
}

func TestFaultsStrikeAsOftenAsAskedAndRepeatWithTheirSeed(t *testing.T) {
	strike := func(seed uint64) (pattern string) {
		s, err := New(Options{Fault: parseFaults(t, "503:0.2"), Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for range 500 {
			pattern += string(rune('0' + send(s, "GET", "/gmail/v1/users/ann@example.com/profile", "", "").Code/100))
		}
		return pattern
	}
	a := strike(1)
	if n := strings.Count(a, "5"); n < 60 || n > 140 {
		t.Errorf("struck %d of 500", n)
	}
	if a != strike(1) || a == strike(2) {
		t.Error("the seed does not decide")
	}
}

func TestReadsAreNeverDropped(t *testing.T) {
	s, g := serve(t, Options{Fault: parseFaults(t, "cut:1,lost-reply:1")})
	if _, err := g.GetProfile(user).Do(); err != nil || len(s.Fired()) != 0 {
		t.Errorf("%v, fired %v", err, s.Fired())
	}
}

func TestFaultListsAreParsed(t *testing.T) {
	got := parseFaults(t, " lost-reply:0.01, cut@7 ,")
	if len(got) != 2 || got[0] != (Fault{Kind: "lost-reply", Probability: 0.01}) || got[1] != (Fault{Kind: "cut", At: 7}) {
		t.Errorf("got %+v", got)
	}
	for _, bad := range []string{"cut", "fire:0.1", "cut:2", "cut:-1", "cut:NaN", "cut@0", "cut@-3", "cut@x", "503:", ":1"} {
		if f, err := ParseFaults(bad); err == nil {
			t.Errorf("%q gave %+v", bad, f)
		}
	}
	if _, err := New(Options{Fault: Faults{{Kind: "fire"}}}); err == nil {
		t.Error("an unknown kind was taken")
	}
}

func FuzzARequestNeverBreaksTheServer(f *testing.F) {
	f.Add("multipart/related; boundary=b", []byte("--b\r\nContent-Type: application/json\r\n\r\n{}\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"+attachment("Content-Type: a/b; name=a.zip", []byte("PK"))+"\r\n--b--"))
	f.Add("multipart/related; boundary=b", []byte("--b\r\n\r\n--b\r\n\r\n--b--"))
	s, err := New(Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		for _, kind := range []string{"multipart", "media"} {
			if w := send(s, "POST", "/upload"+importPath+"&uploadType="+kind, contentType, string(body)); w.Code != 200 && w.Code != 400 {
				t.Errorf("got %d", w.Code)
			}
		}
	})
}
