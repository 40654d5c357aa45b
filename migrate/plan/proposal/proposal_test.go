package proposal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/locale"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/plan"
	"github.com/mailhaul/mailhaul/migrate/plan/assess"
	"github.com/mailhaul/mailhaul/migrate/privacy"
)

var made = time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC)

// language returns the language with that tag.
func language(t *testing.T, tag string) *locale.Language {
	t.Helper()
	l, err := locale.New(tag)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// sample is a migration that has one of everything.
func sample(t *testing.T, tag string) Migration {
	large := assess.Large{Folder: []string{"Project X"}, UID: 7, Size: 200 << 20, Date: made.AddDate(-3, 0, 0)}
	ann := &assess.Assessment{Mailbox: "ann@example.com", Made: made, Depth: assess.Listed,
		Folders: []assess.Folder{{Path: []string{"INBOX"}, Messages: 900, Bytes: 5_000_000, Largest: 1 << 20, Oldest: made.AddDate(-3, 0, 0), Newest: made},
			{Path: []string{"Project X"}, Messages: 1, Bytes: 200 << 20, Largest: 200 << 20}, {Path: []string{"Secret", "Junk"}, Messages: 40, Rule: "exclude_folders Secret/*"}},
		Sizes:   []assess.Class{{Most: 1024, Tally: assess.Tally{Messages: 500, Bytes: 300_000}}, {Most: 3_000_000, Tally: assess.Tally{Messages: 400, Bytes: 4_700_000}}, {Most: 256 << 20, Tally: assess.Tally{Messages: 1, Bytes: 200 << 20}}},
		Doubles: []assess.Class{{Most: 1024, Tally: assess.Tally{Messages: 30, Bytes: 9000}}}, Shared: 12, Largest: []assess.Large{{Folder: []string{"INBOX"}, Size: 5}, large},
		Oldest: made.AddDate(-3, 0, 0), Newest: made,
		Months:   []assess.Period{{Start: made.AddDate(-3, 0, 0), Tally: assess.Tally{Messages: 800}}, {Start: made.AddDate(-1, 0, 0), Tally: assess.Tally{Messages: 101}}, {Start: made.AddDate(-1, 1, 0), Tally: assess.Tally{Messages: 5}}},
		Days:     []assess.Period{{Start: made, Tally: assess.Tally{Messages: 180, Bytes: 90_000}}},
		Flags:    []assess.FlagCount{{Flag: migrate.Seen, Messages: 700}, {Flag: "Divorce", Messages: 3}},
		Content:  assess.Content{Messages: 200, Of: 901, Found: map[string]int64{"from": 2}},
		Excluded: []assess.Exclusion{{Rule: `flagged \Deleted`, Tally: assess.Tally{Messages: 9, Bytes: 900}}}}
	bob := &assess.Assessment{Mailbox: "bob@example.com", Made: made, Depth: assess.Listed, Sizes: []assess.Class{{Most: 2048, Tally: assess.Tally{Messages: 10, Bytes: 15_000}}},
		Folders: []assess.Folder{{Path: []string{"INBOX"}, Messages: 10, Bytes: 15_000}}, Content: assess.Content{Messages: 10, Of: 10}}
	span := func(name string, from, to int) plan.Span {
		at := func(hours, minutes int) time.Time {
			return made.Add(time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute)
		}
		return plan.Span{Name: name, Start: plan.Range{P10: at(from, 0), P50: at(from, 0), P90: at(from, 1)}, End: plan.Range{P10: at(to, 0), P50: at(to, 30), P90: at(to, 55)}}
	}
	limit := pace.Limit{Name: "6,000 units per minute and user", Unit: pace.Points, Amount: 6000, Per: time.Minute}
	return Migration{Depth: assess.Listed,
		Mailboxes: []Mailbox{{"ann@example.com", "ann@example.org", "pilot", ann}, {"bob@example.com", "bob@example.org", "rest", bob}, {"joe@example.com", "joe@example.org", "rest", nil}},
		Risks: assess.Risks([]*assess.Assessment{ann, bob}, assess.Target{MaxMessage: 150 << 20, Unopened: []assess.Trouble{{Mailbox: "joe@example.com", Reason: "joe@example.com: wrong password"}}, Skew: -time.Hour,
			Names: assess.Names{Clean: strings.ToUpper, Key: func(p []string) string { return strings.Join(p, "/") }, Reserved: func([]string) bool { return false }, TooLong: func([]string) bool { return false }}}),
		Forecast: &plan.Forecast{Whole: span("", 0, 40), Waves: []plan.Span{span("pilot", 0, 10), span("rest", 10, 40)},
			Mailboxes: []plan.Mailbox{{Span: span("ann@example.com", 0, 10), Wave: "pilot", Took: 9 * time.Hour, Waited: []plan.Wait{{For: limit.Name, Time: time.Hour}}},
				{Span: span("bob@example.com", 10, 40), Wave: "rest", Took: time.Hour, Waited: []plan.Wait{{For: pace.Turn, Time: time.Minute}}}},
			Limits:  []plan.Use{{Limit: limit, Used: []float64{0.5, 0.97}}, {Limit: pace.Limit{Name: "idle"}, Used: []float64{0, 0.01}}},
			Slices:  plan.Slices{Start: made, Each: 20 * time.Hour},
			Days:    []plan.Day{{Date: made, Cost: pace.Cost{pace.Requests: 1000, pace.Points: 25_000}}},
			Causes:  []plan.Change{{What: limit.Name, Saves: 10 * time.Hour}, {What: plan.Answers, Saves: time.Second}},
			Changes: []plan.Change{{What: plan.Shared, Saves: 5 * time.Hour}}},
		Jobs: 2, Done: 3, Rules: []string{"exclude_folders Secret/*", "exclude_folders Other", `flagged \Deleted`},
		Cover: document.Cover{Name: "Example", Source: "mail.example.com", Target: "gmail", Endpoint: "http://127.0.0.1:1",
			Program: "mailhaul 1", Config: "abc", Language: language(t, tag), Zone: time.UTC, Made: made, Privacy: privacy.Policy{Level: privacy.Full}}}
}

// faces returns the page and the JSON of a plan, and fails if a face fails.
func faces(t *testing.T, m Migration) (page string, data map[string]any) {
	t.Helper()
	d, err := New(m)
	if err != nil {
		t.Fatal(err)
	}
	var html, xlsx, text bytes.Buffer
	for _, err := range []error{d.WriteHTML(&html), d.WriteXLSX(&xlsx), d.WriteJSON(&text, nil, nil)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := json.Unmarshal(text.Bytes(), &data); err != nil {
		t.Fatal(err)
	}
	return html.String(), data
}

// cells returns a column of a table in JSON.
func cells(t *testing.T, data map[string]any, table, column string) (values []string) {
	t.Helper()
	rows, ok := data[table].([]any)
	if !ok {
		t.Fatalf("there is no table %s", table)
	}
	for _, row := range rows {
		v, ok := row.(map[string]any)[column]
		if !ok {
			t.Fatalf("%s has no column %s: %v", table, column, row)
		}
		values = append(values, fmt.Sprint(v))
	}
	return values
}

func TestAllLanguagesSayTheSame(t *testing.T) {
	if err := locale.Check(texts); err != nil {
		t.Error(err)
	}
	for _, tag := range locale.Tags() {
		for _, target := range []string{"gmail", "graph"} {
			for _, depth := range []assess.Depth{assess.Fast, assess.Listed, assess.Deep} {
				for _, level := range []privacy.Level{privacy.Full, privacy.Masked, privacy.Hashed} {
					m := sample(t, tag)
					m.Target, m.Depth, m.Privacy.Level = target, depth, level
					if page, _ := faces(t, m); !strings.Contains(page, "Example") {
						t.Errorf("%s, %s, %s, %s: %.200s", tag, target, depth, level, page)
					}
				}
			}
		}
		m := sample(t, tag)
		m.Mailboxes, m.Risks, m.Forecast, m.Rules, m.Endpoint = nil, nil, nil, nil, ""
		faces(t, m)
	}
}

func TestTheFirstPageSaysWhatWhenAndHowMuch(t *testing.T) {
	page, data := faces(t, sample(t, "en"))
	first, _, _ := strings.Cut(page, `id="schedule"`)
	for _, want := range []string{"The mail of 3 mailboxes", "likely done by 24 Nov 2026, 08:30 UTC", "is not an address of its vendor", "one could not be opened", "911", "Messages that are too large", "Mailboxes that cannot be opened", "2 points by which mail would stay behind", "3 messages have moved already"} {
		if !strings.Contains(strings.ReplaceAll(first, "\u00a0", " "), want) {
			t.Errorf("the first page does not say %q", want)
		}
	}
	if got := cells(t, data, "biggest_risks", "risk"); !slices.Equal(got, []string{"message-too-large", "mailbox-unopened", "no-from"}) {
		t.Errorf("the biggest risks are %q", got)
	}
	totals := data["totals"].(map[string]any)
	if totals["messages"] != 911.0 || totals["mailboxes"] != 3.0 || totals["growth"] != 2.0 || totals["lasts"] == nil {
		t.Errorf("%v", totals)
	}
}

func TestWhatIsThereIsInTables(t *testing.T) {
	_, data := faces(t, sample(t, "en"))
	for _, c := range []struct {
		table, column string
		want          []string
	}{
		{"mailboxes", "messages", []string{"901", "10", "<nil>"}},
		{"mailboxes", "excluded", []string{"49", "0", "<nil>"}},
		{"mailboxes", "doubles", []string{"30", "0", "<nil>"}},
		{"mailboxes", "folders", []string{"2", "1", "<nil>"}},
		{"mailboxes", "daily", []string{"2", "0", "<nil>"}},
		{"sizes", "most", []string{"1024", "2048", "4096", "8192", "16384", "32768", "65536", "131072", "262144", "524288", "1.048576e+06", "2.097152e+06", "4.194304e+06", "8.388608e+06", "1.6777216e+07", "3.3554432e+07", "6.7108864e+07", "1.34217728e+08", "2.68435456e+08"}},
		{"largest", "folder", []string{"Project X", "Inbox"}},
		{"flags", "flag", []string{`\Seen`, "Divorce"}},
		{"folders", "folder", []string{"Inbox", "Project X", "Secret / Junk", "Inbox"}},
		{"folders", "left_out", []string{"<nil>", "<nil>", "Folders that match Secret/*", "<nil>"}},
		{"rules", "messages", []string{"40", "0", "9"}},
		{"waves", "mailboxes", []string{"1", "1"}},
		{"times", "waits_for", []string{"6,000 units per minute and user", "Turns of other mailboxes"}},
		{"causes", "change", []string{"6,000 units per minute and user"}},
		{"changes", "change", []string{"Another project or app registration"}},
		{"days", "calls", []string{"1000"}},
		{"sample", "seen", []string{"2", "0", "0", "0", "0"}},
		{"touched", "risk", []string{"message-too-large", "mailbox-unopened"}},
	} {
		got := cells(t, data, c.table, c.column)
		if c.table == "touched" {
			got = got[:2]
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s.%s is %q, want %q", c.table, c.column, got, c.want)
		}
	}
	for chart, want := range map[string]string{"arrivals": "[800 0 106]", "use": "[50 97]"} {
		c, _ := data[chart].(map[string]any)
		if series, ok := c["series"].([]any); !ok || fmt.Sprint(series[0].(map[string]any)["values"]) != want {
			t.Errorf("the chart %s is %v, want %s", chart, c, want)
		}
	}
	if labels := fmt.Sprint(data["gantt"].(map[string]any)["labels"]); labels != "[Wave pilot Wave rest ann@example.com bob@example.com]" {
		t.Errorf("the rows of times are %s", labels)
	}
	stock := data["stock"].(map[string]any)
	if stock["oldest"] != "2023-11-22" || stock["newest"] != "2026-11-22" || stock["folders"] != 3.0 || stock["doubles"] != 30.0 || stock["shared"] != 12.0 {
		t.Errorf("%v", stock)
	}
	if sizes := cells(t, data, "sizes", "messages"); sizes[0] != "500" || sizes[1] != "10" || sizes[12] != "400" || sizes[18] != "1" {
		t.Errorf("sizes %q", sizes)
	}
	if most := cells(t, data, "sample", "at_most"); most[0] < "10" || most[1] == "0" {
		t.Errorf("the bounds of the sample are %q", most)
	}
}

func TestWavesAreShownIfThereAreSeveral(t *testing.T) {
	m := sample(t, "en")
	if page, _ := faces(t, m); !strings.Contains(page, ">Wave<") {
		t.Error("the waves are not shown")
	}
	for i := range m.Mailboxes {
		m.Mailboxes[i].Wave = "all"
	}
	m.Forecast.Waves = m.Forecast.Waves[:1]
	if page, data := faces(t, m); strings.Contains(page, ">Wave<") || data["waves"] != nil {
		t.Error("one wave is shown")
	}
}

func TestNamesAreHiddenAsThePrivacyAsks(t *testing.T) {
	for _, level := range []privacy.Level{privacy.Masked, privacy.Hashed} {
		m := sample(t, "en")
		m.Privacy = privacy.Policy{Level: level, Key: []byte("key")}
		d, err := New(m)
		if err != nil {
			t.Fatal(err)
		}
		var all bytes.Buffer
		for _, write := range []error{d.WriteHTML(&all), d.WriteJSON(&all, nil, nil)} {
			if write != nil {
				t.Fatal(write)
			}
		}
		hidden := []string{"ann@", "joe@", "Divorce", "wrong password"}
		if level == privacy.Hashed {
			hidden = append(hidden, "Project X", "Secret")
		}
		for _, name := range hidden {
			if strings.Contains(all.String(), name) {
				t.Errorf("%s: the plan shows %q", level, name)
			}
		}
	}
	if page, _ := faces(t, sample(t, "en")); !strings.Contains(page, "wrong password") {
		t.Error("in full it does not show what the server says")
	}
}

func TestAFastPlanSaysWhatItDoesNotKnow(t *testing.T) {
	m := sample(t, "en")
	m.Depth, m.Risks = assess.Fast, nil
	m.Mailboxes = []Mailbox{{"ann@example.com", "ann@example.org", "", &assess.Assessment{Depth: assess.Fast, Folders: []assess.Folder{{Path: []string{"INBOX"}, Messages: 12}}}}}
	page, data := faces(t, m)
	for _, want := range []string{"This is a quick estimate", "the old server does not say", "No message was read", "Nothing was found"} {
		if !strings.Contains(page, want) {
			t.Errorf("the plan does not say %q", want)
		}
	}
	totals := data["totals"].(map[string]any)
	if _, ok := totals["growth"]; ok || data["sizes"] != nil || totals["bytes"] != nil {
		t.Errorf("%v", totals)
	}
	m.Mailboxes[0].Assessment.Folders[0].Messages, m.Endpoint = 0, ""
	page, data = faces(t, m)
	if totals := data["totals"].(map[string]any); totals["bytes"] != 0.0 || strings.Contains(page, "is not an address of its vendor") {
		t.Errorf("of no messages %v", totals)
	}
}

func TestMailCannotWriteThePlan(t *testing.T) {
	m := sample(t, "en")
	const bad = `<script>alert(1)</script>`
	m.Mailboxes[0].Assessment.Folders[0].Path = []string{bad}
	m.Mailboxes[0].Assessment.Largest[0].Folder = []string{bad}
	m.Mailboxes[0].Assessment.Flags[1].Flag = bad
	m.Mailboxes[0].Source, m.Forecast.Mailboxes[0].Name, m.Forecast.Waves[0].Name = bad, bad, bad
	m.Risks[0].Examples[0] = assess.Example{Mailbox: bad, Folder: []string{bad}, Text: bad}
	if page, _ := faces(t, m); strings.Contains(page, "<script>alert") {
		t.Error("a name is taken for HTML")
	}
}
