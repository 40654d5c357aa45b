package gmail

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim/discovery"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

// belowFields says whether read is appended below header fields.
func belowFields(appended, read []byte) error {
	if !bytes.HasSuffix(read, appended) {
		return fmt.Errorf("it reads %.300q, want it to end with %.300q", read, appended)
	}
	return nil
}

func TestReadingBack(t *testing.T) {
	for name, test := range map[string]struct {
		o     gmailsim.Options
		route Route
	}{
		"as documented": {},
		"sent refused":  {o: gmailsim.Options{Sent: gmailsim.PolicyRefuse, LostLabel: gmailsim.LostUnknown}},
		"inserted":      {route: RouteInsert, o: gmailsim.Options{LostLabel: gmailsim.LostNotFound, DateAdded: true, BatchLost: gmailsim.MissingInvalid}},
		"other lists": {o: gmailsim.Options{NothingAdded: true, PageByCount: true, SpamByFlag: true, LostLabel: gmailsim.LostNoMessage,
			SentLeaves: true, NestedRenames: true, BatchLost: gmailsim.MissingNotFound}},
		"half a batch": {o: gmailsim.Options{BatchLost: gmailsim.MissingStops}},
	} {
		t.Run(name, func(t *testing.T) {
			targettest.RunReadable(t, func(t *testing.T) targettest.ReadableMailbox {
				return readable(t, test.o, test.route)
			})
		})
	}
}

// readable returns a mailbox on a simulator of its own.
func readable(t *testing.T, o gmailsim.Options, route Route) targettest.ReadableMailbox {
	sim, err := gmailsim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	var cut atomic.Bool
	checked := discovery.Checked(t, sim)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if cut.Load() {
			panic(http.ErrAbortHandler) // closes the connection
		}
		checked.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c := config(server)
	if route != "" {
		c.Route = route
	}
	person := open(t, config(server))
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	return targettest.ReadableMailbox{
		Open: func(t *testing.T) targettest.Readable { return open(t, c) },
		Many: pageSize + 1,
		Same: belowFields,
		Trash: func(t *testing.T, id migrate.MessageID) {
			must(t, sim.Relabel(user, string(id), nil, []string{string(trash)}))
		},
		Remove:       func(t *testing.T, id migrate.MessageID) { must(t, sim.Drop(user, string(id))) },
		RemoveFolder: func(t *testing.T, folder migrate.FolderID) { deleteLabels(t, person, folder) },
		Cut:          func(*testing.T) { cut.Store(true) },
	}
}
