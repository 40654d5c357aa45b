package gmail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

// repairing opens ann's mailbox on server with both repairs.
func repairing(server string) Config {
	return Config{User: user, Endpoint: server, TokenSource: Static(token), Route: RouteImport, Settle: -1, Repairs: []Repair{RepairDate, RepairFrom}}
}

const (
	dated   = "Date: Fri, 03 Jul 2009 14:15:16 +0000\r\n"
	top     = "X-Mailhaul-Repaired: "
	renamed = "X-Mailhaul-Original-"
)

// damaged are messages, what they become, and what their records say.
var damaged = []struct{ name, message, want, notes string }{
	{"sound", "From: ann@example.org\r\n" + dated + "\r\nbody", "From: ann@example.org\r\n" + dated + "\r\nbody", "[]"},
	{"no Date", "From: ann@example.org\r\n\r\nbody\r\n", dated + top + "date\r\nFrom: ann@example.org\r\n\r\nbody\r\n", "[date-repaired]"},
	{"no date in Date", "From: ann@example.org\r\nDATE : when\r\n we met\r\nX: y\r\n\r\nDate: body\r\n",
		dated + top + "date\r\nFrom: ann@example.org\r\n" + renamed + "DATE : when\r\n we met\r\nX: y\r\n\r\nDate: body\r\n", "[date-repaired]"},
	{"two Dates", "Date: x\nFrom: ann@example.org\n" + dated + "\nbody\n",
		dated + top + "date\r\n" + renamed + "Date: x\nFrom: ann@example.org\n" + renamed + dated + "\nbody\n", "[date-repaired]"},
	{"no From", dated + "Subject: x\r\n\r\nbody", "From: unknown sender <unknown@mailhaul.invalid>\r\n" + top + "from\r\n" + dated + "Subject: x\r\n\r\nbody", "[from-repaired]"},
	{"no From, but a Sender", dated + "Return-Path: <>\r\nSender: Bob <bob@example.org>\r\n\r\nbody",
		"From: \"Bob\" <bob@example.org>\r\n" + top + "from\r\n" + dated + "Return-Path: <>\r\nSender: Bob <bob@example.org>\r\n\r\nbody", "[from-repaired]"},
	{"two Froms", "From: nobody\r\n" + dated + "From: =?utf-8?q?J=C3=B6rg?= <bob@example.org>\r\n\r\nbody",
		"From: =?utf-8?q?J=C3=B6rg?= <bob@example.org>\r\n" + top + "from\r\n" + renamed + "From: nobody\r\n" + dated + renamed + "From: =?utf-8?q?J=C3=B6rg?= <bob@example.org>\r\n\r\nbody", "[from-repaired]"},
	{"two addresses", dated + "From: ann@example.org,\r\n bob@example.org\r\n\r\nbody",
		"From: <ann@example.org>\r\n" + top + "from\r\n" + dated + renamed + "From: ann@example.org,\r\n bob@example.org\r\n\r\nbody", "[from-repaired]"},
	{"an invalid address", dated + "From: (unknown sender)\r\n\r\nbody",
		"From: unknown sender <unknown@mailhaul.invalid>\r\n" + top + "from\r\n" + dated + renamed + "From: (unknown sender)\r\n\r\nbody", "[from-repaired]"},
	{"an address that breaks out", dated + "From: \"a\r\n b\" bob@example.org>, x\r\n\r\nbody",
		"From: <bob@example.org>\r\n" + top + "from\r\n" + dated + renamed + "From: \"a\r\n b\" bob@example.org>, x\r\n\r\nbody", "[from-repaired]"},
	{"nothing", "Subject: x\r\n\r\nbody", dated + "From: unknown sender <unknown@mailhaul.invalid>\r\n" + top + "date from\r\nSubject: x\r\n\r\nbody", "[date-repaired from-repaired]"},
	{"repaired before", dated + top + "date\r\n" + renamed + "Date: x\r\nSubject: x\r\n\r\n" + renamed + "body",
		"From: unknown sender <unknown@mailhaul.invalid>\r\n" + top + "from\r\n" + dated + top + "date\r\n" + renamed + renamed + "Date: x\r\nSubject: x\r\n\r\n" + renamed + "body", "[from-repaired]"},
	{"a header that is none", "From: ann@example.org\r\nnothing\r\n\r\nbody", "From: ann@example.org\r\nnothing\r\n\r\nbody", "[date-is-import-time]"},
}

