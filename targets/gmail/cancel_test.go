package gmail

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

func TestWhatWasNotSentIsNotInDoubt(t *testing.T) {
	_, server := serve(t, gmailsim.Options{})
	c := config(server)
	c.Limiter = pace.NewLimiter(nil)
	target := open(t, c)
	c.Limiter.Park(time.Now().Add(time.Hour), "test")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, folder := range []migrate.FolderID{inbox, sent, draft} {
		_, err := target.Append(ctx, folder, targettest.Letter("waiting"))
		if e, ok := errors.AsType[*migrate.Error](err); !ok || !e.Refused || e.Class != migrate.Transient || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the error is %#v", folder, err)
		}
	}
}
