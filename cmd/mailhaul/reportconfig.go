package main

import (
	"cmp"
	"context"
	"regexp"
	"time"

	model "github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/locale"
	"github.com/mailhaul/mailhaul/migrate/privacy"
)

// ReportConfig is the section on what the client is handed.
type ReportConfig struct {
	Name         string `toml:"name"`
	Language     string `toml:"language"`
	Privacy      string `toml:"privacy"`
	KeyFile      string `toml:"key_file"`
	Company      string `toml:"company"`
	LogoFile     string `toml:"logo_file"`
	Colour       string `toml:"colour"`
	ForewordFile string `toml:"foreword_file"`
}

// privacyLevels are those to choose from, here and on the command line.
var privacyLevels = []string{string(privacy.Full), string(privacy.Masked), string(privacy.Hashed)}

var colour = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)

func (r ReportConfig) check(d *document, n NotifyConfig) {
	d.oneOf("report.language", r.Language, locale.Tags()...)
	d.oneOf("report.privacy", r.Privacy, privacyLevels...)
	if r.Privacy == string(privacy.Hashed) && n.HashKey().IsZero() {
		d.reject("report.privacy", `"hashed" needs a key: set hash_key_file, hash_key_command or hash_key_env in [notify]`)
	}
	if r.KeyFile == "" {
		d.reject("report.key_file", `must not be empty: name the file of the key that signs, as in key_file = "report.key"`)
	}
	if r.Colour != "" && !colour.MatchString(r.Colour) {
		d.reject("report.colour", `want a colour as in colour = "#1f4e79", not %q`, r.Colour)
	}
}

// cover is what is on all that the client is handed: what it is of, how the client
// is addressed, and how much it shows. The digest is that of c.
func (c *Config) cover(ctx context.Context, digest string) (v model.Cover, err error) {
	v = model.Cover{Name: cmp.Or(c.Report.Name, c.Source.Host), Source: c.Source.Host, Target: c.Target.Kind, Endpoint: c.elsewhere(),
		Program: "mailhaul " + version(), Config: digest, Zone: c.Run.zone, Made: time.Now()}
	if v.Language, err = locale.New(c.Report.Language); err != nil {
		return v, err
	}
	if v.Brand, err = c.Report.brand(); err != nil {
		return v, err
	}
	n := c.Notify // has the key of hashes
	n.Privacy = c.Report.Privacy
	v.Privacy, err = n.policy(ctx)
	return v, err
}
