package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/mailhaul/mailhaul/cmd/mailhaul/notify"
)

const secretPath = "/hooks/zqsecretzq"

// A hook notes what is posted to it.
type hook struct {
	mu     sync.Mutex
	events []notify.Event
	pings  []string
	code   int
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.code != 0 {
		w.WriteHeader(h.code)
		return
	}
	if r.Method == http.MethodGet {
		h.pings = append(h.pings, r.URL.Path)
		return
	}
	var e notify.Event
	if err := json.NewDecoder(r.Body).Decode(&e); err == nil && r.URL.Path == secretPath {
		h.events = append(h.events, e)
	}
}

// answer makes it answer with a code.
func (h *hook) answer(code int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.code = code
}

// seen returns what came since it was asked last.
func (h *hook) seen() (events []notify.Event, pings []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	events, pings, h.events, h.pings = h.events, h.pings, nil, nil
	return events, pings
}

// hooked is a configuration whose notifications go to h.
func hooked(t *testing.T, h *hook, more string) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	config := written(t, "mailhaul.toml", sound+"[notify]\nwebhook_url_file = 'url'\nping_url_file = 'url'\n"+more)
	dir := filepath.Dir(config)
	for name, text := range map[string]string{"url": s.URL + secretPath + "\n", "mailboxes.csv": "source,target,password_env\nann@example.com,ann@example.org,X\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return config
}

func TestCheckSendsATestByEachWay(t *testing.T) {
	t.Parallel()
	h := &hook{}
	config := hooked(t, h, "name = 'Acme'\n")
	out := ends(t, exitDone, []string{"check", "--notify", "--config", config}, "by webhook: a test was sent", "by ping: a test was sent")
	if events, pings := h.seen(); len(events) != 1 || events[0].Kind != notify.Test || events[0].Migration != "Acme" || len(pings) != 1 || strings.Contains(out, "zqsecretzq") {
		t.Errorf("%+v %q after %s", events, pings, out)
	}
	h.answer(http.StatusNotFound)
	out = ends(t, exitPerson, []string{"check", "--notify", "--config", config}, "the answer is 404 Not Found", "See that the URL is right", "2 tests were not sent")
	if strings.Contains(out, "zqsecretzq") || strings.Contains(out, "127.0.0.1") {
		t.Errorf("it prints the URL: %s", out)
	}
	ends(t, exitError, []string{"check", "--notify", "--config", hooked(t, h, "smtp_host = 'localhost'\nto = ['a@example.com']\nsmtp_ca_file = 'url'\n")}, "smtp_ca_file", "no certificate in it")
}

func TestTheURLOfAWebhookIsInNoOutput(t *testing.T) {
	t.Parallel()
	config := written(t, "mailhaul.toml", sound+"[notify]\nwebhook_url = 'https://example.com/zqsecretzq'\n")
	if out := ends(t, exitError, []string{"check", "--config", config}, "secrets do not belong in this file"); strings.Contains(out, "zqsecretzq") {
		t.Error(out)
	}
}

