package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"github.com/mailhaul/mailhaul/cmd/mailhaul/logs"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// What stands in every message of these tests, and must not be written down.
const (
	subjectMarker = "subject-that-nobody-may-read"
	bodyMarker    = "body-that-nobody-may-read"
)

// confidential is the i-th message, with an attachment of so many octets.
func confidential(i, attachment int, from string) string {
	return fmt.Sprintf("%sTo: all@example.com\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\nMessage-ID: <confidential-%d@example.com>\r\n"+
		"Subject: %s %[2]d\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n%s\r\n"+
		"--b\r\nContent-Type: text/plain; name=x.txt\r\nContent-Disposition: attachment; filename=x.txt\r\n\r\n%s\r\n--b--\r\n",
		from, i, subjectMarker, bodyMarker, strings.Repeat(bodyMarker+"\r\n", attachment/(len(bodyMarker)+2)))
}

// An echo answers the first write with an error that repeats what it was sent in
// the header, as a proxy may, and the second one, and the first login, with one
// that repeats what it was sent in the body.
type echo struct {
	writes, logins atomic.Int64
	on             atomic.Bool
}

func (e *echo) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		login := strings.HasSuffix(r.URL.Path, "/token")
		if e.on.Load() && r.Method == http.MethodPost && (r.ContentLength > 200 || r.ContentLength < 0) {
			n := e.writes.Add
			if login {
				n = func(int64) int64 { return 1 + e.logins.Add(1) }
			}
			switch n(1) {
			case 1:
				w.Header().Set("Set-Cookie", officeToken)
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusServiceUnavailable)
				json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": 503, "message": "not now: " + r.Header.Get("Authorization"), "raw": bodyMarker}})
				return
			case 2:
				w.WriteHeader(http.StatusServiceUnavailable)
				io.Copy(w, io.LimitReader(r.Body, 1000))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func TestNeitherSecretsNorMailAreInTheLogOrInATrace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, kind, route, format, login string }{
		{"Gmail, with a token", "gmail", "import", "text", ""},
		{"Gmail, with a service account", "gmail", "auto", "json", "account"},
		{"Microsoft 365, imported", "graph", "auto", "json", ""},
		{"Microsoft 365, rebuilt", "graph", "json", "text", "entra"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			ann := o.person(t, "ann")
			for i, size := range []int{100, 5_000, 7 << 20} {
				put(t, ann, "INBOX", confidential(i, size, "From: ann@example.com\r\n"))
			}
			put(t, ann, "Sent", confidential(3, 10, "")) // Gmail takes no message without From
			const other = "an0ther-passw0rd"
			bob := imapmemserver.NewUser("bob@example.com", other)
			o.mail.AddUser(bob)
			var url string
			var e echo
			secret := officeToken
			switch c.kind {
			case "gmail":
				_, url = gmailFor(t, gmailsim.Options{}, e.wrap)
			case "graph":
				_, url = graphFor(t, graphsim.Options{}, e.wrap)
			}
			config := o.migration(t, c.kind, url, "", "", "ann", "bob")
			edit(t, config, `route = "`, `route = "`+c.route+`" # "`)
			edit(t, config, "[run]", "[transform]\nfrom = \"never\"\n[log]\nlevel = \"debug\"\nformat = \""+c.format+"\"\n[run]")
			switch c.login {
			case "account":
				serviceAccount(t, config)
			case "entra":
				secret = entraToken(t, url)
				o.write(t, "token", secret+"\n")
			}
			trace := func(command string) string { return filepath.Join(o.dir, command+".trace") }
			for _, command := range []string{"check", "run", "verify --depth content"} {
				name, _, _ := strings.Cut(command, " ")
				e.on.Store(name == "run")
				code, stdout, stderr := mailhaul(t.Context(), append(strings.Fields(command), "--config", config, "--trace", trace(name))...)
				ended(t, command, code, map[string]int{"check": exitPerson, "run": exitStopped, "verify": exitStopped}[name], stdout+stderr, trace(name))
			}
			files := map[string][]string{ // with what must be in them
				filepath.Join(o.dir, "mailhaul.log"): {"begins", "ends", "exit_code", "verify", "version", "mailbox begins", "mailbox ends", "waits", "503"},
				trace("check"):                       {" > T1 AUTHENTICATE [redacted]", "[AUTHENTICATIONFAILED]", "> GET http", "< 200 OK"},
				trace("run"):                         {"EXAMINE", "BODY[", " octets] )", "> POST http", "503 Service Unavailable", "not shown Authorization", "not now: "},
				trace("verify"):                      {"FETCH", "> GET http"},
			}
			for file, want := range files {
				text := private600(t, file)
				for _, leak := range []string{officePassword, officeToken, secret, other, subjectMarker, bodyMarker, subjectMarker[:12], bodyMarker[:10], "PRIVATE KEY", "eyJ"} {
					if i := strings.Index(text, leak); i >= 0 {
						t.Errorf("%s: %q shows in %q", filepath.Base(file), leak, text[max(0, i-200):min(len(text), i+100)])
					}
				}
				for _, w := range want {
					if !strings.Contains(text, w) {
						t.Errorf("%s: no %q in\n%.3000s", filepath.Base(file), w, text)
					}
				}
				if c.format == "json" && strings.HasSuffix(file, ".log") {
					for line := range strings.Lines(text) {
						if !json.Valid([]byte(line)) {
							t.Errorf("not JSON: %q", line)
						}
					}
				}
			}
		})
	}
}

