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
	for name, o := range map[string]gmailsim.Options{
		"as documented": {},
		"sent refused":  {Sent: gmailsim.PolicyRefuse},
	} {
		t.Run(name, func(t *testing.T) {
			targettest.RunReadable(t, func(t *testing.T) targettest.ReadableMailbox {
				sim, err := gmailsim.New(o)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { sim.Close() })
				var cut atomic.Bool
				checked := discovery.Checked(t, sim)
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if cut.Load() {
						panic(http.ErrAbortHandler)
					}
					checked.ServeHTTP(w, r)
				}))
				t.Cleanup(server.Close)
				person := open(t, config(server))
				return targettest.ReadableMailbox{
					Open: func(t *testing.T) targettest.Readable { return open(t, config(server)) },
					Many: pageSize + 1,
					Same: belowFields,
					Trash: func(t *testing.T, id migrate.MessageID) {
						if _, err := person.service.Users.Messages.Trash(user, string(id)).Do(); err != nil {
							t.Fatal(err)
						}
					},
					Remove: func(t *testing.T, id migrate.MessageID) {
						if err := person.service.Users.Messages.Delete(user, string(id)).Do(); err != nil {
							t.Fatal(err)
						}
					},
					RemoveFolder: func(t *testing.T, folder migrate.FolderID) { deleteLabels(t, person, folder) },
					Cut:          func(*testing.T) { cut.Store(true) },
				}
			})
		})
	}
}