func TestWhatGmailWouldNotTakeOrDateIsRepaired(t *testing.T) {
	for _, test := range damaged {
		sim, server := serve(t, gmailsim.Options{})
		target := open(t, repairing(server.URL))
		since, err := target.Position(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		m := targettest.Message([]byte(test.message), "")
		stored, err := target.Append(t.Context(), inbox, m)
		if err != nil || fmt.Sprint(stored.Notes) != test.notes {
			t.Errorf("%s: notes %s, error %v, want %s", test.name, stored.Notes, err, test.notes)
			continue
		}
		all := held(t, sim)
		if len(all) != 1 || string(all[0].Octets) != test.want {
			t.Errorf("%s: Gmail has %q, want %q", test.name, all[0].Octets, test.want)
		}
		if !all[0].Date.Equal(targettest.Date) && test.name != "a header that is none" {
			t.Errorf("%s: it is dated %v", test.name, all[0].Date)
		}
		// Whoever looks for it finds it, whatever is repaired now.
		for name, look := range map[string]*Target{"the same run": target, "the next": open(t, repairing(server.URL)), "one without repairs": open(t, config(server))} {
			found, err := look.Find(t.Context(), inbox, m, since)
			if err != nil || found.ID != stored.ID || fmt.Sprint(found.Notes) != test.notes {
				t.Errorf("%s: %s finds %q with notes %s, error %v", test.name, name, found.ID, found.Notes, err)
			}
			bare := *m
			bare.Body = nil
			if found, err := look.Find(t.Context(), inbox, &bare, since); err != nil || found.ID != stored.ID {
				t.Errorf("%s: %s finds %q without the content, error %v", test.name, name, found.ID, err)
			}
			other := targettest.Message(append([]byte(test.message), '!'), "")
			if found, err := look.Find(t.Context(), inbox, other, since); !errors.Is(err, migrate.ErrNotFound) {
				t.Errorf("%s: %s finds %q for another message, error %v", test.name, name, found.ID, err)
			}
		}
	}
}

func TestALostAnswerToARepairedMessageIsFound(t *testing.T) {
	for _, test := range damaged {
		if test.notes == "[]" || test.notes == "[date-is-import-time]" {
			continue
		}
		at := 1
		if strings.Contains(test.notes, "from") {
			at = 2 // the first is refused
		}
		sim, server := serve(t, gmailsim.Options{Fault: gmailsim.Faults{{Kind: "lost-reply", At: at}}})
		target := open(t, repairing(server.URL))
		m := targettest.Message([]byte(test.message), "")
		if stored, err := target.Append(t.Context(), inbox, m); err == nil {
			t.Errorf("%s: no answer was lost, notes %s", test.name, stored.Notes)
		}
		found, err := target.Find(t.Context(), inbox, m, "1000")
		if all := sim.Messages(user); err != nil || len(all) != 1 || found.ID != migrate.MessageID(all[0].ID) || fmt.Sprint(found.Notes) != test.notes {
			t.Errorf("%s: %d messages, found %q with notes %s, error %v", test.name, len(all), found.ID, found.Notes, err)
		}
	}
}

func TestNothingIsRepairedUnasked(t *testing.T) {
	for _, test := range damaged {
		sim, server := serve(t, gmailsim.Options{})
		m := targettest.Message([]byte(test.message), "")
		stored, err := open(t, config(server)).Append(t.Context(), inbox, m)
		if strings.Contains(test.notes, "from") {
			e, ok := errors.AsType[*migrate.Error](err)
			if !ok || e.Class != migrate.Permanent || !e.Refused || !strings.Contains(e.Hint, `repair = ["from"]`) {
				t.Errorf("%s: the error is %#v", test.name, err)
			}
			continue
		}
		want := strings.Replace(test.notes, "date-repaired", "date-is-import-time", 1)
		if all := held(t, sim); err != nil || fmt.Sprint(stored.Notes) != want || len(all) != 1 || !bytes.Equal(all[0].Octets, m.Body.(targettest.Octets)) {
			t.Errorf("%s: notes %s, error %v, want %s", test.name, stored.Notes, err, want)
		}
	}
}

func TestAHeaderThatCannotBeRepairedIsRefusedForThatReason(t *testing.T) {
	_, server := serve(t, gmailsim.Options{})
	_, err := open(t, repairing(server.URL)).Append(t.Context(), inbox, targettest.Message([]byte("A: b\r\nno field\r\n\r\nbody"), ""))
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Permanent || !strings.Contains(e.Hint, "damaged") {
		t.Errorf("the error is %#v", err)
	}
}

func TestABadRequestIsBlamedOnFromOnlyIfItHasTwoAddresses(t *testing.T) {
	var sent atomic.Int64
	_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			io.WriteString(w, `{"historyId":"1"}`)
			return
		}
		sent.Add(1)
		w.WriteHeader(400)
		io.WriteString(w, `{"error":{"code":400,"message":"Bad Request","errors":[{"reason":"badRequest"}]}}`)
	})
	target := open(t, repairing(server.URL))
	for from, want := range map[string]int64{"ann@example.org": 1, "ann@example.org, bob@example.org": 2, "ann@example.org\r\nFrom: bob@example.org": 2, "ann@example.org; bob@example.org": 2} {
		sent.Store(0)
		_, err := target.Append(t.Context(), inbox, targettest.Message([]byte(dated+"From: "+from+"\r\n\r\nbody"), ""))
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Permanent || strings.Contains(e.Hint, "From") || sent.Load() != want {
			t.Errorf("From %q: %d requests, want %d; the error is %#v", from, sent.Load(), want, err)
		}
	}
}

