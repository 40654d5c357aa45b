package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/mailhaul/mailhaul/cmd/mailhaul/notify"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/privacy"
)

// NotifyConfig is the section on who is told how a run goes.
type NotifyConfig struct {
	Name                string   `toml:"name"`
	Privacy             string   `toml:"privacy"`
	HashKeyFile         string   `toml:"hash_key_file"`
	HashKeyCommand      []string `toml:"hash_key_command"`
	HashKeyEnv          string   `toml:"hash_key_env"`
	After               string   `toml:"after"`
	Digest              string   `toml:"digest"`
	WebhookURLFile      string   `toml:"webhook_url_file"`
	WebhookURLCommand   []string `toml:"webhook_url_command"`
	WebhookURLEnv       string   `toml:"webhook_url_env"`
	WebhookKeyFile      string   `toml:"webhook_key_file"`
	WebhookKeyCommand   []string `toml:"webhook_key_command"`
	WebhookKeyEnv       string   `toml:"webhook_key_env"`
	PingURLFile         string   `toml:"ping_url_file"`
	PingURLCommand      []string `toml:"ping_url_command"`
	PingURLEnv          string   `toml:"ping_url_env"`
	PingEvery           string   `toml:"ping_every"`
	SMTPHost            string   `toml:"smtp_host"`
	SMTPPort            int      `toml:"smtp_port"`
	SMTPTLS             string   `toml:"smtp_tls"`
	SMTPCAFile          string   `toml:"smtp_ca_file"`
	SMTPUser            string   `toml:"smtp_user"`
	SMTPPasswordFile    string   `toml:"smtp_password_file"`
	SMTPPasswordCommand []string `toml:"smtp_password_command"`
	SMTPPasswordEnv     string   `toml:"smtp_password_env"`
	From                string   `toml:"from"`
	To                  []string `toml:"to"`

	after     time.Duration // After
	pingEvery time.Duration // PingEvery
	digest    time.Duration // Digest, since midnight; negative for none
}

// HashKey is the key of hashed addresses.
func (n NotifyConfig) HashKey() SecretRef {
	return SecretRef{n.HashKeyFile, n.HashKeyCommand, n.HashKeyEnv}
}

// WebhookURL is where events are posted.
func (n NotifyConfig) WebhookURL() SecretRef {
	return SecretRef{n.WebhookURLFile, n.WebhookURLCommand, n.WebhookURLEnv}
}

// WebhookKey signs what is posted.
func (n NotifyConfig) WebhookKey() SecretRef {
	return SecretRef{n.WebhookKeyFile, n.WebhookKeyCommand, n.WebhookKeyEnv}
}

// PingURL is that of the monitor.
func (n NotifyConfig) PingURL() SecretRef {
	return SecretRef{n.PingURLFile, n.PingURLCommand, n.PingURLEnv}
}

// SMTPPassword is that of SMTPUser.
func (n NotifyConfig) SMTPPassword() SecretRef {
	return SecretRef{n.SMTPPasswordFile, n.SMTPPasswordCommand, n.SMTPPasswordEnv}
}

func (n *NotifyConfig) check(d *document) {
	d.oneOf("notify.privacy", n.Privacy, string(privacy.Full), string(privacy.Masked), string(privacy.Hashed))
	for key, ref := range map[string]SecretRef{
		"notify.hash_key": n.HashKey(), "notify.webhook_url": n.WebhookURL(), "notify.webhook_key": n.WebhookKey(),
		"notify.ping_url": n.PingURL(), "notify.smtp_password": n.SMTPPassword(),
	} {
		d.secret(key, ref)
	}
	if n.Privacy == string(privacy.Hashed) && n.HashKey().IsZero() {
		d.reject("notify.privacy", `"hashed" and a key go together: set hash_key_file, hash_key_command or hash_key_env`)
	}
	n.after = d.duration("notify.after", n.After, time.Minute, 30*24*time.Hour)
	n.pingEvery = d.duration("notify.ping_every", n.PingEvery, time.Minute, 24*time.Hour)
	n.digest = -1
	if n.Digest != "" {
		at, err := time.Parse("15:04", n.Digest)
		if err != nil {
			d.reject("notify.digest", `want a time of day, as in digest = "07:00", or "" for none, not %q`, n.Digest)
		}
		n.digest = time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute
	}
	n.checkMail(d)
}

