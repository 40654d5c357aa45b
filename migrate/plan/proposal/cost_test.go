package proposal

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/mailhaul/mailhaul/migrate/locale"
	"github.com/mailhaul/mailhaul/migrate/plan"
	"github.com/mailhaul/mailhaul/migrate/plan/budget"
	"github.com/mailhaul/mailhaul/migrate/privacy"
)

// priced is a migration with a budget, in which everything has a price.
func priced(t *testing.T, tag, currency string) Migration {
	m := sample(t, tag)
	m.Prices = &budget.Prices{Currency: currency, Lead: 15_000, Engineer: 12_000, Support: 8_000,
		Mailbox: 15 * time.Minute, Wave: 4 * time.Hour, Day: 30 * time.Minute, Incidents: 40, Incident: time.Hour, Reports: 1, Report: 4 * time.Hour,
		Licence: 700, OldSystem: 9_999, DualDays: 14, Free: 20_000, Million: 100_000, Contingency: 15}
	return m
}

// minor is an amount in JSON.
func minor(t *testing.T, v any) int64 {
	t.Helper()
	m, ok := v.(map[string]any)
	if !ok {
		t.Fatalf("%v is no amount", v)
	}
	return int64(m["minor"].(float64))
}

func TestTheCostIsThatOfTheForecast(t *testing.T) {
	m := priced(t, "en", "EUR")
	m.Forecast.Whole.End = plan.Range{P10: made.Add(40 * time.Hour), P50: made.Add(50 * time.Hour), P90: made.AddDate(0, 0, 17)}
	page, data := faces(t, m)
	want := map[string][]string{
		"line":          {"mailboxes", "waves", "supervision", "incidents", "reports", "licences", "old_system", "calls", "contingency"},
		"quantity_low":  {"3", "2", "2", "1", "1", "3", "1", "5000", "<nil>"},
		"quantity":      {"3", "2", "3", "2", "1", "3", "1", "5000", "<nil>"},
		"quantity_high": {"3", "2", "17", "3", "1", "6", "2", "5000", "<nil>"},
		"work_low":      {"2700", "28800", "3600", "3600", "14400", "<nil>", "<nil>", "<nil>", "<nil>"},
		"work":          {"2700", "28800", "5400", "7200", "14400", "<nil>", "<nil>", "<nil>", "<nil>"},
		"work_high":     {"2700", "28800", "30600", "10800", "14400", "<nil>", "<nil>", "<nil>", "<nil>"},
	}
	for column, want := range want {
		if got := cells(t, data, "cost_lines", column); !slices.Equal(got, want) {
			t.Errorf("%s is %q, want %q", column, got, want)
		}
	}
	for key, want := range map[string][]int64{
		"low":      {9_000, 120_000, 12_000, 8_000, 60_000, 2_100, 9_999, 500, 33_240},
		"expected": {9_000, 120_000, 18_000, 16_000, 60_000, 2_100, 9_999, 500, 35_340},
		"high":     {9_000, 120_000, 102_000, 24_000, 60_000, 4_200, 19_998, 500, 50_955},
	} {
		var sum int64
		for i, row := range data["cost_lines"].([]any) {
			amount := minor(t, row.(map[string]any)[key])
			if sum += amount; amount != want[i] {
				t.Errorf("%s of row %d is %d, want %d", key, i, amount, want[i])
			}
		}
		if got := minor(t, data["cost"].(map[string]any)[key]); got != sum {
			t.Errorf("%s is %d, and the lines are %d", key, got, sum)
		}
	}
	if got := minor(t, data["totals"].(map[string]any)["cost"]); got != 270_939 {
		t.Errorf("the first page says %d", got)
	}
	first, _, _ := strings.Cut(strings.ReplaceAll(page, "\u00a0", " "), `id="schedule"`)
	for _, want := range []string{"Expected cost", "EUR 2,709.39", "between EUR 2,548.39 and EUR 3,906.53"} {
		if !strings.Contains(first, want) {
			t.Errorf("the first page does not say %q", want)
		}
	}
	if strings.Contains(page, "there is no price") {
		t.Error("something is said to have no price")
	}
}

func TestAllPricesAreShown(t *testing.T) {
	_, data := faces(t, priced(t, "en", "EUR"))
	prices := data["prices"].(map[string]any)
	for key, want := range map[string]int64{"lead_rate": 15_000, "engineer_rate": 12_000, "support_rate": 8_000, "licence_month": 700, "old_system_month": 9_999, "million_units": 100_000} {
		if got := minor(t, prices[key]); got != want {
			t.Errorf("%s is %d", key, got)
		}
	}
	for key, want := range map[string]float64{"mailbox_time": 900, "wave_time": 14_400, "day_time": 1_800, "incidents": 40, "incident_time": 3_600, "reports": 1,
		"report_time": 14_400, "dual_days": 14, "free_units": 20_000, "contingency": 0.15} {
		if prices[key] != want {
			t.Errorf("%s is %v", key, prices[key])
		}
	}
	if len(prices) != 16 {
		t.Errorf("there are %d prices", len(prices))
	}
}