func TestABadNotifySectionIsExplained(t *testing.T) {
	const line = "mailhaul.toml:8:1: "
	for text, want := range map[string]string{
		"privacy = 'none'":            line + `notify.privacy: "none" is none of "full", "masked", "hashed"`,
		"privacy = 'hashed'":          line + `notify.privacy: "hashed" and a key go together: set hash_key_file, hash_key_command or hash_key_env`,
		"after = '1'":                 line + `notify.after: want a time from 60 s to 30 d 0 h, as in "90m", not "1"`,
		"after = '-1h'":               line + `notify.after: want a time from 60 s to 30 d 0 h, as in "90m", not "-1h"`,
		"ping_every = '1s'":           line + `notify.ping_every: want a time from 60 s to 24 h 0 min, as in "90m", not "1s"`,
		"digest = '7'":                line + `notify.digest: want a time of day, as in digest = "07:00", or "" for none, not "7"`,
		"smtp_host = 'h'":             line + "notify.smtp_host: smtp_host and to go together: say who gets the mail",
		"smtp_host = 'smtp://h'":      line + `notify.smtp_host: "smtp://h" is not a host name: write the name alone, and the port in smtp_port`,
		"smtp_port = 0":               line + "notify.smtp_port: 0 is not between 1 and 65535",
		"smtp_tls = 'ssl'":            line + `notify.smtp_tls: "ssl" is none of "implicit", "starttls", "none"`,
		"from = 'me'":                 line + `notify.from: "me" is not an address, as in anna@example.com`,
		`from = "a@b\r\nBcc: c@d"`:    line + `notify.from: "a@b\r\nBcc: c@d" is not an address, as in anna@example.com`,
		"to = ['a@example.com', 'b']": line + `notify.to: "b" is not an address, as in anna@example.com`,
		"to = ['']":                   line + `notify.to: "" is not an address, as in anna@example.com`,
		"webhook_url_env = 'A'\nwebhook_url_file = 'b'":               line + "notify.webhook_url: set only one of webhook_url_file, webhook_url_command and webhook_url_env",
		"to = ['a@example.com']\nsmtp_host = 'h'\nsmtp_tls = 'none'":  `mailhaul.toml:10:1: notify.smtp_tls: "none" is for this machine only: use "starttls" or "implicit"`,
		"to = ['a@example.com']\nsmtp_host = 'h'\nsmtp_user = 'none'": "mailhaul.toml:10:1: notify.smtp_user: smtp_user and smtp_password_file, smtp_password_command or smtp_password_env go together",
		"[metrics]\nlisten = '0.0.0.0:9464'":                          `mailhaul.toml:9:1: metrics.listen: "0.0.0.0:9464" is not an address on this machine: want a port of this machine, as in listen = "127.0.0.1:9464"`,
		"[metrics]\nlisten = '127.0.0.1:http'":                        `mailhaul.toml:9:1: metrics.listen: "127.0.0.1:http" has no port in numbers: want a port of this machine, as in listen = "127.0.0.1:9464"`,
	} {
		if _, err := loadConfig(written(t, "mailhaul.toml", sound+"[notify]\n"+text+"\n")); err == nil || err.Error() != want {
			t.Errorf("%s:\ngot  %v\nwant %s", text, err, want)
		}
	}
}

func TestUsersOfTheMailboxesGetNoNotifications(t *testing.T) {
	for _, to := range []string{"ann@example.com", "ANN@example.org"} {
		h := &hook{}
		_, _, err := loadMigration(hooked(t, h, fmt.Sprintf("to = ['me@example.net', %q]\n", to)))
		if want := "mailhaul.toml: notify.to: " + to + " is a mailbox that moves (line 2 of the list): notifications are for you, not for its users"; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, _, err := loadMigration(hooked(t, &hook{}, "to = ['me@example.net']\n")); err != nil {
		t.Error(err)
	}
}

func TestARunIsToldToTheWebhookAndTheMonitor(t *testing.T) {
	t.Parallel()
	h := &hook{}
	c, ms, err := loadMigration(hooked(t, h, ""))
	if err != nil {
		t.Fatal(err)
	}
	tell, end, err := c.announce(t.Context(), ms, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	tell(event{Kind: needsPerson, Mailbox: "ann@example.com", Text: "1 mailbox needs a person.", Hint: "See to ann@example.org.", Reason: "secret folder"})
	tell(event{Kind: done, Text: "All is done."})
	end()
	events, pings := h.seen()
	if len(events) != 2 || events[0].Mailbox != "a***@example.com" || events[0].Hint != "See to a***@example.org." || events[0].Reason != "" || events[1].Kind != notify.Done {
		t.Errorf("%+v", events)
	}
	if n := len(pings); n < 2 || pings[0] != secretPath+"/start" || pings[n-1] != secretPath {
		t.Errorf("%q", pings)
	}
}

// The example in the documentation has every field, and no other.
func TestTheDocumentationShowsAnEvent(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "notifications.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```json\n(.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatal("no example")
	}
	d := json.NewDecoder(strings.NewReader(string(block[1])))
	d.DisallowUnknownFields()
	var e notify.Event
	if err := d.Decode(&e); err != nil {
		t.Fatal(err)
	}
	again, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(block[1])) != string(again) || e.Version != notify.Version {
		t.Errorf("the example is\n%s\nwhich comes back as\n%s", block[1], again)
	}
	for _, v := range []reflect.Value{reflect.ValueOf(e), reflect.ValueOf(*e.Tally)} {
		for field, value := range v.Fields() {
			if value.IsZero() && field.Tag.Get("json") != "-" {
				t.Errorf("the example has no %s", field.Tag.Get("json"))
			}
		}
	}
	for _, kind := range []notify.Kind{notify.Done, notify.Stopped, notify.NeedsPerson, notify.Paused, notify.Resumed, notify.Digest, notify.Test} {
		if !strings.Contains(string(text), "| `"+string(kind)+"` |") {
			t.Errorf("kind %s has no row", kind)
		}
	}
}
