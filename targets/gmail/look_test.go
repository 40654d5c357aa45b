package gmail

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/verify"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

func TestReadingBackWritesNothing(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{})
	id := appended(t, open(t, config(server)), inbox, targettest.Letter("read"))
	_, reading := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("a request is %s %s", r.Method, r.URL.Path)
		}
		sim.ServeHTTP(w, r)
	})
	c := config(reading)
	c.Route = RouteImport // or insert: RouteAuto would probe
	target := open(t, c)
	for _, folder := range []migrate.FolderID{inbox, archive, junk} {
		listed(t, target, folder, func() {})
	}
	for range target.List(t.Context(), "Label_9") {
	}
	if _, err := target.Look(t.Context(), id); err != nil {
		t.Error(err)
	}
	h, content, err := target.Open(t.Context(), id)
	if err != nil || !h.Complete {
		t.Fatalf("opened, it shows %+v, error %v", h, err)
	}
	content.Close()
}

// A label that Gmail has made for itself since is no folder, whatever it is.
func TestLabelsThatAreNoFoldersAreNotShown(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{})
	target := open(t, config(server))
	id := appended(t, target, inbox, targettest.Letter("labels", migrate.Seen))
	err := sim.Relabel(user, string(id), nil, []string{"IMPORTANT", "CATEGORY_SOCIAL", "UNREAD"})
	h, lookErr := target.Look(t.Context(), id)
	if err != nil || lookErr != nil || len(h.Folders) != 2 || len(h.Flags) != 0 {
		t.Errorf("it is in %q with %q, errors %v, %v", h.Folders, h.Flags, err, lookErr)
	}
}

func TestReadingKeepsTheSafeProfile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		profile := Profiles()[0]
		quota, err := gmailsim.ParseQuota(profile.Name)
		if err != nil {
			t.Fatal(err)
		}
		limiter := pace.NewLimiter(pace.NewLimiter(nil, profile.Project...), profile.User...)
		_, target := inside(t, gmailsim.Options{Quota: quota}, Config{Limiter: limiter})
		id := appended(t, target, inbox, targettest.Letter("paced"))
		began := time.Now()
		work := verify.Work{Folders: 400, Looks: 100, Opens: 100}
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for range 25 {
					if _, err := target.Look(t.Context(), id); err != nil {
						t.Error("look:", err)
					}
					if _, content, err := target.Open(t.Context(), id); err != nil {
						t.Error("open:", err)
					} else {
						content.Close()
					}
					for range 4 {
						for _, err := range target.List(t.Context(), inbox) {
							if err != nil {
								t.Error("list:", err)
							}
						}
					}
				}
			})
		}
		group.Wait()
		if rate := float64(ReadCost(work)[pace.Points]) / time.Since(began).Minutes(); rate < 5900 || rate > 6100 {
			t.Errorf("%.0f units a minute", rate)
		}
	})
}