// private600 returns the text of a file that only its owner may read.
func private600(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("%s: %v, %v", file, info.Mode(), err)
	}
	return string(text)
}

func TestTheLogIsNamedAtBothEndsOfARunAndGoesOn(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	_, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "", "", "ann")
	log := filepath.Join(o.dir, "mailhaul.log")
	for range 2 {
		code, stdout, stderr := mailhaul(t.Context(), "run", "--config", config)
		ended(t, "run", code, exitDone, stdout+stderr)
		if n := strings.Count(stderr, "The log is "+log+"\n"); n != 2 {
			t.Errorf("it is named %d times in\n%s", n, stderr)
		}
	}
	ends(t, exitDone, []string{"retry", "--config", config})
	ends(t, exitDone, []string{"status", "--config", config})
	ends(t, exitDone, []string{"check", "--config", config})
	text := private600(t, log)
	for what, want := range map[string]int{"msg=begins command=run": 2, "msg=ends command=run exit_code=0": 2, "msg=begins command=retry": 1, "command=status": 0, "command=check": 0} {
		if n := strings.Count(text, what); n != want {
			t.Errorf("%q is there %d times, want %d:\n%s", what, n, want, text)
		}
	}
	if !strings.Contains(text, "config="+config) || !strings.Contains(text, "jobs=4") || !strings.Contains(text, "target=gmail") {
		t.Errorf("the begin does not say what ran:\n%s", text)
	}
}

func TestARunWhoseLogCannotBeWrittenDoesNotStart(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	o.write(t, "file", "x")
	for _, file := range []string{"missing/run.log", ".", "file/run.log"} {
		config := o.migration(t, "gmail", "http://127.0.0.1:1", "", "", "ann")
		edit(t, config, "[run]", fmt.Sprintf("[log]\nfile = %q\n[run]", file))
		for _, command := range []string{"run", "verify", "retry"} {
			ends(t, exitError, []string{command, "--config", config}, "the log cannot be written", "name another file with file in [log]", filepath.Join(o.dir, file))
		}
	}
	o.untouched(t)
}

func TestALogThatIsOffIsNotMade(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	_, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "", "", "ann")
	edit(t, config, "[run]", "[log]\nlevel = \"off\"\n[run]")
	code, _, stderr := mailhaul(t.Context(), "run", "--config", config)
	ended(t, "run", code, exitDone, stderr)
	if files, _ := filepath.Glob(filepath.Join(o.dir, "*.log*")); files != nil || strings.Contains(stderr, "log") {
		t.Errorf("%q, %s", files, stderr)
	}
}

func TestTheLogIsBesideTheCheckpointsUnlessItIsNamed(t *testing.T) {
	for run, want := range map[string]string{
		"":                                        "mailhaul.log",
		"checkpoints = 'state/client.db'":         "state/client.log",
		"checkpoints = 'client'":                  "client.log",
		"checkpoints = 'x.log'":                   "x.log.log",
		"[log]\nfile = 'logs/client.txt'":         "logs/client.txt",
		"checkpoints = 'a.db'\n[log]\nfile = 'b'": "b",
	} {
		path := written(t, "mailhaul.toml", sound+"[run]\n"+run+"\n")
		c, err := loadConfig(path)
		if err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(filepath.Dir(path), want); c.Log.File != want {
			t.Errorf("%q: %s, want %s", run, c.Log.File, want)
		}
	}
}

