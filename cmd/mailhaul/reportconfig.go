package main

import (
	"regexp"

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
