package gmail

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
)

func TestARefusalOfTheProjectParksEveryMailboxAndThatOfAUserOnlyHis(t *testing.T) {
	for _, test := range []struct {
		quota gmailsim.Quota
		want  time.Duration // that another mailbox waits
	}{
		{gmailsim.Quota{ProjectPerMinute: 12}, time.Second},
		{gmailsim.Quota{UserPerMinute: 12}, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			project := pace.NewLimiter(nil)
			_, target := inside(t, gmailsim.Options{Quota: test.quota}, Config{Limiter: pace.NewLimiter(project)})
			refused := false
			for range 3 { // the quota has two calls in reserve
				_, err := target.Position(t.Context())
				refused = refused || err != nil
			}
			if !refused {
				t.Fatal("no call was refused")
			}
			begun := time.Now()
			if err := pace.NewLimiter(project).Wait(t.Context(), pace.Cost{}); err != nil {
				t.Fatal(err)
			}
			if waited := time.Since(begun); waited != test.want {
				t.Errorf("after a refusal for %+v another mailbox waited %v, want %v", test.quota, waited, test.want)
			}
		})
	}
}
