package main

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/window"
)

// check notes every value that is not acceptable.
func (c *Config) check(d *document) {
	c.Source.check(d)
	switch {
	case c.Target.Kind == "gmail":
		c.Gmail.checkLogin(d)
	case c.Target.Kind == "graph":
		c.Graph.checkLogin(d)
	case c.Target.Kind == "":
		d.missing("target.kind", `say where the mail goes, kind = "gmail" or kind = "graph"`)
	default:
		d.oneOf("target.kind", c.Target.Kind, "gmail", "graph")
	}
	d.oneOf("gmail.route", c.Gmail.Route, "auto", "import", "insert")
	d.between("gmail.date_tolerance_days", c.Gmail.DateToleranceDays, 1, 36500)
	d.oneOf("gmail.profile", c.Gmail.Profile, "new", "legacy", "none")
	d.oneOf("gmail.daily", c.Gmail.Daily, "wait", "spend")
	d.unlimited("gmail", c.Gmail.Profile, c.Gmail.Endpoint)
	d.between("gmail.parallel", c.Gmail.Parallel, 1, 64)
	d.endpoint("gmail.endpoint", c.Gmail.Endpoint)
	d.secret("gmail.token", c.Gmail.Token())
	d.oneOf("graph.cloud", c.Graph.Cloud, "global", "gcchigh", "dod", "china")
	d.oneOf("graph.route", c.Graph.Route, "auto", "importmime", "json")
	d.oneOf("graph.protected", c.Graph.Protected, "fail", "attach")
	d.oneOf("graph.profile", c.Graph.Profile, "documented", "none")
	d.unlimited("graph", c.Graph.Profile, c.Graph.Endpoint)
	d.between("graph.parallel", c.Graph.Parallel, 1, 64)
	d.endpoint("graph.endpoint", c.Graph.Endpoint)
	d.secret("graph.client_secret", c.Graph.ClientSecret())
	d.secret("graph.certificate_password", c.Graph.CertificatePassword())
	d.secret("graph.token", c.Graph.Token())
	c.Transform.check(d)
	c.Run.check(d)
	c.Log.check(d)
	c.Notify.check(d)
	c.Metrics.check(d)
	c.Report.check(d, c.Notify)
	c.Budget.check(d, c.freeUnits() > 0)
	if c.Log.File != "" && c.Log.File == c.Run.Checkpoints {
		d.reject("log.file", "must be another file than checkpoints in [run]")
	}
	for _, p := range c.Run.ExcludeFolders {
		f, err := newFolderPattern(p)
		if err != nil {
			d.reject("run.exclude_folders", "%v", err)
		}
		c.excluded = append(c.excluded, f)
	}
}

func (s SourceConfig) check(d *document) {
	switch {
	case s.Host == "":
		d.missing("source.host", `name the IMAP server, as in host = "mail.example.com"`)
	case strings.ContainsAny(s.Host, "/ @") || strings.Contains(s.Host, ":") && net.ParseIP(s.Host) == nil:
		d.reject("source.host", "%q is not a host name: write the name alone, and the port in port", s.Host)
	}
	if d.has("source.port") {
		d.between("source.port", s.Port, 1, 65535)
	}
	d.oneOf("source.tls", s.TLS, "implicit", "starttls", "none")
	if s.TLS == "none" && !s.AllowPlaintext && s.Host != "" && !isLoopback(s.Host) {
		d.reject("source.tls", `"none" would send passwords and mail over the network in the clear: use "implicit" or "starttls", or set allow_plaintext = true if that network is yours alone`)
	}
	d.oneOf("source.auth", s.Auth, "plain", "login", "xoauth2", "oauthbearer")
	if s.MasterUser != "" && (s.Auth == "xoauth2" || s.Auth == "oauthbearer") {
		d.reject("source.master_user", `works with auth = "plain" or "login" only, this is %q`, s.Auth)
	}
	if s.MasterSeparator == "" {
		d.reject("source.master_separator", `must not be empty: it is what auth_master_user_separator says in Dovecot, mostly "*"`)
	}
	d.secret("source.password", s.Password())
}

