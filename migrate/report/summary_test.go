package report

import (
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate/document"
)

// only is the sample with some of its mailboxes.
func only(t testing.TB, boxes ...int) Migration {
	m := sample(t, "en")
	all := m.Mailboxes
	m.Mailboxes = nil
	for _, i := range boxes {
		m.Mailboxes = append(m.Mailboxes, all[i])
	}
	return m
}

func TestTheFirstSentenceSaysHowItStands(t *testing.T) {
	for _, c := range []struct {
		boxes []int
		want  string
		mood  document.Mood
	}{
		{[]int{0, 1}, "All mailboxes moved completely, and comparing them with their copies found no difference.", document.Good},
		{[]int{0, 2}, "All mailboxes moved. In one of them there are messages that need a decision; each is listed.", document.Warn},
		{[]int{2, 2}, "All mailboxes moved. In 2 of them there are messages that need a decision; each is listed.", document.Warn},
		{[]int{0, 2, 3}, "The migration is not finished: one mailbox is not complete, or was not compared with its copy.", document.Bad},
	} {
		notice := made(t, only(t, c.boxes...)).Sections[0].Blocks[0].(document.Notice)
		if notice.Text != c.want || notice.Mood != c.mood {
			t.Errorf("%v: %s: %q, want %s: %q", c.boxes, notice.Mood, notice.Text, c.mood, c.want)
		}
	}
}

func TestTheTimeGoesFromTheFirstPassToTheLast(t *testing.T) {
	m := only(t, 1, 0, 3)
	early, late := m.Mailboxes[0].Ledger.(*memory), m.Mailboxes[1].Ledger.(*memory)
	early.state.Started, early.state.Ended = at(10), at(200) // a verification came before the end of it, but not before its start
	early.verification.Started, early.verification.Ended = at(11), at(12)
	late.state.Ended = at(100)
	text := strings.Join(made(t, m).Sections[0].Blocks[1].(document.Text), " ")
	want := "The mail of 2 mailboxes moved from mail.example.com to Google Workspace, between 20 Nov 2026 and 28 Nov 2026. " +
		"The mail of one mailbox is to move from mail.example.com to Google Workspace. The work has not begun."
	if text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	late.state.Started, late.state.Ended = at(300), time.Time{} // it was killed
	if text := made(t, m).Sections[0].Blocks[1].(document.Text)[0]; !strings.Contains(text, "and 2 Dec 2026") {
		t.Error(text)
	}
}

func TestOneMailboxNeedsNoTotalAndAVendorNoWarning(t *testing.T) {
	m := only(t, 0)
	m.Endpoint = ""
	d := made(t, m)
	if boxes, _ := table(t, d, "mailboxes"); boxes.Total != nil {
		t.Errorf("the total is %v", boxes.Total)
	}
	for _, b := range d.Sections[0].Blocks[1:] {
		if n, ok := b.(document.Notice); ok {
			t.Errorf("it warns: %s", n.Text)
		}
	}
}

func TestTheFiguresOfPageOne(t *testing.T) {
	m := only(t, 0, 1)
	m.Mailboxes[0].Ledger.(*memory).state.Complete = false
	facts := map[string]document.Fact{}
	for _, f := range made(t, m).Sections[0].Blocks[2].(document.Figures).Facts {
		facts[f.Key] = f
	}
	if f := facts["complete"]; f.Value != int64(1) || f.Note != "of 2" {
		t.Errorf("complete: %v %s", f.Value, f.Note)
	}
	if f := facts["failed"]; f.Value != int64(0) || f.Mood != document.Good {
		t.Errorf("failed: %v %s", f.Value, f.Mood)
	}
	for _, f := range made(t, only(t, 2)).Sections[0].Blocks[2].(document.Figures).Facts {
		if f.Key == "failed" && (f.Value != int64(3) || f.Mood != document.Warn) {
			t.Errorf("failed: %v %s", f.Value, f.Mood)
		}
	}
}

func TestTheZoneHasANameThatMeansSomethingElsewhere(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for want, zone := range map[string]*time.Location{
		"UTC":            time.UTC,
		"Asia/Kathmandu": time.FixedZone("Asia/Kathmandu", 5*3600+45*60),
		"UTC+05:45":      time.FixedZone("Local", 5*3600+45*60),
	} {
		if got := zoneName(at.In(zone)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
