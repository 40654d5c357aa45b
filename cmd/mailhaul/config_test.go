package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// written returns the path of a file with this text in a new folder.
func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sound is a configuration without mistakes; its lines are joined with those
// of a test.
const sound = `[source]
host = "mail.example.com"
[target]
kind = "gmail"
[gmail]
impersonate = "m@p.iam.gserviceaccount.com"
`

func TestABadConfigurationIsExplained(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown key": {sound + "[run]\njob = 3\n",
			`mailhaul.toml:8:1: run.job: no such key: [run] has mailboxes, checkpoints, jobs, spool_dir, spool_max, exclude_folders, deleted, deletions, order, window, time_zone`},
		"unknown section": {sound + "[runs]\njobs = 3\n",
			`mailhaul.toml:7:2: runs: no such section: there are [source], [target], [gmail], [graph], [transform], [run], [log], [notify], [metrics], [report], [budget]`},
		"unknown key outside a section": {"jobs = 3\n" + sound,
			`mailhaul.toml:1:1: jobs: no such section: there are [source], [target], [gmail], [graph], [transform], [run], [log], [notify], [metrics], [report], [budget]`},
		"secret in the file": {"[source]\npassword = 'hunter2'\nhost = 'h'\n[target]\nkind = 'graph'\n[graph]\ntenant = 't'\nclient_id = 'c'\nclient_secret = 'hunter2'\ncertificate_file = 'x'\n",
			"mailhaul.toml:2:1: source.password: secrets do not belong in this file: use password_file, password_command or password_env, and change the secret if others have seen it\n" +
				"mailhaul.toml:9:1: graph.client_secret: secrets do not belong in this file: use client_secret_file, client_secret_command or client_secret_env, and change the secret if others have seen it"},
		"several wrong types": {"[source]\nhost = 7\nport = \"993\"\nallow_plaintext = 1\npassword_command = \"pass show\"\n[target]\nkind = [\"gmail\"]\n[run]\nspool_max = 5\nexclude_folders = [\n  \"Trash\",\n  3,\n]\njobs = 2.5\n",
			"mailhaul.toml:2:8: source.host: want a text in quotes, as in host = \"text\"\n" +
				"mailhaul.toml:3:8: source.port: want a whole number, without quotes\n" +
				"mailhaul.toml:4:19: source.allow_plaintext: want true or false, without quotes\n" +
				"mailhaul.toml:5:20: source.password_command: want a list of texts, as in password_command = [\"one\", \"two\"]\n" +
				"mailhaul.toml:7:8: target.kind: want a text in quotes, as in kind = \"text\"\n" +
				"mailhaul.toml:9:13: run.spool_max: want a text in quotes, as in spool_max = \"2GiB\"\n" +
				"mailhaul.toml:12:3: run.exclude_folders: want a list of texts, as in exclude_folders = [\"one\", \"two\"]\n" +
				"mailhaul.toml:14:8: run.jobs: want a whole number, without quotes"},
		"wrong type and unknown key": {"[source]\nhots = 'h'\nport = 'x'\n[target]\nkind = 'gmail'\n[gmail]\ntoken_env = 'T'\n",
			"mailhaul.toml:1:2: source.host: missing: name the IMAP server, as in host = \"mail.example.com\"\n" +
				"mailhaul.toml:2:1: source.hots: no such key: [source] has host, port, tls, ca_file, allow_plaintext, auth, master_user, master_separator, password_file, password_command, password_env\n" +
				"mailhaul.toml:3:8: source.port: want a whole number, without quotes"},
		"syntax":          {"[source]\nhost = mail.example.com\n", `mailhaul.toml:2:8: unexpected character U+006D 'm' at start of value`},
		"key set twice":   {sound + "[run]\njobs = 1\njobs = 2\n", `mailhaul.toml:9:1: run.jobs: already set on line 8: delete one of the two`},
		"section twice":   {sound + "[source]\nport = 1\n", `mailhaul.toml:7:2: source: already set on line 1: delete one of the two`},
		"section as list": {"[[source]]\nhost = 'h'\n", `mailhaul.toml:1:3: source: want one section [source] with keys below it`},
		"empty file": {"",
			"mailhaul.toml: source.host: missing: name the IMAP server, as in host = \"mail.example.com\"\n" +
				"mailhaul.toml: target.kind: missing: say where the mail goes, kind = \"gmail\" or kind = \"graph\""},
		"values that are not allowed": {"[source]\nhost = 'imap://mail.example.com'\nport = 0\ntls = 'ssl'\nauth = 'PLAIN'\nmaster_separator = ''\n[target]\nkind = 'exchange'\n[gmail]\nprofile = 'old'\ndaily = 'c'\nparallel = 0\n[graph]\ncloud = 'moon'\nroute = 'a'\nprotected = 'b'\nparallel = -1\n[transform]\nfrom = 'often'\nreceipt = 'when-refused'\nsigned = 'always'\n[run]\njobs = 0\nspool_max = '3 apples'\ndeleted = 'keep'\ncheckpoints = ''\nmailboxes = ''\n",
			"mailhaul.toml:2:1: source.host: \"imap://mail.example.com\" is not a host name: write the name alone, and the port in port\n" +
				"mailhaul.toml:3:1: source.port: 0 is not between 1 and 65535\n" +
				"mailhaul.toml:4:1: source.tls: \"ssl\" is none of \"implicit\", \"starttls\", \"none\"\n" +
				"mailhaul.toml:5:1: source.auth: \"PLAIN\" is none of \"plain\", \"login\", \"xoauth2\", \"oauthbearer\"\n" +
				"mailhaul.toml:6:1: source.master_separator: must not be empty: it is what auth_master_user_separator says in Dovecot, mostly \"*\"\n" +
				"mailhaul.toml:8:1: target.kind: \"exchange\" is none of \"gmail\", \"graph\"\n" +
				"mailhaul.toml:10:1: gmail.profile: \"old\" is none of \"new\", \"legacy\", \"none\"\n" +
				"mailhaul.toml:11:1: gmail.daily: \"c\" is none of \"wait\", \"spend\"\n" +
				"mailhaul.toml:12:1: gmail.parallel: 0 is not between 1 and 64\n" +
				"mailhaul.toml:14:1: graph.cloud: \"moon\" is none of \"global\", \"gcchigh\", \"dod\", \"china\"\n" +
				"mailhaul.toml:15:1: graph.route: \"a\" is none of \"auto\", \"importmime\", \"json\"\n" +
				"mailhaul.toml:16:1: graph.protected: \"b\" is none of \"fail\", \"attach\"\n" +
				"mailhaul.toml:17:1: graph.parallel: -1 is not between 1 and 64\n" +
				"mailhaul.toml:19:1: transform.from: \"often\" is none of \"never\", \"when-refused\", \"always\"\n" +
				"mailhaul.toml:20:1: transform.receipt: \"when-refused\" is none of \"never\", \"always\"\n" +
				"mailhaul.toml:21:1: transform.signed: \"always\" is none of \"keep\", \"change\"\n" +
				"mailhaul.toml:23:1: run.jobs: 0 is not between 1 and 1000\n" +
				"mailhaul.toml:24:1: run.spool_max: want a size of 1MiB or more, as in spool_max = \"2GiB\", not \"3 apples\"\n" +
				"mailhaul.toml:25:1: run.deleted: \"keep\" is none of \"exclude\", \"copy\"\n" +
				"mailhaul.toml:26:1: run.checkpoints: must not be empty: name the database, as in checkpoints = \"mailhaul.db\"\n" +
				"mailhaul.toml:27:1: run.mailboxes: must not be empty: name the list of mailboxes, as in mailboxes = \"mailboxes.csv\""},
		"plaintext to another machine": {"[source]\nhost = 'mail.example.com'\ntls = 'none'\n[target]\nkind = 'gmail'\n[gmail]\ntoken_env = 'T'\n",
			`mailhaul.toml:3:1: source.tls: "none" would send passwords and mail over the network in the clear: use "implicit" or "starttls", or set allow_plaintext = true if that network is yours alone`},
		"master user with a token": {"[source]\nhost = 'h'\nauth = 'xoauth2'\nmaster_user = 'm'\n[target]\nkind = 'gmail'\n[gmail]\ntoken_env = 'T'\n",
			`mailhaul.toml:4:1: source.master_user: works with auth = "plain" or "login" only, this is "xoauth2"`},
		"two places for one secret": {"[source]\nhost = 'h'\npassword_env = 'P'\npassword_file = 'p'\n[target]\nkind = 'gmail'\n[gmail]\ntoken_env = 'T'\ntoken_command = ['', 'x']\n",
			"mailhaul.toml:3:1: source.password: set only one of password_file, password_command and password_env\n" +
				"mailhaul.toml:8:1: gmail.token: set only one of token_file, token_command and token_env\n" +
				"mailhaul.toml:9:1: gmail.token_command: the first item must name the program"},
		"endpoint in the clear": {sound + "endpoint = 'http://gateway.example.com'\n[graph]\nendpoint = 'https://user:pw@gateway.example.com'\n",
			"mailhaul.toml:7:1: gmail.endpoint: http would send the token over the network in the clear: use https, http is for this machine only\n" +
				"mailhaul.toml:9:1: graph.endpoint: want the URL of a server without password or query, as in https://gateway.example.com"},
		"gmail without login": {"[source]\nhost = 'h'\n[target]\nkind = 'gmail'\n[gmail]\n",
			`mailhaul.toml:5:2: gmail: no login: set service_account_file (a key with domain-wide delegation), or impersonate (such an account without a key)`},
		"gmail with two logins": {sound + "token_env = 'T'\n",
			`mailhaul.toml:6:1: gmail.impersonate: one login only, here are impersonate and token_*`},
		"impersonate without address": {"[source]\nhost = 'h'\n[target]\nkind = 'gmail'\n[gmail]\nimpersonate = 'bot'\n",
			`mailhaul.toml:6:1: gmail.impersonate: "bot" is not the address of a service account, as in name@project.iam.gserviceaccount.com`},
		"graph without login": {"[source]\nhost = 'h'\n[target]\nkind = 'graph'\n[graph]\ntenant = ''\n",
			"mailhaul.toml:5:2: graph.client_id: missing: set the application (client) ID of the registered app\n" +
				"mailhaul.toml:5:2: graph: no login: set certificate_file, or one of client_secret_file, client_secret_command and client_secret_env\n" +
				"mailhaul.toml:6:1: graph.tenant: empty: set the directory (tenant) ID or a domain of the tenant"},
		"graph with two logins": {"[source]\nhost = 'h'\n[target]\nkind = 'graph'\n[graph]\ntenant = 't'\nclient_id = 'c'\nclient_secret_env = 'S'\ncertificate_file = 'c'\n",
			`mailhaul.toml:9:1: graph.certificate_file: one login only: a client secret or a certificate`},
		"graph with token and secret": {"[source]\nhost = 'h'\n[target]\nkind = 'graph'\n[graph]\ntoken_env = 't'\nclient_secret_env = 'S'\ncertificate_password_env = 'P'\n",
			"mailhaul.toml:6:1: graph.token: one login only: a token, a client secret or a certificate\n" +
				"mailhaul.toml:8:1: graph.certificate_password: without certificate_file there is nothing to open"},
		"folder patterns": {sound + "[run]\nexclude_folders = ['Trash/']\n",
			`mailhaul.toml:8:1: run.exclude_folders: "Trash/" is not a folder: write the path with / between its parts, as in "Archive/2019"`},
		"two stars in a name": {sound + "[run]\nexclude_folders = ['a**b']\n",
			`mailhaul.toml:8:1: run.exclude_folders: "a**b": ** stands for whole folders, so it must be alone between two /`},
		"report values that are not allowed": {sound + "[report]\nlanguage = 'tlh'\nprivacy = 'none'\nkey_file = ''\ncolour = 'blue'\n",
			"mailhaul.toml:8:1: report.language: \"tlh\" is none of \"de\", \"en\"\n" +
				"mailhaul.toml:9:1: report.privacy: \"none\" is none of \"full\", \"masked\", \"hashed\"\n" +
				"mailhaul.toml:10:1: report.key_file: must not be empty: name the file of the key that signs, as in key_file = \"report.key\"\n" +
				"mailhaul.toml:11:1: report.colour: want a colour as in colour = \"#1f4e79\", not \"blue\""},
		"hashed reports without a key": {sound + "[report]\nprivacy = 'hashed'\n",
			`mailhaul.toml:8:1: report.privacy: "hashed" needs a key: set hash_key_file, hash_key_command or hash_key_env in [notify]`},
		"UTF-16":    {"\xff\xfe[\x00", `mailhaul.toml: the file is UTF-16: save it as UTF-8`},
		"not UTF-8": {"[source]\nhost = '\xfc'\n", `mailhaul.toml:2: not UTF-8: save the file as UTF-8`},
		"too large": {strings.Repeat("#\n", 64<<10), `mailhaul.toml: larger than 65536 octets: is this the right file?`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := loadConfig(written(t, "mailhaul.toml", c.text))
			if err == nil {
				t.Fatal("no error")
			}
			if err.Error() != c.want {
				t.Errorf("got:\n%v\nwant:\n%s", err, c.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the error holds the secret")
			}
		})
	}
}

