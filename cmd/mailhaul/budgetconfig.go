package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate/locale"
	"github.com/mailhaul/mailhaul/migrate/plan/budget"
	"github.com/mailhaul/mailhaul/targets/gmail"
)

// BudgetConfig is the section on what the move costs. docs/budget.md says where
// its defaults come from.
type BudgetConfig struct {
	Currency        string `toml:"currency"`
	LeadRate        string `toml:"lead_rate"`
	EngineerRate    string `toml:"engineer_rate"`
	SupportRate     string `toml:"support_rate"`
	TimePerMailbox  string `toml:"time_per_mailbox"`
	TimePerWave     string `toml:"time_per_wave"`
	TimePerDay      string `toml:"time_per_day"`
	IncidentsPer100 int    `toml:"incidents_per_100"`
	TimePerIncident string `toml:"time_per_incident"`
	Reports         int    `toml:"reports"`
	TimePerReport   string `toml:"time_per_report"`
	LicenceMonth    string `toml:"licence_month"`
	OldSystemMonth  string `toml:"old_system_month"`
	DualDays        int    `toml:"dual_days"`
	MillionUnits    string `toml:"million_units"`
	Contingency     int    `toml:"contingency"`

	prices *budget.Prices // without Free; nil without a currency
}

var currency = regexp.MustCompile(`^[A-Z]{3}$`)

// check reads all prices. charges says whether the target charges for calls.
func (b *BudgetConfig) check(d *document, charges bool) {
	most := 1000 * time.Hour
	d.between("budget.incidents_per_100", b.IncidentsPer100, 0, 1000)
	d.between("budget.reports", b.Reports, 0, 1000)
	d.between("budget.dual_days", b.DualDays, 0, 3650)
	d.between("budget.contingency", b.Contingency, 0, 100)
	p := &budget.Prices{Currency: b.Currency, Incidents: int64(b.IncidentsPer100), Reports: int64(b.Reports), DualDays: b.DualDays,
		Contingency: int64(b.Contingency),
		Mailbox:     d.duration("budget.time_per_mailbox", b.TimePerMailbox, 0, most), Wave: d.duration("budget.time_per_wave", b.TimePerWave, 0, most),
		Day:      d.duration("budget.time_per_day", b.TimePerDay, 0, 24*time.Hour),
		Incident: d.duration("budget.time_per_incident", b.TimePerIncident, 0, most), Report: d.duration("budget.time_per_report", b.TimePerReport, 0, most)}
	if b.Currency != "" && !currency.MatchString(b.Currency) {
		d.reject("budget.currency", `want a code of three capital letters, as in currency = "EUR", not %q`, b.Currency)
		return // how many decimals the prices may have is not known
	}
	var priced string // the first key with a price
	for _, price := range []struct {
		key, value string
		minor      *int64
	}{
		{"budget.lead_rate", b.LeadRate, &p.Lead},
		{"budget.engineer_rate", b.EngineerRate, &p.Engineer},
		{"budget.support_rate", b.SupportRate, &p.Support},
		{"budget.licence_month", b.LicenceMonth, &p.Licence},
		{"budget.old_system_month", b.OldSystemMonth, &p.OldSystem},
		{"budget.million_units", b.MillionUnits, &p.Million},
	} {
		if *price.minor = d.money(price.key, price.value, b.Currency); *price.minor > 0 && priced == "" {
			priced = price.key
		}
	}
	wrong := func(p problem) bool { return strings.HasPrefix(p.text, "budget.") }
	switch {
	case slices.ContainsFunc(d.problems, wrong): // what is missing is not known
	case b.Currency == "" && priced != "":
		d.reject(priced, `prices and a currency go together: set it, as in currency = "EUR"`)
	case b.Currency != "" && priced == "":
		d.reject("budget.currency", `a currency and prices go together: set lead_rate, engineer_rate and support_rate, or leave out the currency for a plan without a budget`)
	case p.Million > 0 && !charges:
		d.reject("budget.million_units", `this target does not charge for units: only Gmail does, with profile = "new"`)
	case b.Currency != "":
		b.prices = p
	}
}

// mostMoney is the largest price, in the smallest unit of its currency.
const mostMoney = 1_000_000_000_000

// amount is that of money: its whole units, and its decimals if it has any.
var amount = regexp.MustCompile(`^([0-9]+)(?:\.([0-9]+))?$`)

// money reads an amount exactly, in the smallest unit of a currency.
func (d *document) money(key, value, currency string) int64 {
	n := locale.Digits(currency)
	if m := amount.FindStringSubmatch(value); m != nil && len(m[2]) <= n {
		minor, err := strconv.ParseInt(m[1]+m[2]+strings.Repeat("0", n-len(m[2])), 10, 64)
		if err == nil && minor <= mostMoney {
			return minor
		}
	}
	example := "120"
	if n > 0 {
		example += "." + strings.Repeat("0", n)
	}
	d.reject(key, `want an amount with %d decimals at most and nothing between thousands, as in %q, not %q`, n, example, value)
	return 0
}

// prices are those of the budget; nil for none.
func (c *Config) prices() *budget.Prices {
	if c.Budget.prices == nil {
		return nil
	}
	p := *c.Budget.prices
	p.Free = c.freeUnits() // a plan may be of another profile than the file
	return &p
}

// freeUnits is how many units a day the target gives without a charge; 0 if it
// charges for none.
func (c *Config) freeUnits() int64 {
	for _, p := range gmail.Profiles() {
		if c.Target.Kind == "gmail" && p.Name == c.Gmail.Profile && len(p.Daily) > 0 {
			return p.Daily[0].Amount
		}
	}
	return 0
}
