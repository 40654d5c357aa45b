package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/spf13/cobra"

	"github.com/mailhaul/mailhaul/migrate/migratetest"
)

func newDemoCommand() *cobra.Command {
	var out string
	var keep bool
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run a whole migration on this machine, without credentials",
		Long: `demo starts an IMAP server with three generated mailboxes and the simulators of
Gmail and Microsoft Graph, all in this process and on loopback addresses, and
runs check, plan, run, verify, status, report and report check for both targets.
Some of the messages are broken on purpose, so some need a person at the end: that
is part of the show. It ends with how long both took, and how long the plans said.

The folder is a complete migration afterwards: mailhaul.toml (to Gmail),
mailhaul-graph.toml, mailboxes.csv, the plans (plan.html, .xlsx and .json, and
plan-graph.html and so on), the checkpoints, status-gmail.json and
status-graph.json, and the reports for the client: report/report.html, .xlsx and
.json with the public key report.pub, and the same for Microsoft 365 in
report-graph. With --keep-serving the servers stay up until Ctrl-C, and every
other command can be tried on it.

Exit codes:
  0    both migrations ended, their sums close, all that arrived is verified, and
       the reports are what was signed
  1    fatal error
  2    the command line is wrong
  130  interrupted`,
		RunE: func(c *cobra.Command, _ []string) error {
			return demo(c.Context(), out, keep, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&out, "out", "", "`folder` for the migration; made if missing, must be empty (default: a temporary one)")
	c.Flags().BoolVar(&keep, "keep-serving", false, "leave the servers up until Ctrl-C")
	return c
}

const demoPassword = "correct horse battery staple"

func demo(ctx context.Context, out string, keep bool, stdout, stderr io.Writer) error {
	out, err := emptyFolder(out)
	if err != nil {
		return err
	}
	mailboxes := migratetest.Demo()
	imapAddr, messages, stop, err := demoServer(mailboxes)
	if err != nil {
		return err
	}
	defer stop()
	urls := map[string]string{}
	for kind, quota := range map[string]string{"gmail": "legacy", "graph": "documented"} {
		sim, err := newSimulator(kind, quota, "", 0, 1, nil)
		if err != nil {
			return err
		}
		defer sim.Close()
		url, stop, err := serve("127.0.0.1:0", sim)
		if err != nil {
			return err
		}
		defer stop()
		urls[kind] = url
	}
	if err := writeDemo(out, imapAddr, urls, mailboxes); err != nil {
		return err
	}
	fmt.Fprintf(stderr, "An IMAP server with %s in %d mailboxes, Gmail and Microsoft Graph are up, all on this machine.\nThe migration is in %s\n",
		count(messages, "message", "messages"), len(mailboxes), out)

	var times []planTook
	for _, target := range []struct{ kind, name, config, plan, report string }{
		{"gmail", "Gmail", "mailhaul.toml", "plan", "report"},
		{"graph", "Microsoft 365", "mailhaul-graph.toml", "plan-graph", "report-graph"},
	} {
		config := filepath.Join(out, target.config)
		took := map[string]time.Duration{}
		for _, command := range []string{"check", "plan --verify content", "run", "verify --depth content"} {
			fmt.Fprintf(stderr, "\n== mailhaul %s (%s)\n", command, target.name)
			name, _, _ := strings.Cut(command, " ")
			args := append(strings.Fields(command), "--config", config)
			if name == "plan" {
				args = append(args, "--out", filepath.Join(out, target.plan))
			}
			begun := time.Now()
			if code := execute(ctx, args, stdout, stderr); code != exitDone && (code != exitPerson || name != "run") {
				return &codeError{code, nil}
			}
			took[name] = time.Since(begun)
		}
		t, err := plannedTime(filepath.Join(out, target.plan))
		if err != nil {
			return err
		}
		t.target, t.took = target.name, took["run"]+took["verify"]
		times = append(times, t)
		var status bytes.Buffer
		if code := execute(ctx, []string{"status", "--json", "--config", config}, &status, stderr); code != exitDone && code != exitPerson {
			return &codeError{code, nil}
		}
		if err := os.WriteFile(filepath.Join(out, "status-"+target.kind+".json"), status.Bytes(), 0o600); err != nil {
			return err
		}
		report := filepath.Join(out, target.report)
		fmt.Fprintf(stderr, "\n== mailhaul report (%s)\n", target.name)
		if code := execute(ctx, []string{"report", "--config", config, "--out", report}, stdout, stderr); code != exitDone {
			return &codeError{code, nil}
		}
		fmt.Fprintf(stderr, "\n== mailhaul report check (%s)\n", target.name)
		if code := execute(ctx, []string{"report", "check", filepath.Join(report, reportJSON)}, stdout, stderr); code != exitDone {
			return &codeError{code, nil}
		}
	}
	fmt.Fprintf(stderr, "\nBoth migrations ended, and for every mailbox listed = copied + merged + adopted + moved + removed + excluded + failed + gone + pending.\n"+
		"All that arrived was read back and compared with the source: arrived = present, and no difference was found.\n"+
		"The reports for the client are signed, and were checked:\n  %s\n  %s\n"+
		"The plans were made before:\n  %s\n  %s\n",
		filepath.Join(out, "report", reportHTML), filepath.Join(out, "report-graph", reportHTML),
		filepath.Join(out, planHTML), filepath.Join(out, "plan-graph.html"))
	printTook(stderr, times)
	if keep {
		fmt.Fprintf(stderr, "The servers stay up until Ctrl-C. In another terminal:\n  cd %s\n  mailhaul status\n  mailhaul verify --config mailhaul-graph.toml\n", out)
		<-ctx.Done()
	}
	return nil
}

// emptyFolder returns the absolute path of a folder that is empty and private.
func emptyFolder(path string) (string, error) {
	if path == "" {
		return os.MkdirTemp("", "mailhaul-demo-")
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return "", err
	}
	if len(entries) > 0 {
		return "", fmt.Errorf("%s is not empty: name another folder with --out, or remove it", path)
	}
	return filepath.Abs(path)
}

// demoServer serves generated mailboxes over IMAP on a loopback address.
func demoServer(mailboxes []migratetest.Mailbox) (addr string, messages int64, stop func(), err error) {
	mem := imapmemserver.New()
	for _, m := range mailboxes {
		user := imapmemserver.NewUser(m.User, demoPassword)
		for i, f := range m.Folders {
			name := strings.Join(f.Path, "/")
			if err := user.Create(name, nil); err != nil {
				return "", 0, nil, err
			}
			for msg := range m.All(i) {
				flags := make([]imap.Flag, len(msg.Flags))
				for i, f := range msg.Flags {
					flags[i] = imap.Flag(f)
				}
				if _, err := user.Append(name, literal{bytes.NewReader(msg.Octets)}, &imap.AppendOptions{Flags: flags, Time: msg.InternalDate}); err != nil {
					return "", 0, nil, err
				}
				messages++
			}
		}
		mem.AddUser(user)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", 0, nil, err
	}
	return l.Addr().String(), messages, serveIMAP(l, mem), nil
}

// serveIMAP answers IMAP on l, which is at a loopback address or speaks TLS,
// until stop is called.
func serveIMAP(l net.Listener, mem *imapmemserver.Server) (stop func()) {
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return mem.NewSession(), nil, nil
		},
		Caps:         imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIMAP4rev2: {}},
		InsecureAuth: true,
		Logger:       log.New(io.Discard, "", 0),
	})
	go server.Serve(l)
	return func() { server.Close() }
}

