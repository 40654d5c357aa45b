package main

import (
	"slices"
	"testing"
)

// Doubles of the source are its user's: they stay what they are where folders
// hold messages, and are one message with all its labels where labels do. They
// are counted either way.
func TestEqualMessagesOfTheSourceAreEachCounted(t *testing.T) {
	t.Parallel()
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			bob := o.person(t, "bob")
			if err := bob.Create("Clients", nil); err != nil {
				t.Fatal(err)
			}
			const inInbox = 16
			for range inInbox {
				put(t, bob, "INBOX", letter("bob", 1, ""))
			}
			for _, folder := range []string{"Sent", "Clients"} {
				put(t, bob, folder, letter("bob", 1, ""))
			}
			url, replicas := w.serve(t, officeToken)
			config := o.migration(t, w.kind, url, "", "", "bob")
			if w.route != "" {
				edit(t, config, `route = "auto"`, `route = "`+w.route+`"`)
			}
			for range 2 {
				ends(t, exitDone, []string{"run", "--config", config})
				in := map[string]int{}
				for _, r := range replicas("bob@example.org") {
					for _, f := range r.folders {
						in[f]++
					}
				}
				s := sumsOf(t, config, exitDone)
				copied, merged := s.Total.Outcomes["copied"], s.Total.Outcomes["merged"]
				if w.kind == "gmail" {
					if len(in) != 3 || in["INBOX"] != 1 || in["Clients"] != 1 || copied != 1 || merged != inInbox+1 {
						t.Errorf("by label %v, outcomes %v", in, s.Total.Outcomes)
					}
				} else if len(in) != 3 || in["Inbox"] != inInbox || in["Clients"] != 1 || copied != inInbox+2 {
					t.Errorf("by folder %v, outcomes %v", in, s.Total.Outcomes)
				}
				for _, f := range s.Mailboxes[0].Folders {
					if want := map[bool]int64{true: inInbox, false: 1}[slices.Equal(f.Path, []string{"INBOX"})]; f.Sums.Listed != want {
						t.Errorf("%s: %d listed, want %d", f.Path, f.Sums.Listed, want)
					}
				}
			}
		})
	}
}