func TestMistakesInTheSectionOnTheLogAreNamed(t *testing.T) {
	_, err := loadConfig(written(t, "mailhaul.toml", sound+"[log]\nlevel = 'loud'\nformat = 'xml'\nmax_size = '1MB'\nmax_files = 0\nfile = 'mailhaul.db'\n"))
	want := "mailhaul.toml:8:1: log.level: \"loud\" is none of \"debug\", \"info\", \"warn\", \"error\", \"off\"\n" +
		"mailhaul.toml:9:1: log.format: \"xml\" is none of \"text\", \"json\"\n" +
		"mailhaul.toml:10:1: log.max_size: want a size from 1MiB to 1TiB, as in max_size = \"10MiB\", not \"1MB\"\n" +
		"mailhaul.toml:11:1: log.max_files: 0 is not between 1 and 1000\n" +
		"mailhaul.toml:12:1: log.file: must be another file than checkpoints in [run]"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestALogSaysThatTheRunWasToldToStop(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	ctx, stop := context.WithCancelCause(t.Context())
	_, url := gmailFor(t, gmailsim.Options{}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			stop(errInterrupted)
			next.ServeHTTP(w, r)
		})
	})
	config := o.migration(t, "gmail", url, "", "", "ann")
	code, stdout, stderr := mailhaul(ctx, "run", "--config", config)
	ended(t, "run", code, exitInterrupted, stdout+stderr)
	text := private600(t, filepath.Join(o.dir, "mailhaul.log"))
	for _, want := range []string{`msg="is told to stop" command=run cause=interrupted`, "exit_code=130"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

func TestATraceOverwritesNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	config := o.migration(t, "gmail", "http://127.0.0.1:1", "", "", "ann")
	for _, command := range []string{"check", "run", "verify"} {
		ends(t, exitUsage, []string{command, "--config", config, "--trace", filepath.Join(o.dir, "password")}, "--trace: ", "Name a file that does not exist")
	}
	if text, err := os.ReadFile(filepath.Join(o.dir, "password")); err != nil || string(text) != officePassword+"\n" {
		t.Errorf("%q, %v", text, err)
	}
	o.untouched(t)
}

func TestEverySecretThatIsFetchedIsKeptOutOfTheLog(t *testing.T) {
	t.Setenv("MAILHAUL_TEST_SECRET", "a webhook's address")
	s, err := SecretRef{Env: "MAILHAUL_TEST_SECRET"}.Resolve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	slog.New(logs.NewHandler(&out, "text", slog.LevelInfo, &secrets)).Info("x", "said", "post "+s.Reveal()+" failed")
	if !strings.Contains(out.String(), `said="post [redacted] failed"`) {
		t.Error(out.String())
	}
}

func TestTheEventsOfARunAreInItsLog(t *testing.T) {
	var out strings.Builder
	tell := logEvents(slog.New(logs.NewHandler(&out, "text", slog.LevelInfo, new(logs.Secrets))))
	at := time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)
	tell(event{Kind: paused, Time: at, Text: "all wait", Mailbox: "ann@example.com", Reason: "import: HTTP 401", Hint: "Renew it.", Until: at.Add(time.Hour)})
	tell(event{Kind: passEnded, Time: at, Text: "a pass ended", Tally: tally{Mailboxes: 2, Messages: 5, Failed: 1}})
	want := `time=2026-11-22T01:02:03.000Z level=WARN msg=paused text="all wait" mailbox=ann@example.com reason="import: HTTP 401" hint="Renew it." until=2026-11-22T02:02:03.000Z
time=2026-11-22T01:02:03.000Z level=INFO msg="pass ended" text="a pass ended" tally.mailboxes=2 tally.complete=0 tally.trouble=0 tally.messages=5 tally.bytes=0 tally.new=0 tally.failed=1 tally.pending=0
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestTheDigestOfAConfigurationHoldsNoSecret(t *testing.T) {
	digest := func(c Config) string {
		for _, a := range c.origin("x", newRunCommand().Flags()) {
			if a.Key == "digest" {
				return a.Value.String()
			}
		}
		return ""
	}
	a, b := defaults(), defaults()
	a.Source.PasswordCommand, b.Source.PasswordCommand = []string{"echo", "secret"}, []string{"echo", "other"}
	if digest(a) != digest(b) {
		t.Error("it depends on the arguments of a command")
	}
	b.Source.PasswordCommand[0] = "print"
	if digest(a) == digest(b) || digest(a) == digest(defaults()) {
		t.Error("it does not depend on the command")
	}
}
