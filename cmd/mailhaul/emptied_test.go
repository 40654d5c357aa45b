package main

import (
	"bytes"
	"strings"
	"testing"
)

// A target may take everything and keep nothing, or be emptied by its user. A
// run cannot know, and claims no more than that the mail was taken.
func TestVerifyFindsAMailboxThatWasEmptied(t *testing.T) {
	t.Parallel()
	vaults(t, func(t *testing.T, v *vault) {
		o := newOffice(t, "ann")
		config := o.migration(t, v.kind, v.url, "", "", "ann")
		drop := func() {
			t.Helper()
			for _, folder := range []string{"INBOX", "Sent"} {
				for _, r := range recorded(t, config, "ann", folder) {
					if err := v.drop("ann@example.org", string(r.Target)); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		for range 2 { // the second time nothing is left to copy
			text := ends(t, exitDone, []string{"run", "--config", config}, "not verified")
			if strings.Count(text, "verified") > 1 {
				t.Errorf("a run calls verified what it has not looked at:\n%s", text)
			}
			if v.held("ann@example.org") > 0 {
				drop()
			}
		}
		ends(t, exitPerson, []string{"verify", "--config", config, "--depth", "counts"}, "6 missing: copied, and nowhere at the target",
			"INBOX, UID 3", "Sent, UID 3", "<ann-0@example.com>", "<ann-5@example.com>", "compared; 6 differences need a person")
		ends(t, exitDone, []string{"run", "--config", config, "--from-verify"})
		ends(t, exitDone, []string{"verify", "--config", config, "--depth", "content"}, "Content: 6 messages were read back, 6 verified")
	})
}

func TestVerifyFindsRecipientsThatWereRewritten(t *testing.T) {
	t.Parallel()
	vaults(t, func(t *testing.T, v *vault) {
		o := newOffice(t, "ann")
		config := o.migration(t, v.kind, v.url, "", "", "ann")
		ends(t, exitDone, []string{"run", "--config", config})
		for uid, to := range map[int]string{1: "To: outlook_7d1f@example.com", 2: "X-To: all@example.com"} {
			id := ""
			for u, r := range recorded(t, config, "ann", "INBOX") {
				if int(u) == uid {
					id = string(r.Target)
				}
			}
			if err := v.rewrite("ann@example.org", id, func(b []byte) []byte {
				return bytes.Replace(b, []byte("To: all@example.com"), []byte(to), 1)
			}); err != nil {
				t.Fatal(err)
			}
		}
		ends(t, exitPerson, []string{"verify", "--config", config, "--depth", "content"}, "<ann-0@example.com>, To is different", "<ann-2@example.com>, To is missing", "6 messages were read back, 4 verified")
	})
}