func TestManyMistakesAreReportedInBoundedTime(t *testing.T) {
	_, err := loadConfig(written(t, "mailhaul.toml", "[run]\njobs = ''\n"+strings.Repeat("jobs = ''\n", 5_000)))
	if err == nil || strings.Count(err.Error(), "\n") != 99 {
		t.Errorf("want 100 mistakes, got %.300v", err)
	}
}

func TestAMissingConfigurationNamesTheRemedy(t *testing.T) {
	_, err := loadConfig(filepath.Join(t.TempDir(), "mailhaul.toml"))
	if err == nil || !strings.Contains(err.Error(), "mailhaul init") {
		t.Errorf("got %v", err)
	}
}

func TestAnEmptyKeyHasItsDefault(t *testing.T) {
	path := written(t, "mailhaul.toml", "\xef\xbb\xbf"+strings.ReplaceAll(sound, "\n", "\r\n"))
	c, err := loadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	want := Config{
		Source: SourceConfig{Host: "mail.example.com", Port: 993, TLS: "implicit", Auth: "plain", MasterSeparator: "*"},
		Target: TargetConfig{Kind: "gmail"},
		Gmail:  GmailConfig{Impersonate: "m@p.iam.gserviceaccount.com", Route: "auto", DateToleranceDays: 7, Profile: "new", Daily: "wait", Parallel: 8},
		Graph:  GraphConfig{Cloud: "global", Route: "auto", Protected: "fail", Profile: "documented", Parallel: 4},
		Transform: TransformConfig{From: "when-refused", NUL: "when-refused", LineEnds: "when-refused", LongLines: "when-refused", Header8Bit: "when-refused",
			ContentType: "when-refused", Charset: "when-refused", MessageID: "when-refused", MissingMessageID: "never", Date: "when-refused", Receipt: "never", Signed: "keep"},
		Run: RunConfig{Mailboxes: filepath.Join(dir, "mailboxes.csv"), Checkpoints: filepath.Join(dir, "mailhaul.db"),
			Jobs: 4, SpoolMax: "2GiB", Deleted: "exclude", Deletions: "keep", Order: "oldest", spoolBytes: 2 << 30, zone: time.Local},
		Log: LogConfig{File: filepath.Join(dir, "mailhaul.log"), Level: "info", Format: "text", MaxSize: "10MiB", MaxFiles: 10, mebibytes: 10},
		Notify: NotifyConfig{Privacy: "masked", After: "1h", Digest: "07:00", PingEvery: "5m", SMTPTLS: "starttls",
			after: time.Hour, pingEvery: 5 * time.Minute, digest: 7 * time.Hour},
		Report: ReportConfig{Language: "en", Privacy: "masked", KeyFile: filepath.Join(dir, "report.key")},
		Budget: BudgetConfig{LeadRate: "0", EngineerRate: "0", SupportRate: "0", TimePerMailbox: "15m", TimePerWave: "4h", TimePerDay: "30m",
			IncidentsPer100: 5, TimePerIncident: "1h", Reports: 1, TimePerReport: "4h", LicenceMonth: "0", OldSystemMonth: "0", DualDays: 14,
			MillionUnits: "0", Contingency: 15},
	}
	if !reflect.DeepEqual(*c, want) {
		t.Errorf("got  %+v\nwant %+v", *c, want)
	}
}