func TestWhatHasNoPriceIsSaidToBeMissing(t *testing.T) {
	m := priced(t, "en", "EUR")
	m.Prices.Licence, m.Prices.Million, m.Prices.Support = 0, 0, 0
	page, data := faces(t, m)
	if got := cells(t, data, "cost_lines", "line"); slices.Contains(got, "licences") || slices.Contains(got, "calls") || slices.Contains(got, "incidents") || len(got) != 6 {
		t.Errorf("the lines are %q", got)
	}
	items := strings.Join(cells(t, data, "unpriced", "item"), "\n")
	for _, want := range []string{"Licences of the new system: there is no price", "Incidents (support): there is no price", "zero is assumed. A day has 20,000 units without a charge, and this plan asks for 5,000 beyond",
		"could not be opened", "that have moved already", "Taxes", "own staff", "Training", "devices", "longer term", "risks", "calendars"} {
		if !strings.Contains(items, want) {
			t.Errorf("it is not said that %q is missing:\n%s", want, items)
		}
	}
	if !strings.Contains(page, "What is not in the cost") {
		t.Error("the page does not say it")
	}
	m.Prices.Free, m.Mailboxes, m.Done = 0, m.Mailboxes[:2], 0
	_, data = faces(t, m)
	items = strings.Join(cells(t, data, "unpriced", "item"), "\n")
	for _, not := range []string{"zero is assumed", "could not be opened", "moved already"} {
		if strings.Contains(items, not) {
			t.Errorf("%q is said to be missing", not)
		}
	}
	if prices := data["prices"].(map[string]any); len(prices) != 14 {
		t.Errorf("the prices are %v", prices)
	}
}

func TestAmountsAreTheSameOnEveryFace(t *testing.T) {
	for _, c := range []struct {
		tag, currency, total string
		decimals             int
	}{
		{"en", "EUR", "EUR 2,709.39", 2},
		{"de", "EUR", "2.709,39 EUR", 2},
		{"en", "JPY", "JPY 270,939", 0},
		{"de", "BHD", "270,939 BHD", 3},
	} {
		m := priced(t, c.tag, c.currency)
		m.Forecast.Whole.End.P50 = made.Add(50 * time.Hour)
		page, data := faces(t, m)
		if !strings.Contains(strings.ReplaceAll(page, "\u00a0", " "), c.total) {
			t.Errorf("the page does not say %s", c.total)
		}
		d, err := New(m)
		if err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		if err := d.WriteXLSX(&file); err != nil {
			t.Fatal(err)
		}
		book, err := excelize.OpenReader(&file, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		sheet := map[string]string{"en": "The cost, line by line", "de": "Die Kosten im Einzelnen"}[c.tag]
		rows, err := book.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		lines := data["cost_lines"].([]any)
		for i, row := range lines {
			want := minor(t, row.(map[string]any)["expected"])
			var got float64
			if _, err := fmt.Sscan(rows[i+1][9], &got); err != nil || int64(math.Round(got*math.Pow10(c.decimals))) != want {
				t.Errorf("%s: row %d of the sheet is %q, want %d", c.currency, i, rows[i+1], want)
			}
			if shown := m.Language.Money(want, c.currency); !strings.Contains(page, ">"+shown+"<") {
				t.Errorf("the page does not say %s", shown)
			}
		}
		if last := rows[len(rows)-1]; len(rows) != len(lines)+3 || last[9] != fmt.Sprintf("%.*f", c.decimals, 270939/math.Pow10(c.decimals)) {
			t.Errorf("the total of the sheet is %q", last)
		}
	}
}

func TestWithoutPricesOrForecastThereIsNoCost(t *testing.T) {
	m := priced(t, "en", "EUR")
	m.Forecast = nil
	for _, m := range []Migration{m, sample(t, "en")} {
		page, data := faces(t, m)
		if strings.Contains(page, "cost") || data["cost"] != nil || data["prices"] != nil || data["unpriced"] != nil || data["totals"].(map[string]any)["cost"] != nil {
			t.Error("there is one")
		}
	}
}

func TestTheCostSaysNothingOfPeople(t *testing.T) {
	m := priced(t, "en", "EUR")
	m.Privacy = privacy.Policy{Level: privacy.Hashed, Key: []byte("key")}
	p := &proposal{Migration: m}
	var err error
	if p.texts, err = locale.Load(texts, m.Language); err == nil {
		p.budget, err = budget.Of(*m.Prices, p.work())
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, hidden := range []string{"ann@", "bob@", "joe@", "pilot", "Project X"} {
		if said := fmt.Sprintf("%+v %+v", p.cost(), p.unpriced()); strings.Contains(said, hidden) {
			t.Errorf("the cost says %q", hidden)
		}
	}
}

func TestPricesThatAreNoMoneyAreRefused(t *testing.T) {
	m := priced(t, "en", "EUR")
	m.Prices.OldSystem = math.MaxInt64
	if _, err := New(m); !errors.Is(err, budget.ErrTooMuch) {
		t.Errorf("got %v", err)
	}
}

// Months are those of the zone in which the plan is told.
func TestMonthsOfTheCostBeginInTheZoneOfThePlan(t *testing.T) {
	m := priced(t, "en", "EUR")
	m.Zone = time.FixedZone("east", 14*3600)
	m.Prices.DualDays = 0
	m.Forecast.Whole.Start.P50 = time.Date(2026, 1, 30, 12, 0, 0, 0, time.UTC) // the 31st there
	end := time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC)                        // when a month is over there, and not yet here
	m.Forecast.Whole.End = plan.Range{P10: end, P50: end, P90: end}
	if _, data := faces(t, m); cells(t, data, "cost_lines", "quantity")[6] != "2" {
		t.Errorf("%v", cells(t, data, "cost_lines", "quantity"))
	}
}
