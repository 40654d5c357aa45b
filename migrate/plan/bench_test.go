package plan

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
)

// company returns mailboxes with messages of many sizes, of which all have so
// many together.
func company(mailboxes int, messages int64) (ls []Load) {
	random := rand.New(rand.NewPCG(1, 1))
	weights, sum := make([]float64, mailboxes), 0.0
	for i := range weights {
		weights[i] = math.Exp(random.NormFloat64())
		sum += weights[i]
	}
	for i, w := range weights {
		n := float64(messages) * w / sum
		l := Load{Name: fmt.Sprint("box", i), Folders: 30}
		for _, c := range []struct {
			share float64
			size  int64
		}{{0.5, 8_000}, {0.3, 30_000}, {0.15, 150_000}, {0.045, 1_000_000}, {0.005, 8_000_000}} {
			l.Sizes = append(l.Sizes, Size{int64(n * c.share), int64(n*c.share) * c.size})
		}
		ls = append(ls, l)
	}
	return ls
}

func graphModel() Model {
	call := func(median time.Duration) Call {
		return Call{Cost: pace.Cost{pace.Requests: 1}, Median: median, Sigma: 0.5}
	}
	post := call(300 * time.Millisecond)
	post.Sent, post.Rate = 4.0/3, 10_000_000
	return Model{
		Own: []pace.Limit{
			{Name: "requests", Unit: pace.Requests, Amount: 9_900, Per: 10 * time.Minute},
			{Name: "uploads", Unit: pace.Bytes, Amount: 148_500_000, Per: 5 * time.Minute}},
		Shared:   []pace.Limit{{Name: "app", Unit: pace.Requests, Amount: 130_000, Per: 10 * time.Second}},
		Parallel: 4,
		Open:     []Call{call(150 * time.Millisecond)},
		Folder:   []Call{call(150 * time.Millisecond)},
		Write:    []Write{{Calls: []Call{post, call(150 * time.Millisecond)}}},
	}
}

func gmailModel() Model {
	call := func(points int64, median time.Duration) Call {
		return Call{Cost: pace.Cost{pace.Requests: 1, pace.Points: points}, Median: median, Sigma: 0.5}
	}
	write := call(25, 800*time.Millisecond)
	write.Sent, write.Rate = 1, 10_000_000
	return Model{
		Own: []pace.Limit{{Name: "user", Unit: pace.Points, Amount: 5_925, Per: time.Minute, Burst: 50}},
		Shared: []pace.Limit{{Name: "project", Unit: pace.Points, Amount: 1_185_000, Per: time.Minute, Burst: 10_000},
			{Name: "day", Unit: pace.Points, Amount: 80_000_000, Per: 24 * time.Hour}},
		Parallel: 8, First: 4,
		Open:   []Call{call(1, 170*time.Millisecond)},
		Folder: []Call{call(5, 170*time.Millisecond)},
		Write:  []Write{{Calls: []Call{write}}},
		Merge:  []Call{call(5, 170*time.Millisecond)},
	}
}

// BenchmarkCompany plans 2,000 mailboxes with 100,000,000 messages, with all that
// a forecast says.
func BenchmarkCompany(b *testing.B) {
	for name, model := range map[string]Model{"graph": graphModel(), "gmail": gmailModel()} {
		b.Run(name, func(b *testing.B) {
			m := &Migration{Loads: company(2000, 100_000_000), Model: model, Jobs: 200, Start: monday, Doubt: Doubt{0.2, 0.03}}
			for b.Loop() {
				f, err := m.Forecast(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(f.Whole.End.P50.Sub(monday).Hours()/24, "days")
			}
		})
	}
}