func TestADateIsOnlyRepairedIfTheSourceKnowsABetterOne(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{})
	m := targettest.Message([]byte("From: ann@example.org\r\n\r\nbody"), "")
	m.InternalDate = time.Time{}
	for _, folder := range []migrate.FolderID{inbox, draft} {
		stored, err := open(t, repairing(server.URL)).Append(t.Context(), folder, m)
		if err != nil || fmt.Sprint(stored.Notes) != "[date-is-import-time]" {
			t.Errorf("%s: notes %s, error %v", folder, stored.Notes, err)
		}
		m.InternalDate = targettest.Date // for a draft, which is dated by its import
	}
	for _, h := range held(t, sim) {
		if !bytes.Equal(h.Octets, m.Body.(targettest.Octets)) {
			t.Errorf("Gmail has %q", h.Octets)
		}
	}
}

func TestADateFarFromTheReceivedOneIsNotedAndKept(t *testing.T) {
	for far, want := range map[time.Duration]string{
		0: "[]", 7 * 24 * time.Hour: "[]", -7 * 24 * time.Hour: "[]",
		7*24*time.Hour + time.Second: "[date-differs]", -7*24*time.Hour - time.Second: "[date-differs]", 290 * 365 * 24 * time.Hour: "[date-differs]",
	} {
		sim, server := serve(t, gmailsim.Options{})
		m := targettest.Letter("far")
		m.InternalDate = targettest.Date.Add(far)
		stored, err := open(t, repairing(server.URL)).Append(t.Context(), inbox, m)
		if all := held(t, sim); err != nil || fmt.Sprint(stored.Notes) != want || len(all) != 1 || !bytes.Equal(all[0].Octets, m.Body.(targettest.Octets)) || !all[0].Date.Equal(targettest.Date) {
			t.Errorf("%v: notes %s, error %v, want %s", far, stored.Notes, err, want)
		}
	}
}

func TestALargeMessageIsRepairedOnItsWay(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{})
	text := "From: ann@example.org\r\nDate: when\r\n\r\n" + strings.Repeat("0123456789abcdef\r\n", singleRequest/10)
	stored, err := open(t, repairing(server.URL)).Append(t.Context(), inbox, targettest.Message([]byte(text), ""))
	want := dated + top + "date\r\n" + strings.Replace(text, "Date: when", renamed+"Date: when", 1)
	if all := held(t, sim); err != nil || len(all) != 1 || string(all[0].Octets) != want {
		t.Errorf("notes %s, error %v, %d messages", stored.Notes, err, len(all))
	}
}

