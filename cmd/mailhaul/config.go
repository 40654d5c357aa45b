package main

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // for machines that have none

	"github.com/mailhaul/mailhaul/migrate/transform"
	"github.com/mailhaul/mailhaul/migrate/window"
)

// Config is mailhaul.toml. docs/configuration.md explains its keys. Its paths
// are absolute or relative to the working directory, ready for use.
type Config struct {
	Source    SourceConfig    `toml:"source"`
	Target    TargetConfig    `toml:"target"`
	Gmail     GmailConfig     `toml:"gmail"`
	Graph     GraphConfig     `toml:"graph"`
	Transform TransformConfig `toml:"transform"`
	Run       RunConfig       `toml:"run"`
	Log       LogConfig       `toml:"log"`
	Notify    NotifyConfig    `toml:"notify"`
	Metrics   MetricsConfig   `toml:"metrics"`
	Report    ReportConfig    `toml:"report"`
	Budget    BudgetConfig    `toml:"budget"`

	excluded []folderPattern
}

// SourceConfig is the section on the IMAP server.
type SourceConfig struct {
	Host            string   `toml:"host"`
	Port            int      `toml:"port"`
	TLS             string   `toml:"tls"`
	CAFile          string   `toml:"ca_file"`
	AllowPlaintext  bool     `toml:"allow_plaintext"`
	Auth            string   `toml:"auth"`
	MasterUser      string   `toml:"master_user"`
	MasterSeparator string   `toml:"master_separator"`
	PasswordFile    string   `toml:"password_file"`
	PasswordCommand []string `toml:"password_command"`
	PasswordEnv     string   `toml:"password_env"`
}

// Password is the password, or bearer token, of all mailboxes that have none
// of their own.
func (s SourceConfig) Password() SecretRef {
	return SecretRef{s.PasswordFile, s.PasswordCommand, s.PasswordEnv}
}

// TargetConfig is the section that chooses the target.
type TargetConfig struct {
	Kind string `toml:"kind"`
}

// GmailConfig is the section on Google Workspace.
type GmailConfig struct {
	ServiceAccountFile string   `toml:"service_account_file"`
	Impersonate        string   `toml:"impersonate"`
	TokenFile          string   `toml:"token_file"`
	TokenCommand       []string `toml:"token_command"`
	TokenEnv           string   `toml:"token_env"`
	Endpoint           string   `toml:"endpoint"`
	Route              string   `toml:"route"`
	DateToleranceDays  int      `toml:"date_tolerance_days"`
	Profile            string   `toml:"profile"`
	Daily              string   `toml:"daily"`
	Parallel           int      `toml:"parallel"`
}

// Token is a static bearer token.
func (g GmailConfig) Token() SecretRef { return SecretRef{g.TokenFile, g.TokenCommand, g.TokenEnv} }

// GraphConfig is the section on Microsoft 365.
type GraphConfig struct {
	Tenant                     string   `toml:"tenant"`
	ClientID                   string   `toml:"client_id"`
	ClientSecretFile           string   `toml:"client_secret_file"`
	ClientSecretCommand        []string `toml:"client_secret_command"`
	ClientSecretEnv            string   `toml:"client_secret_env"`
	CertificateFile            string   `toml:"certificate_file"`
	CertificatePasswordFile    string   `toml:"certificate_password_file"`
	CertificatePasswordCommand []string `toml:"certificate_password_command"`
	CertificatePasswordEnv     string   `toml:"certificate_password_env"`
	TokenFile                  string   `toml:"token_file"`
	TokenCommand               []string `toml:"token_command"`
	TokenEnv                   string   `toml:"token_env"`
	Cloud                      string   `toml:"cloud"`
	Endpoint                   string   `toml:"endpoint"`
	Route                      string   `toml:"route"`
	Protected                  string   `toml:"protected"`
	Profile                    string   `toml:"profile"`
	Parallel                   int      `toml:"parallel"`
}

// ClientSecret is the secret of the application.
func (g GraphConfig) ClientSecret() SecretRef {
	return SecretRef{g.ClientSecretFile, g.ClientSecretCommand, g.ClientSecretEnv}
}

// CertificatePassword opens CertificateFile.
func (g GraphConfig) CertificatePassword() SecretRef {
	return SecretRef{g.CertificatePasswordFile, g.CertificatePasswordCommand, g.CertificatePasswordEnv}
}

// Token is a static bearer token.
func (g GraphConfig) Token() SecretRef { return SecretRef{g.TokenFile, g.TokenCommand, g.TokenEnv} }

// TransformConfig is the section on what may be changed in a message: a policy
// for each transform.
type TransformConfig struct {
	From             string `toml:"from"`
	NUL              string `toml:"nul"`
	LineEnds         string `toml:"line_ends"`
	LongLines        string `toml:"long_lines"`
	Header8Bit       string `toml:"header_8bit"`
	ContentType      string `toml:"content_type"`
	Charset          string `toml:"charset"`
	MessageID        string `toml:"message_id"`
	MissingMessageID string `toml:"missing_message_id"`
	Date             string `toml:"date"`
	Receipt          string `toml:"receipt"`
	Signed           string `toml:"signed"`
}

// config is what the engine wants.
func (t TransformConfig) config() transform.Config {
	c := transform.Config{Policies: map[string]transform.Policy{}, ChangeSigned: t.Signed == "change"}
	for field, value := range reflect.ValueOf(t).Fields() {
		if key := field.Tag.Get("toml"); key != "signed" {
			c.Policies[key] = transform.Policy(value.String())
		}
	}
	return c
}