func (n *NotifyConfig) checkMail(d *document) {
	d.oneOf("notify.smtp_tls", n.SMTPTLS, "implicit", "starttls", "none")
	if d.has("notify.smtp_port") {
		d.between("notify.smtp_port", n.SMTPPort, 1, 65535)
	}
	for i, address := range append([]string{n.From}, n.To...) {
		if (i > 0 || address != "") && !isAddress(address) {
			d.reject(map[bool]string{true: "notify.from", false: "notify.to"}[i == 0], "%q is not an address, as in anna@example.com", address)
		}
	}
	if len(n.To) > 20 {
		d.reject("notify.to", "%d addresses: want 20 at most", len(n.To))
	}
	if n.SMTPHost == "" {
		return
	}
	switch {
	case strings.ContainsAny(n.SMTPHost, "/ @"):
		d.reject("notify.smtp_host", "%q is not a host name: write the name alone, and the port in smtp_port", n.SMTPHost)
	case n.SMTPTLS == "none" && !isLoopback(n.SMTPHost):
		d.reject("notify.smtp_tls", `"none" is for this machine only: use "starttls" or "implicit"`)
	}
	if len(n.To) == 0 {
		d.reject("notify.smtp_host", "smtp_host and to go together: say who gets the mail")
	}
	if (n.SMTPUser == "") != n.SMTPPassword().IsZero() {
		d.reject("notify.smtp_user", "smtp_user and smtp_password_file, smtp_password_command or smtp_password_env go together")
	}
}

// duration reads a length of time within bounds.
func (d *document) duration(key, value string, low, high time.Duration) time.Duration {
	t, err := time.ParseDuration(value)
	if err != nil || t < low || t > high {
		d.reject(key, `want a time from %s to %s, as in "90m", not %q`, span(low), span(high), value)
	}
	return t
}

// strangers returns the problems of recipients whose own mailboxes move: what a
// notification says is for the consultant.
func (n NotifyConfig) strangers(path string, ms []Mailbox) (ps []problem) {
	for _, to := range n.To {
		if i := slices.IndexFunc(ms, func(m Mailbox) bool { return strings.EqualFold(m.Source, to) || strings.EqualFold(m.Target, to) }); i >= 0 {
			ps = append(ps, problem{path, 0, 0, fmt.Sprintf("notify.to: %s is a mailbox that moves (line %d of the list): notifications are for you, not for its users", to, ms[i].Line)})
		}
	}
	return ps
}

// policy is how notifications name people.
func (n NotifyConfig) policy(ctx context.Context) (privacy.Policy, error) {
	p := privacy.Policy{Level: privacy.Level(n.Privacy)}
	if p.Level != privacy.Hashed {
		return p, nil
	}
	key, err := reveal(ctx, n.HashKey())
	p.Key = []byte(key)
	return p, err
}

// ways are those by which notifications go.
func (n NotifyConfig) ways() (ways []notify.Way, err error) {
	if !n.WebhookURL().IsZero() {
		var key notify.Secret
		if !n.WebhookKey().IsZero() {
			key = revealed(n.WebhookKey())
		}
		ways = append(ways, notify.NewWebhook(revealed(n.WebhookURL()), key, nil))
	}
	if n.SMTPHost == "" {
		return ways, nil
	}
	m := &notify.Mail{Host: n.SMTPHost, Port: n.SMTPPort, TLS: n.SMTPTLS, User: n.SMTPUser, Password: revealed(n.SMTPPassword()), From: cmp.Or(n.From, n.To[0]), To: n.To}
	if m.Port == 0 {
		m.Port = map[string]int{"implicit": 465, "starttls": 587, "none": 25}[n.SMTPTLS]
	}
	if n.SMTPCAFile != "" {
		if m.CAs, err = trust(n.SMTPCAFile); err != nil {
			return nil, err
		}
	}
	return append(ways, m), nil
}

func revealed(ref SecretRef) notify.Secret {
	return func(ctx context.Context) (string, error) { return reveal(ctx, ref) }
}

// trust returns the certificates of the system and those of a file.
func trust(path string) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pem, err := os.ReadFile(path)
	if err == nil && !pool.AppendCertsFromPEM(pem) {
		err = errors.New("no certificate in it: want PEM")
	}
	if err != nil {
		return nil, fmt.Errorf("smtp_ca_file %s: %w", path, err)
	}
	return pool, nil
}

// tryNotify sends one test by each way, and says how that went. It returns how
// many failed.
func tryNotify(ctx context.Context, n NotifyConfig, out io.Writer) (failed int, err error) {
	ways, err := n.ways()
	if err != nil {
		return 0, err
	}
	policy, err := n.policy(ctx)
	if err != nil {
		return 0, err
	}
	result := func(way string, err error) {
		if err == nil {
			fmt.Fprintf(out, "Notifications by %s: a test was sent.\n", way)
			return
		}
		failed++
		reason, hint := migrate.Explain(err)
		fmt.Fprintf(out, "Notifications by %s: the test was not sent.\n  %s\n", way, printable(reason))
		if hint != "" {
			fmt.Fprintf(out, "  %s\n", printable(hint))
		}
	}
	e := notify.Event{ID: uuid.NewString(), Kind: notify.Test, Time: time.Now(), Migration: n.Name, Text: "This is a test of notifications: all is well."}
	for i, err := range notify.Try(ctx, policy, e, ways...) {
		result(ways[i].Name(), err)
	}
	if !n.PingURL().IsZero() {
		result("ping", notify.Ping(ctx, revealed(n.PingURL()), nil))
	}
	if len(ways) == 0 && n.PingURL().IsZero() {
		return 0, withHint(errors.New("no notifications are set"), "Set webhook_url_file, smtp_host or ping_url_file in [notify].")
	}
	return failed, nil
}
