package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate/locale"
	"github.com/mailhaul/mailhaul/migrate/plan"
	"github.com/mailhaul/mailhaul/migrate/plan/budget"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

func TestABudgetIsReadExactly(t *testing.T) {
	c, err := loadConfig(written(t, "mailhaul.toml", sound+`[budget]
currency = "EUR"
lead_rate = "150.05"
engineer_rate = "120.5"
support_rate = "80"
time_per_mailbox = "20m"
time_per_wave = "5h"
time_per_day = "45m"
incidents_per_100 = 7
time_per_incident = "90m"
reports = 2
time_per_report = "3h30m"
licence_month = "0.01"
old_system_month = "1234567.89"
dual_days = 30
million_units = "0.4"
contingency = 20
`))
	if err != nil {
		t.Fatal(err)
	}
	want := budget.Prices{Currency: "EUR", Lead: 15005, Engineer: 12050, Support: 8000,
		Mailbox: 20 * time.Minute, Wave: 5 * time.Hour, Day: 45 * time.Minute, Incidents: 7, Incident: 90 * time.Minute, Reports: 2, Report: 210 * time.Minute,
		Licence: 1, OldSystem: 123456789, DualDays: 30, Million: 40, Free: 80_000_000, Contingency: 20}
	if got := *c.prices(); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestAmountsHaveTheDecimalsOfTheirCurrency(t *testing.T) {
	for _, c := range []struct {
		currency, amount string
		want             int64 // -1: refused
	}{
		{"EUR", "12.34", 1234},
		{"EUR", "12.345", -1},
		{"EUR", "10000000000.00", 1_000_000_000_000},
		{"EUR", "10000000000.01", -1},
		{"JPY", "12000", 12000},
		{"JPY", "12000.0", -1},
		{"BHD", "45.125", 45125},
		{"BHD", "45.1", 45100},
		{"EUR", "12,34", -1},
		{"EUR", "1,200.00", -1},
		{"EUR", "12.", -1},
		{"EUR", ".50", -1},
		{"EUR", "-12.00", -1},
		{"EUR", "+12", -1},
		{"EUR", "1e3", -1},
		{"EUR", "", -1},
		{"EUR", "99999999999999999999", -1},
	} {
		cfg, err := loadConfig(written(t, "mailhaul.toml", sound+"[budget]\ncurrency = '"+c.currency+"'\nlead_rate = '"+c.amount+"'\n"))
		switch {
		case c.want < 0 && (err == nil || !strings.Contains(err.Error(), "mailhaul.toml:9:1: budget.lead_rate: want an amount") || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s %q: %v", c.currency, c.amount, err)
		case c.want >= 0 && err != nil:
			t.Errorf("%s %q: %v", c.currency, c.amount, err)
		case c.want >= 0 && cfg.prices().Lead != c.want:
			t.Errorf("%s %q is %d, want %d", c.currency, c.amount, cfg.prices().Lead, c.want)
		}
	}
}

func TestABadBudgetIsExplained(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"currency": {"currency = 'euro'\nlead_rate = '1.234'\ncontingency = 101\n",
			"mailhaul.toml:8:1: budget.currency: want a code of three capital letters, as in currency = \"EUR\", not \"euro\"\n" +
				"mailhaul.toml:10:1: budget.contingency: 101 is not between 0 and 100"},
		"no price": {"currency = 'EUR'\nlead_rate = '0.00'\n",
			`mailhaul.toml:8:1: budget.currency: a currency and prices go together: set lead_rate, engineer_rate and support_rate, or leave out the currency for a plan without a budget`},
		"no currency": {"engineer_rate = '100'\n",
			`mailhaul.toml:8:1: budget.engineer_rate: prices and a currency go together: set it, as in currency = "EUR"`},
		"a number without quotes": {"currency = 'EUR'\nlead_rate = 120.50\n",
			`mailhaul.toml:9:13: budget.lead_rate: want a text in quotes, as in lead_rate = "0"`},
		"all mistakes": {"currency = 'JPY'\nlead_rate = '1.50'\ntime_per_mailbox = 'soon'\ntime_per_wave = '-1h'\ntime_per_day = '25h'\nincidents_per_100 = -1\ntime_per_incident = '1001h'\nreports = 1001\ntime_per_report = '15'\ndual_days = 3651\ncontingency = 101\n",
			"mailhaul.toml:9:1: budget.lead_rate: want an amount with 0 decimals at most and nothing between thousands, as in \"120\", not \"1.50\"\n" +
				"mailhaul.toml:10:1: budget.time_per_mailbox: want a time from 0 s to 41 d 16 h, as in \"90m\", not \"soon\"\n" +
				"mailhaul.toml:11:1: budget.time_per_wave: want a time from 0 s to 41 d 16 h, as in \"90m\", not \"-1h\"\n" +
				"mailhaul.toml:12:1: budget.time_per_day: want a time from 0 s to 24 h 0 min, as in \"90m\", not \"25h\"\n" +
				"mailhaul.toml:13:1: budget.incidents_per_100: -1 is not between 0 and 1000\n" +
				"mailhaul.toml:14:1: budget.time_per_incident: want a time from 0 s to 41 d 16 h, as in \"90m\", not \"1001h\"\n" +
				"mailhaul.toml:15:1: budget.reports: 1001 is not between 0 and 1000\n" +
				"mailhaul.toml:16:1: budget.time_per_report: want a time from 0 s to 41 d 16 h, as in \"90m\", not \"15\"\n" +
				"mailhaul.toml:17:1: budget.dual_days: 3651 is not between 0 and 3650\n" +
				"mailhaul.toml:18:1: budget.contingency: 101 is not between 0 and 100"},
	} {
		if _, err := loadConfig(written(t, "mailhaul.toml", sound+"[budget]\n"+c.text)); err == nil || err.Error() != c.want {
			t.Errorf("%s: got:\n%v\nwant:\n%s", name, err, c.want)
		}
	}
}

func TestAPriceOfUnitsIsForATargetThatCharges(t *testing.T) {
	legacy := strings.Replace(sound, "[gmail]\n", "[gmail]\nprofile = 'legacy'\n", 1)
	const want = `mailhaul.toml:10:1: budget.million_units: this target does not charge for units: only Gmail does, with profile = "new"`
	if _, err := loadConfig(written(t, "mailhaul.toml", legacy+"[budget]\ncurrency = 'EUR'\nmillion_units = '1.00'\n")); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestWithoutACurrencyThereIsNoBudget(t *testing.T) {
	c, err := loadConfig(written(t, "mailhaul.toml", sound+"[budget]\ntime_per_mailbox = '1h'\n"))
	if err != nil || c.prices() != nil {
		t.Errorf("%+v, %v", c, err)
	}
}

// The example of the documentation is computed as a plan is.
func TestTheExampleOfABudgetIsRight(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "budget.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "```toml\n")
	section, _, _ = strings.Cut(section, "```")
	c, err := loadConfig(written(t, "mailhaul.toml", sound+section))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2027, 2, 1, 20, 0, 0, 0, time.UTC)
	b, err := budget.Of(*c.prices(), budget.Work{Mailboxes: 200, Waves: 5, Start: start,
		End: plan.Range{P10: start.AddDate(0, 0, 12), P50: start.AddDate(0, 0, 14), P90: start.AddDate(0, 0, 20)}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := locale.New("en")
	if err != nil {
		t.Fatal(err)
	}
	say := func(minor int64) string { return strings.ReplaceAll(l.Money(minor, "EUR"), "\u00a0", " ") }
	var work time.Duration
	table := "| line | number | work | low | expected | high |\n|---|---|---|---|---|---|\n"
	for _, line := range b.Lines {
		if line.Key == budget.Calls {
			continue // which have no price
		}
		number, hours := fmt.Sprint(line.Count.Expected), "-"
		if each := line.Each * time.Duration(line.Count.Expected); each > 0 {
			work, hours = work+each, fmt.Sprintf("%g h", each.Hours())
		}
		if line.Key == budget.Contingency {
			number = "-"
		}
		table += fmt.Sprintf("| `%s` | %s | %s | %s | %s | %s |\n", line.Key, number, hours, say(line.Amount.Low), say(line.Amount.Expected), say(line.Amount.High))
	}
	table += fmt.Sprintf("| total | - | %g h | %s | %s | %s |\n", work.Hours(), say(b.Total.Low), say(b.Total.Expected), say(b.Total.High))
	if !strings.Contains(string(page), "\n\n"+table+"\n") {
		t.Errorf("the example is\n%s", table)
	}
	if want := fmt.Sprintf("has %g hours of work", work.Hours()); !strings.Contains(string(page), want) {
		t.Errorf("the page does not say that it %s", want)
	}
}

func TestAPlanWithPricesSaysWhatTheMoveCosts(t *testing.T) {
	server := sourcetest.NewGenerated(t, sourcetest.GeneratedOptions{Messages: 20})
	for kind, free := range map[string]float64{"gmail": 80_000_000, "graph": 0} {
		config := madeUp(t, kind, server, "ann", "bob", "joe")
		text, err := os.ReadFile(config)
		if err == nil {
			err = os.WriteFile(config, append(text, "[budget]\ncurrency = \"JPY\"\nengineer_rate = \"9000\"\nlead_rate = \"12000\"\ncontingency = 0\n"...), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "plan")
		if code, _, stderr := planned(t.Context(), "--config", config, "--out", out); code != exitDone {
			t.Fatalf("exit status %d: %s", code, stderr)
		}
		type money struct {
			Minor    int64
			Currency string
		}
		var p struct {
			Totals struct{ Cost money }
			Cost   struct{ Low, Expected, High money }
			Lines  []struct {
				Line     string
				Expected money
			} `json:"cost_lines"`
			Prices map[string]any
		}
		data, err := os.ReadFile(filepath.Join(out, planJSON))
		if err == nil {
			err = json.Unmarshal(data, &p)
		}
		if err != nil {
			t.Fatal(err)
		}
		want := money{3*2250 + 2*48000 + 4500 + 48000, "JPY"} // mailboxes, waves, a day and a report
		if p.Totals.Cost != want || p.Cost.Expected != want || p.Cost.Low != want || p.Cost.High != want || len(p.Lines) != 5 {
			t.Errorf("%s: %+v", kind, p)
		}
		if got, _ := p.Prices["free_units"].(float64); got != free {
			t.Errorf("%s: %v units a day are free", kind, got)
		}
	}
}