// RunConfig is the section on how mailhaul works.
type RunConfig struct {
	Mailboxes      string   `toml:"mailboxes"`
	Checkpoints    string   `toml:"checkpoints"`
	Jobs           int      `toml:"jobs"`
	SpoolDir       string   `toml:"spool_dir"` // "" is the system's directory for temporary files
	SpoolMax       string   `toml:"spool_max"`
	ExcludeFolders []string `toml:"exclude_folders"`
	Deleted        string   `toml:"deleted"`
	Deletions      string   `toml:"deletions"`
	Order          string   `toml:"order"`
	Window         string   `toml:"window"`
	TimeZone       string   `toml:"time_zone"`

	spoolBytes int64          // SpoolMax in octets
	window     *window.Window // nil if work is allowed at any time
	zone       *time.Location // TimeZone, or that of this machine
}

// defaults returns the configuration of an empty file.
func defaults() Config {
	const never, whenRefused = string(transform.Never), string(transform.WhenRefused)
	return Config{
		Source: SourceConfig{TLS: "implicit", Auth: "plain", MasterSeparator: "*"},
		Gmail:  GmailConfig{Route: "auto", DateToleranceDays: 7, Profile: "new", Daily: "wait", Parallel: 8},
		Graph:  GraphConfig{Cloud: "global", Route: "auto", Protected: "fail", Profile: "documented", Parallel: 4},
		Transform: TransformConfig{
			From: whenRefused, NUL: whenRefused, LineEnds: whenRefused, LongLines: whenRefused, Header8Bit: whenRefused, ContentType: whenRefused,
			Charset: whenRefused, MessageID: whenRefused, MissingMessageID: never, Date: whenRefused, Receipt: never, Signed: "keep",
		},
		Run: RunConfig{Mailboxes: "mailboxes.csv", Checkpoints: "mailhaul.db", Jobs: 4, SpoolMax: "2GiB", Deleted: "exclude", Deletions: "keep", Order: "oldest"},
		Log: LogConfig{Level: "info", Format: "text", MaxSize: "10MiB", MaxFiles: 10},

		Notify: NotifyConfig{Privacy: "masked", After: "1h", Digest: "07:00", PingEvery: "5m", SMTPTLS: "starttls"},
		Report: ReportConfig{Language: "en", Privacy: "masked", KeyFile: "report.key"},
		Budget: BudgetConfig{LeadRate: "0", EngineerRate: "0", SupportRate: "0", TimePerMailbox: "15m", TimePerWave: "4h", TimePerDay: "30m",
			IncidentsPer100: 5, TimePerIncident: "1h", Reports: 1, TimePerReport: "4h", LicenceMonth: "0", OldSystemMonth: "0", DualDays: 14,
			MillionUnits: "0", Contingency: 15},
	}
}

// loadConfig reads and checks a configuration file. The error lists every
// mistake in it. Files and commands that it names are not looked at.
func loadConfig(path string) (*Config, error) {
	d, err := readDocument(path)
	if err != nil {
		return nil, err
	}
	c, ok := d.decode()
	if ok {
		c.check(d)
	}
	if err := joined(d.problems); err != nil {
		return nil, err
	}
	if c.Source.Port == 0 {
		c.Source.Port = 993
		if c.Source.TLS != "implicit" {
			c.Source.Port = 143
		}
	}
	c.resolve(filepath.Dir(path))
	return &c, nil
}

// loadMigration reads the configuration and the mailboxes that it names. The
// error lists every mistake in both.
func loadMigration(path string) (*Config, []Mailbox, error) {
	c, err := loadConfig(path)
	if err != nil {
		return nil, nil, err
	}
	ms, err := loadMailboxes(c.Run.Mailboxes)
	if err != nil {
		return nil, nil, err
	}
	if err := joined(c.Notify.strangers(path, ms)); err != nil || !c.Source.Password().IsZero() {
		return c, ms, err
	}
	var ps []problem
	for _, m := range ms {
		if m.Password.IsZero() {
			ps = append(ps, problem{c.Run.Mailboxes, m.Line, 0, fmt.Sprintf(
				"%s has no password: fill in its password_file here, or set password_file in [source] for all mailboxes", m.Source)})
		}
	}
	if len(ps) == len(ms) {
		ps = []problem{{path, 0, 0, "no password for the source: set password_file, password_command or password_env in [source], or for each mailbox in " + filepath.Base(c.Run.Mailboxes)}}
	}
	return c, ms, joined(ps)
}

// resolve makes relative paths relative to dir: those of the keys named *_file
// and a few more, and commands that are named with a path.
func (c *Config) resolve(dir string) {
	in := func(path *string) {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	}
	in(&c.Run.Mailboxes)
	in(&c.Run.Checkpoints)
	in(&c.Run.SpoolDir)
	if in(&c.Log.File); c.Log.File == "" {
		c.Log.File = strings.TrimSuffix(c.Run.Checkpoints, ".db") + ".log"
	}
	for _, section := range reflect.ValueOf(c).Elem().Fields() {
		if section.Kind() != reflect.Struct {
			continue
		}
		for field, value := range section.Fields() {
			key := field.Tag.Get("toml")
			switch {
			case strings.HasSuffix(key, "_file"):
				in(value.Addr().Interface().(*string))
			case strings.HasSuffix(key, "_command") && value.Len() > 0:
				program := value.Index(0)
				program.SetString(commandPath(program.String(), dir))
			}
		}
	}
}

// parseSize returns the octets of a size written like "2GiB" or "500MB".
func parseSize(s string) (int64, bool) {
	s = strings.TrimSpace(s)
	digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
	unit, ok := map[string]int64{
		"": 1, "B": 1,
		"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
		"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40,
	}[strings.ToUpper(strings.TrimSpace(s[digits:]))]
	n, err := strconv.ParseInt(s[:digits], 10, 64)
	if !ok || err != nil || n > (1<<62)/unit {
		return 0, false
	}
	return n * unit, true
}
