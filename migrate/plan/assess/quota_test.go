package assess

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// holding is a source whose quota is that.
func (w *world) holding(octets, messages migrate.Quota) {
	w.quota = func(context.Context) (migrate.Quota, migrate.Quota, error) { return octets, messages, nil }
}

func TestAMailboxThatIsNearlyFullIsARisk(t *testing.T) {
	for _, c := range []struct {
		octets, messages migrate.Quota
		severity         Severity
		text             string
	}{
		{migrate.Quota{Used: 899, Limit: 1000}, migrate.Quota{Used: 899, Limit: 1000}, "", ""},
		{migrate.Quota{Used: 900, Limit: 1000}, migrate.Quota{}, Serious, "90 %"},
		{migrate.Quota{Used: 10, Limit: 1000}, migrate.Quota{Used: 9, Limit: 10}, Serious, "90 %"},
		{migrate.Quota{Used: 9999, Limit: 10_000}, migrate.Quota{Used: 1, Limit: 10}, Serious, "99 %"},
		{migrate.Quota{Used: 1000, Limit: 1000}, migrate.Quota{}, Severe, "100 %"},
		{migrate.Quota{Used: 10, Limit: 1000}, migrate.Quota{Used: 15, Limit: 10}, Severe, "150 %"},
		{migrate.Quota{Used: 1000}, migrate.Quota{Used: 1000}, "", ""},
	} {
		w := &world{}
		w.folder("INBOX", sized(3, 1000)...)
		w.holding(c.octets, c.messages)
		for _, depth := range []Depth{Fast, Listed} {
			o := options()
			o.Depth = depth
			all := Risks([]*Assessment{w.assess(t, nil, o)}, target())
			if c.text == "" {
				if len(all) != 0 {
					t.Errorf("%+v: %+v", c, all)
				}
				continue
			}
			r := risk(t, all, SourceFull)
			if r.Severity != c.severity || len(r.Mailboxes) != 1 || r.Mailboxes[0] != (Touched{"ann", 0, 0}) || r.Examples[0].Text != c.text || r.Examples[0].Size != c.octets.Used {
				t.Errorf("%+v: %+v", c, r)
			}
		}
	}
}

func TestOneFullMailboxAmongNearlyFullOnesIsSevere(t *testing.T) {
	of := func(used int64) *Assessment { return &Assessment{QuotaOctets: migrate.Quota{Used: used, Limit: 100}} }
	if r := risk(t, Risks([]*Assessment{of(95), of(100), of(95)}, target()), SourceFull); r.Severity != Severe || len(r.Examples) != 3 {
		t.Errorf("%+v", r)
	}
}

func TestASourceThatDoesNotTellItsQuotaIsAssessedAllTheSame(t *testing.T) {
	full := migrate.Quota{Used: 1, Limit: 1}
	synctest.Test(t, func(t *testing.T) {
		for name, quota := range map[string]func(context.Context) (migrate.Quota, migrate.Quota, error){
			"an error": func(context.Context) (migrate.Quota, migrate.Quota, error) { return full, full, errRefused },
			"silence": func(ctx context.Context) (migrate.Quota, migrate.Quota, error) {
				<-ctx.Done()
				return full, full, ctx.Err()
			},
		} {
			w := &world{quota: quota}
			w.folder("INBOX", sized(3, 1000)...)
			started := time.Now()
			a := w.assess(t, nil, options())
			if a.QuotaOctets != (migrate.Quota{}) || a.QuotaMessages != (migrate.Quota{}) || a.Total().Messages != 3 || time.Since(started) > time.Minute {
				t.Errorf("%s: %+v after %v", name, a, time.Since(started))
			}
		}
	})
	w := &world{}
	w.folder("INBOX", sized(3, 1000)...)
	if a, err := Mailbox(t.Context(), "ann", struct{ migrate.Source }{w}, nil, options()); err != nil || a.Total().Messages != 3 {
		t.Errorf("of a source that cannot: %+v, %v", a, err)
	}
}

func TestTheQuotaIsThatOfTodayThoughNothingElseChanged(t *testing.T) {
	dir := t.TempDir()
	w := &world{}
	w.folder("INBOX", sized(3, 1000)...)
	for used := range int64(3) {
		octets, messages := migrate.Quota{Used: used, Limit: 10}, migrate.Quota{Used: 2 * used, Limit: 20}
		w.holding(octets, messages)
		a := w.assess(t, Open(dir, "ann"), options())
		if a.QuotaOctets != octets || a.QuotaMessages != messages || len(w.listed) != 1 {
			t.Errorf("%d: %+v, listed %v", used, a, w.listed)
		}
		if err := a.Save(dir); err != nil {
			t.Fatal(err)
		}
	}
}
