package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// messageIDs are header lines as real mail has them; the first are none.
func messageIDs() []string {
	return []string{
		"", "", "X-Other: <other@example.com>\r\n",
		"Message-ID:\r\n", "Message-ID: \t \r\n", "Message-ID: <>\r\n",
		"Message-ID: <same@example.com>\r\n", "message-id: <same@example.com>\r\n", "MESSAGE-ID:\r\n <same@example.com>\r\n",
		"Message-ID: <SAME@Example.COM>\r\n", "Message-ID: same@example.com\r\n", "Message-ID: <same@example.com> (a comment)\r\n",
		"Message-ID: <one@example.com> <two@example.com>\r\n", "Message-ID: <one@example.com>\r\nMessage-ID: <two@example.com>\r\n",
		"Message-ID: <with space@example.com>\r\n", "Message-ID: <\xfc@example.com>\r\n", "Message-ID: <a\"b{c}@example.com>\r\n",
		"Message-ID: <" + strings.Repeat("long", 300) + "@example.com>\r\n",
	}
}

// The messages have one author, one subject and one date: nothing but their
// content tells them apart.
func TestMailArrivesOnceAndUnchangedWhateverItsMessageID(t *testing.T) {
	t.Parallel()
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			bob := o.person(t, "bob")
			want := map[string]int{}
			for i, field := range messageIDs() {
				for n, folder := range []string{"INBOX", "Sent", "Sent"} {
					text := fmt.Sprintf("From: bob@example.com\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\nSubject: same\r\n%s\r\nletter %d %d.\r\n", field, i, n)
					put(t, bob, folder, text)
					want[text]++
				}
			}
			url, replicas := w.serve(t, officeToken)
			config := o.migration(t, w.kind, url, "", "", "bob")
			if w.route != "" {
				edit(t, config, `route = "auto"`, fmt.Sprintf("route = %q", w.route))
			}
			for range 3 {
				ends(t, exitDone, []string{"run", "--config", config})
				all := replicas("bob@example.org")
				if len(all) != len(want) {
					t.Fatalf("%d messages are there, want %d", len(all), len(want))
				}
				for id, r := range all {
					text := string(r.handed)
					switch w.route {
					case "importmime":
						text = string(withoutKey(r.handed))
					case string(graphsim.RouteJSON): // it is not handed the octets
						continue
					}
					if want[text] != 1 {
						t.Errorf("%s is no message of the source: %q", id, text)
					}
				}
			}
			s := sumsOf(t, config, exitDone)
			if s.Total.Outcomes["copied"] != int64(len(want)) {
				t.Errorf("the outcomes are %v", s.Total.Outcomes)
			}
		})
	}
}