func (g GmailConfig) checkLogin(d *document) {
	var ways []string
	for key, set := range map[string]bool{
		"service_account_file": g.ServiceAccountFile != "",
		"impersonate":          g.Impersonate != "",
		"token_*":              !g.Token().IsZero(),
	} {
		if set {
			ways = append(ways, key)
		}
	}
	slices.Sort(ways)
	switch {
	case len(ways) == 0 && !d.hasAny("gmail.service_account_file", "gmail.impersonate", "gmail.token_file", "gmail.token_command", "gmail.token_env"):
		d.reject("gmail", "no login: set service_account_file (a key with domain-wide delegation), or impersonate (such an account without a key)")
	case len(ways) > 1:
		d.reject("gmail."+strings.TrimSuffix(ways[0], "_*"), "one login only, here are %s", strings.Join(ways, " and "))
	}
	if g.Impersonate != "" && !isAddress(g.Impersonate) {
		d.reject("gmail.impersonate", "%q is not the address of a service account, as in name@project.iam.gserviceaccount.com", g.Impersonate)
	}
}

func (g GraphConfig) checkLogin(d *document) {
	secret, certificate := !g.ClientSecret().IsZero(), g.CertificateFile != ""
	if !g.CertificatePassword().IsZero() && !certificate {
		d.reject("graph.certificate_password", "without certificate_file there is nothing to open")
	}
	if !g.Token().IsZero() {
		if secret || certificate {
			d.reject("graph.token", "one login only: a token, a client secret or a certificate")
		}
		return
	}
	if d.hasAny("graph.token_file", "graph.token_command", "graph.token_env") {
		return // set, but wrong, and reported
	}
	if g.Tenant == "" {
		d.missing("graph.tenant", "set the directory (tenant) ID or a domain of the tenant")
	}
	if g.ClientID == "" {
		d.missing("graph.client_id", "set the application (client) ID of the registered app")
	}
	switch {
	case secret && certificate:
		d.reject("graph.certificate_file", "one login only: a client secret or a certificate")
	case !secret && !certificate && !d.hasAny("graph.client_secret_file", "graph.client_secret_command", "graph.client_secret_env", "graph.certificate_file"):
		d.reject("graph", "no login: set certificate_file, or one of client_secret_file, client_secret_command and client_secret_env")
	}
}

func (t TransformConfig) check(d *document) {
	for key, policy := range t.config().Policies {
		if key == "receipt" { // which no target refuses
			d.oneOf("transform.receipt", string(policy), "never", "always")
		} else {
			d.oneOf("transform."+key, string(policy), "never", "when-refused", "always")
		}
	}
	d.oneOf("transform.signed", t.Signed, "keep", "change")
}

func (r *RunConfig) check(d *document) {
	if r.Mailboxes == "" {
		d.reject("run.mailboxes", `must not be empty: name the list of mailboxes, as in mailboxes = "mailboxes.csv"`)
	}
	if r.Checkpoints == "" {
		d.reject("run.checkpoints", `must not be empty: name the database, as in checkpoints = "mailhaul.db"`)
	}
	d.between("run.jobs", r.Jobs, 1, 1000)
	var ok bool
	if r.spoolBytes, ok = parseSize(r.SpoolMax); !ok || r.spoolBytes < 1<<20 {
		d.reject("run.spool_max", `want a size of 1MiB or more, as in spool_max = "2GiB", not %q`, r.SpoolMax)
	}
	d.oneOf("run.deleted", r.Deleted, "exclude", "copy")
	d.oneOf("run.deletions", r.Deletions, "keep", "report", "trash")
	d.oneOf("run.order", r.Order, "oldest", "newest")
	r.checkTime(d)
}