func TestARepairedBodyReadsTheSameInAnyPieces(t *testing.T) {
	text := "A: b\r\nDate: x\r\nFrom: y\r\n" + renamed + "Z: z\r\n\r\nbody\r\n"
	m := targettest.Message([]byte(text), "")
	h, err := readHead(m)
	if err != nil {
		t.Fatal(err)
	}
	form := h.repair(m, []Repair{RepairDate, RepairFrom})
	r, err := form.Body.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	whole, err := io.ReadAll(r)
	if err != nil || int64(len(whole)) != form.Size || form.Digest == m.Digest {
		t.Fatalf("%d octets of %d, error %v", len(whole), form.Size, err)
	}
	for at := range whole {
		if n, err := r.Seek(int64(at)-form.Size, io.SeekEnd); n != int64(at) || err != nil {
			t.Fatalf("seek to %d: %d, %v", at, n, err)
		}
		if rest, err := io.ReadAll(iotest.OneByteReader(r)); err != nil || !bytes.Equal(rest, whole[at:]) {
			t.Fatalf("from %d on: %q, error %v", at, rest, err)
		}
	}
	if _, err := r.Seek(-1, io.SeekStart); err == nil {
		t.Error("a seek before the start is taken")
	}
	before, repairs, err := restored(bytes.NewReader(append([]byte("Received: by google.com\r\n"), whole...)))
	if err != nil || !slices.Equal(repairs, []Repair{RepairDate, RepairFrom}) {
		t.Fatalf("repairs %v, error %v", repairs, err)
	}
	if got, err := io.ReadAll(before); err != nil || string(got) != text {
		t.Errorf("restored to %q, error %v, want %q", got, err, text)
	}
}

func TestARepairedCopyIsKnownWhateverItsLineEnds(t *testing.T) {
	const source = "Date: x\nFrom: a\n\nbody\rend"
	m := targettest.Message([]byte(source), "")
	repaired := dated + top + "date\r\n" + renamed + source
	for raw, want := range map[string]match{
		repaired:                                 copied,
		"Received: by google.com\r\n" + repaired: copied,
		"Received: by elsewhere\r\nX: y\n" + repaired:                                                                    copied,
		"Received: by google.com\r\n" + dated + top + "date\r\n" + renamed + "Date: x\r\nFrom: a\r\n\r\nbody\r\nend\r\n": copied,
		"Received: by google.com\r\n" + dated + top + "date\r\n" + renamed + "Date: x\r\nFrom: a\r\n\r\nb0dy\r\nend\r\n": differs,
		"\r\n" + repaired: differs, // that is a body
		dated + top + "date\r\n" + renamed + repaired:    differs, // repaired twice
		strings.Replace(repaired, renamed, "", 1):        copied,  // renamed back
		strings.Replace(repaired, top+"date\r\n", "", 1): differs,
		strings.Repeat("X: y\r\n", maxHeader) + repaired: differs,
	} {
		got, _, err := compareFile(strings.NewReader(raw), int64(len(raw)), m)
		if err != nil || got != want {
			t.Errorf("%.150q: %v, error %v, want %v", raw, got, err, want)
		}
	}
}

func FuzzARepairIsUndone(f *testing.F) {
	f.Add([]byte("A: b\r\nDate: x\r\n\r\nbody"))
	f.Add([]byte(renamed + "A: b\nFrom: x"))
	f.Add([]byte(strings.Repeat("From: "+strings.Repeat("x", 5000)+"\n y\n", 3)))
	f.Fuzz(func(t *testing.T, text []byte) {
		m := targettest.Message(text, "")
		h, err := readHead(m)
		if err != nil {
			t.Fatal(err)
		}
		if before, _, err := restored(bytes.NewReader(text)); err != nil {
			t.Fatal(err)
		} else if before != nil {
			io.Copy(io.Discard, before)
		}
		if !h.sound {
			return
		}
		r, err := h.repair(m, []Repair{RepairDate, RepairFrom}).Body.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		whole, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		before, _, err := restored(bytes.NewReader(whole))
		if err != nil || before == nil {
			t.Fatalf("%q is not known to be repaired, error %v", whole, err)
		}
		if got, err := io.ReadAll(before); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%q becomes %q, error %v", text, got, err)
		}
	})
}
