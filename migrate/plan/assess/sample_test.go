package assess

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-message"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

func read(text string) (*message.Entity, error) { return message.Read(strings.NewReader(text)) }

func TestASampleIsSpreadOverFoldersAsTheMessagesAre(t *testing.T) {
	w := &world{}
	w.folder("Large", sized(3000, 1000)...)
	w.folder("Small", sized(1000, 1000)...)
	a := w.assess(t, nil, options())
	if a.Content.Messages != sampleMost || len(w.read) != sampleMost || a.Content.Of != 4000 {
		t.Fatalf("%+v, %d read", a.Content, len(w.read))
	}
	var half [2][2]int
	for _, r := range w.read {
		var folder string
		var uid int
		fmt.Sscan(r, &folder, &uid)
		of := map[string]int{"Large": 0, "Small": 1}[folder]
		half[of][map[bool]int{true: 0, false: 1}[uid <= []int{1500, 500}[of]]]++
	}
	for i, want := range [][2]float64{{75, 75}, {25, 25}} {
		for j, want := range want {
			if off := math.Abs(float64(half[i][j]) - want); off > 4*math.Sqrt(want) {
				t.Errorf("of the quarters %v were drawn", half)
			}
		}
	}
	again := slices.Clone(w.read)
	w.read = nil
	w.assess(t, nil, options())
	if !slices.Equal(w.read, again) {
		t.Error("the sample is another one the second time")
	}
}

func TestADeepAssessmentReadsAllMessages(t *testing.T) {
	w := &world{}
	b := w.folder("INBOX", sized(500, 1000)...)
	w.folder("Work", sized(20, 1000)...)
	b.bodies[17] = strings.Replace(plain, "From", "Form", 1)
	b.bodies[18] = b.bodies[17]
	o := options()
	o.Depth = Deep
	a := w.assess(t, nil, o)
	if a.Content.Messages != 520 || a.Content.Found["from"] != 2 || len(w.read) != 520 {
		t.Errorf("%+v, %d read", a.Content, len(w.read))
	}
	if n, s := Estimate([]*Assessment{a}, "from"); n != 2 || s != nil {
		t.Errorf("an estimate of what is known: %d, %+v", n, s)
	}

	// What was read once is used by one that is not so deep, and then again.
	dir := t.TempDir()
	if err := a.Save(dir); err != nil {
		t.Fatal(err)
	}
	w.read = nil
	if a = w.assess(t, Open(dir, "ann"), options()); len(w.read) != 0 || a.Content.Messages != 520 {
		t.Errorf("%+v, %d read", a.Content, len(w.read))
	}
	w.folders[1].add(sized(1, 2000)...)
	a = w.assess(t, Open(dir, "ann"), options())
	if a.Content.Messages != sampleMost || a.Content.Of != 521 {
		t.Errorf("where not all was read the sample counts, not %+v", a.Content)
	}
	w.read = nil
	if a = w.assess(t, a, o); a.Content.Messages != 521 || len(w.read) != 21 {
		t.Errorf("deep again: %+v, %d read", a.Content, len(w.read))
	}
}

func TestTheErrorOfAnEstimateHolds(t *testing.T) {
	// 2 % of the messages of two folders lack an author. Of many samples one in
	// twenty may claim that it is fewer.
	const all, bad, trials = 2000, 40, 400
	wrong, sum := 0, int64(0)
	for i := range trials {
		parts := []*survey{{Path: []string{fmt.Sprint(i)}}, {Path: []string{"other", fmt.Sprint(i)}}}
		for n := range migrate.UID(all) {
			parts[n%3/2].draw(&migrate.Message{UID: n})
		}
		for _, tickets := range drawn(parts) {
			for _, ticket := range tickets {
				if ticket.Read = true; ticket.UID < bad {
					ticket.Found = []string{"from"}
				}
			}
		}
		a := &Assessment{Content: seen(parts)}
		a.Content.Of = all
		n, s := Estimate([]*Assessment{a}, "from")
		if s.Read != sampleMost || s.Most < n {
			t.Fatalf("%+v", s)
		}
		if sum += n; s.Most < bad {
			wrong++
		}
	}
	if mean := float64(sum) / trials; mean < 0.95*bad || mean > 1.05*bad {
		t.Errorf("on average %.1f are estimated, and %d it is", mean, bad)
	}
	if wrong > trials/20 {
		t.Errorf("%d of %d bounds do not hold", wrong, trials)
	}
}

func TestTheBoundIsThatOfClopperAndPearson(t *testing.T) {
	// By exact arithmetic with binomial coefficients.
	for _, c := range []struct {
		n, k int64
		want float64
	}{{200, 0, 0.0148670392}, {200, 2, 0.0311425994}, {20, 1, 0.2161061642}, {10, 10, 1}, {0, 0, 1}} {
		if got := verify.Upper(c.n, c.k); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%d of %d: %.10f, want %.10f", c.k, c.n, got, c.want)
		}
	}
}

func TestMailboxesThatWereReadWholeAddNoError(t *testing.T) {
	whole := &Assessment{Content: Content{Messages: 50, Of: 50, Found: map[string]int64{"from": 5}}}
	drawn := &Assessment{Content: Content{Messages: 200, Of: 20_000, Found: map[string]int64{"from": 2}}}
	more := &Assessment{Content: Content{Messages: 200, Of: 400}}
	n, s := Estimate([]*Assessment{whole, drawn, {}}, "from")
	if n != 205 || s.Found != 7 || s.Read != 250 || s.Of != 20_050 || s.Most != 5+int64(math.Ceil(verify.Upper(200, 2)*20_000)) {
		t.Errorf("%d, %+v", n, s)
	}
	if n, s := Estimate([]*Assessment{drawn, more}, "from"); n != 200 || s.Most != int64(math.Ceil(verify.Upper(204, 2)*20_400)) {
		t.Errorf("of mailboxes with other shares %d, %+v", n, s)
	}
	if n, s := Estimate([]*Assessment{whole}, "from"); n != 5 || s != nil {
		t.Errorf("%d, %+v", n, s)
	}
}