// literal is a message as the IMAP server takes it.
type literal struct{ *bytes.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }

// writeDemo writes the migration folder.
func writeDemo(out, imapAddr string, urls map[string]string, mailboxes []migratetest.Mailbox) error {
	host, port, err := net.SplitHostPort(imapAddr)
	if err != nil {
		return err
	}
	source := fmt.Sprintf("# Made by \"mailhaul demo\" at %s.\n[source]\nhost = %q\nport = %s\ntls = \"none\" # for this machine only\npassword_file = \"password\"\n\n",
		time.Now().Format(time.DateTime), host, port)
	csv := "source,target\n"
	for _, m := range mailboxes {
		csv += m.User + "," + strings.Replace(m.User, "@example.com", "@example.org", 1) + "\n"
	}
	target := func(kind, more, db string) string {
		return fmt.Sprintf("%s[target]\nkind = %q\n\n[%[2]s]\nendpoint = %q\ntoken_file = \"token\"\n%s\n[run]\ncheckpoints = %q\n", source, kind, urls[kind], more, db)
	}
	var errs []error
	for name, text := range map[string]string{
		"mailhaul.toml":       target("gmail", "profile = \"legacy\"\n", "gmail.db"),
		"mailhaul-graph.toml": target("graph", "", "graph.db") + "\n[report]\nkey_file = \"report-graph.key\"\n", // each log has its own
		"mailboxes.csv":       csv,
		"password":            demoPassword + "\n",
		"token":               "test\n",
	} {
		errs = append(errs, os.WriteFile(filepath.Join(out, name), []byte(text), 0o600))
	}
	return errors.Join(errs...)
}