// checkTime reads when work is allowed. The zone is named, so that the file
// means the same on every machine.
func (r *RunConfig) checkTime(d *document) {
	r.zone = time.Local
	if r.TimeZone != "" {
		zone, err := time.LoadLocation(r.TimeZone)
		if err != nil || r.TimeZone == "Local" {
			d.reject("run.time_zone", `%q is no time zone: want its name in the IANA database, as in time_zone = "Europe/Berlin"`, r.TimeZone)
			return
		}
		r.zone = zone
	}
	if r.Window == "" {
		return
	}
	if r.TimeZone == "" {
		d.reject("run.time_zone", `must be set with window: say whose clock counts, as in time_zone = "Europe/Berlin"`)
	}
	var err error
	if r.window, err = window.Parse(r.Window, r.zone); err != nil {
		d.reject("run.window", "%v", err)
	}
}

func (d *document) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		d.reject(key, "%q is none of \"%s\"", value, strings.Join(allowed, `", "`))
	}
}

func (d *document) between(key string, n, low, high int) {
	if n < low || n > high {
		d.reject(key, "%d is not between %d and %d", n, low, high)
	}
}

func (d *document) missing(key, remedy string) {
	what := "missing"
	if d.has(key) {
		what = "empty"
	}
	d.reject(key, "%s: %s", what, remedy)
}

func (d *document) hasAny(keys ...string) bool { return slices.ContainsFunc(keys, d.has) }

// secret notes if more than one of the three keys of a secret is set.
func (d *document) secret(key string, ref SecretRef) {
	if ref.ways() > 1 {
		d.reject(key, "set only one of %s_file, %[1]s_command and %[1]s_env", key[strings.IndexByte(key, '.')+1:])
	}
	if d.has(key+"_command") && len(ref.Command) > 0 && ref.Command[0] == "" {
		d.reject(key+"_command", "the first item must name the program")
	}
}

func (d *document) endpoint(key, endpoint string) {
	if endpoint == "" {
		return
	}
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http":
		d.reject(key, "want the URL of a server without password or query, as in https://gateway.example.com")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		d.reject(key, "http would send the token over the network in the clear: use https, http is for this machine only")
	}
}

// unlimited notes if a vendor itself would be called without pacing.
func (d *document) unlimited(section, profile, endpoint string) {
	if profile == "none" && endpoint == "" {
		d.reject(section+".profile", `"none" is for a simulator: set endpoint to it`)
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// A folderPattern leaves folders out.
type folderPattern struct {
	text string
	re   *regexp.Regexp
}

// newFolderPattern compiles a pattern over the parts of a path with "/"
// between them. It matches the whole path without regard to case. "*" stands
// for any text within a part, "?" for one character of it, and "**" for any
// number of whole parts, also none: "Archive/**" is Archive and all below it.
func newFolderPattern(pattern string) (folderPattern, error) {
	if pattern == "" || strings.HasPrefix(pattern, "/") || strings.HasSuffix(pattern, "/") {
		return folderPattern{}, fmt.Errorf("%q is not a folder: write the path with / between its parts, as in \"Archive/2019\"", pattern)
	}
	parts := strings.Split(pattern, "/")
	var re strings.Builder
	for i, part := range parts {
		last := i == len(parts)-1
		switch {
		case part == "**" && last && i > 0 && parts[i-1] != "**":
			re.WriteString(`(?:/.*)?`) // the "/" before it is not written
		case part == "**" && last:
			re.WriteString(`.*`)
		case part == "**":
			re.WriteString(`(?:.*/)?`)
		case strings.Contains(part, "**"):
			return folderPattern{}, fmt.Errorf("%q: ** stands for whole folders, so it must be alone between two /", pattern)
		default:
			q := regexp.QuoteMeta(part)
			q = strings.NewReplacer(`\*`, `[^/]*`, `\?`, `[^/]`).Replace(q)
			re.WriteString(q)
			if !last && (parts[i+1] != "**" || i+1 != len(parts)-1) {
				re.WriteString("/")
			}
		}
	}
	return folderPattern{pattern, regexp.MustCompile(`(?is)^(?:` + re.String() + `)$`)}, nil
}

// excludes returns the pattern that leaves f out, or "". It is what
// migrate.Rules wants.
func (c *Config) excludes(f migrate.Folder) string {
	path := strings.Join(f.Path, "/")
	for _, p := range c.excluded {
		if p.re.MatchString(path) {
			return p.text
		}
	}
	return ""
}