func TestThePortFollowsTLS(t *testing.T) {
	for text, want := range map[string]int{
		"":                                 993,
		"tls = 'starttls'\n":               143,
		"tls = 'none'\nport = 31143\n":     31143,
		"tls = 'implicit'\nport = 31993\n": 31993,
	} {
		c, err := loadConfig(written(t, "mailhaul.toml", "[source]\nhost = '127.0.0.1'\n"+text+sound[strings.Index(sound, "[target]"):]))
		if err != nil {
			t.Fatal(err)
		}
		if c.Source.Port != want {
			t.Errorf("%q: port %d, want %d", text, c.Source.Port, want)
		}
	}
}

func TestPathsAreRelativeToTheConfiguration(t *testing.T) {
	path := written(t, "mailhaul.toml", `[source]
host = "h"
ca_file = "certs/ca.pem"
password_command = ["./print", "./argument"]
[target]
kind = "graph"
[graph]
tenant = "t"
client_id = "./c"
certificate_file = "/etc/app.pfx"
certificate_password_command = ["pass", "show"]
[run]
mailboxes = "lists/one.csv"
spool_dir = "../spool"
`)
	c, err := loadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	got := []string{c.Source.CAFile, c.Source.PasswordCommand[0], c.Source.PasswordCommand[1], c.Graph.ClientID,
		c.Graph.CertificateFile, c.Graph.CertificatePasswordCommand[0], c.Run.Mailboxes, c.Run.Checkpoints, c.Run.SpoolDir, c.Graph.TokenFile}
	want := []string{filepath.Join(dir, "certs/ca.pem"), filepath.Join(dir, "print"), "./argument", "./c",
		"/etc/app.pfx", "pass", filepath.Join(dir, "lists/one.csv"), filepath.Join(dir, "mailhaul.db"), filepath.Join(filepath.Dir(dir), "spool"), ""}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestSizesAreReadWithTheirUnit(t *testing.T) {
	for text, want := range map[string]int64{
		"2GiB": 2 << 30, "2 GiB": 2 << 30, "500MB": 500e6, "1kib": 1024, "77": 77, "0B": 0, "4TiB": 4 << 40,
		"": -1, "GiB": -1, "-1GB": -1, "1.5GiB": -1, "2 Gibibytes": -1, "9999999999TiB": -1, "99999999999999999999": -1,
	} {
		got, ok := parseSize(text)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
}

func TestFolderPatternsMatchWholePaths(t *testing.T) {
	for _, c := range []struct {
		pattern, path string // "|" between the parts of the path
		match         bool
	}{
		{"Trash", "Trash", true},
		{"trash", "TRASH", true},
		{"größe", "GRÖSSE", false},
		{"größe", "GRÖße", true},
		{"Trash", "Trash|Old", false},
		{"Trash", "Old|Trash", false},
		{"Trash", "Trash2", false},
		{"Archive/**", "Archive", true},
		{"Archive/**", "Archive|2019", true},
		{"Archive/**", "Archive|2019|May", true},
		{"Archive/**", "Archives", false},
		{"Archive/*", "Archive", false},
		{"Archive/*", "Archive|2019", true},
		{"Archive/*", "Archive|2019|May", false},
		{"**/Junk", "Junk", true},
		{"**/Junk", "a|b|Junk", true},
		{"**/Junk", "a|bJunk", false},
		{"a/**/b", "a|b", true},
		{"a/**/b", "a|x|y|b", true},
		{"a/**/b", "a|xb", false},
		{"**", "anything|at all", true},
		{"**/**", "x", true},
		{"20??", "2019", true},
		{"20??", "20199", false},
		{"[Gmail]/Spam", "[Gmail]|Spam", true},
		{"[Gmail]/Spam", "G|Spam", false},
		{"a.b", "axb", false},
		{"Clients/2019/20", "Clients|2019/20", true},
		{`a\*`, `a\x`, true},
		{"**/b", "line\nbreak|b", true},
	} {
		p, err := newFolderPattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		want := ""
		if c.match {
			want = c.pattern
		}
		cfg := Config{excluded: []folderPattern{p}}
		if got := cfg.excludes(migrate.Folder{Path: strings.Split(c.path, "|")}); got != want {
			t.Errorf("%q on %q: rule %q, want %q", c.pattern, c.path, got, want)
		}
	}
}

func TestAMigrationNeedsAPasswordForEachMailbox(t *testing.T) {
	const twoOf = "source,target,password_env\na,a@example.org,A\nb,b@example.org,\n"
	const none = "source,target\na,a@example.org\nb,b@example.org\n"
	for name, c := range map[string]struct{ config, list, want string }{
		"for all":     {"password_env = 'P'\n", none, ""},
		"one lacks":   {"", twoOf, "mailboxes.csv:3: b has no password: fill in its password_file here, or set password_file in [source] for all mailboxes"},
		"none at all": {"", none, "mailhaul.toml: no password for the source: set password_file, password_command or password_env in [source], or for each mailbox in mailboxes.csv"},
		"bad list":    {"", "source\n", `mailboxes.csv:1: no column "target": the first line must name the columns, as in source,target,wave`},
	} {
		t.Run(name, func(t *testing.T) {
			path := written(t, "mailhaul.toml", strings.Replace(sound, "[target]", c.config+"[target]", 1))
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), "mailboxes.csv"), []byte(c.list), 0o600); err != nil {
				t.Fatal(err)
			}
			_, ms, err := loadMigration(path)
			if err == nil && c.want == "" {
				if len(ms) != 2 {
					t.Errorf("%d mailboxes, want 2", len(ms))
				}
			} else if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func FuzzLoadConfig(f *testing.F) {
	f.Add(sound)
	f.Add(configTemplate("graph"))
	f.Add("source = {host = 3}\n[source.host]\na.b = 1\n[[run]]\n")
	f.Fuzz(func(t *testing.T, text string) {
		d := &document{file: "mailhaul.toml", text: []byte(text)}
		d.index()
		c, ok := d.decode()
		if ok {
			c.check(d)
		} else if len(d.problems) == 0 {
			t.Error("not decoded, and no reason")
		}
	})
}
