package main

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/cmd/mailhaul/notify"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
)

func TestAWholeRunTellsHowItEnded(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann", "bob")
	_, gmail := gmailFor(t, gmailsim.Options{}, nil)
	h := &hook{}
	s := httptest.NewServer(h)
	defer s.Close()
	o.write(t, "url", s.URL+secretPath+"\n")
	o.write(t, "wrong", "ent1rely-wrong\n")
	config := o.migration(t, "gmail", gmail, "", "[notify]\nwebhook_url_file = \"url\"\nping_url_file = \"url\"\n[metrics]\nlisten = \"127.0.0.1:0\"", "ann", "bob")
	ends(t, exitDone, []string{"run", "--config", config})
	events, pings := h.seen()
	if len(events) != 1 || events[0].Kind != notify.Done || events[0].Tally.Messages != 2*officeMail || events[0].Tally.New != 2*officeMail {
		t.Errorf("%+v", events)
	}
	if n := len(pings); n < 2 || pings[0] != secretPath+"/start" || pings[n-1] != secretPath {
		t.Errorf("%q", pings)
	}

	o.write(t, "mailboxes.csv", "source,target,password_file\nann@example.com,ann@example.org,\nbob@example.com,bob@example.org,wrong\n")
	out := ends(t, exitStopped, []string{"run", "--config", config})
	events, pings = h.seen()
	if n := len(events); n == 0 || events[n-1].Kind != notify.Stopped || events[n-1].Tally.Trouble != 1 {
		t.Errorf("%+v", events)
	}
	for _, e := range events {
		if strings.Contains(e.Text+e.Hint+e.Mailbox+e.Reason, "bob") {
			t.Errorf("%+v", e)
		}
	}
	if !slices.Contains(pings, secretPath+"/fail") || strings.Contains(out, "zqsecretzq") {
		t.Errorf("%q: %s", pings, out)
	}

	h.answer(404)
	code, stdout, stderr := mailhaul(t.Context(), "run", "--config", config)
	if code != exitStopped || strings.Contains(stdout+stderr, "zqsecretzq") || !strings.Contains(stderr, `the notification "stopped" of `) || !strings.Contains(stderr, "404 Not Found") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
