package gmail

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

func TestMailThatGmailDatesByTheImportIsNoted(t *testing.T) {
	dated := 0
	for _, date := range []string{
		"", "Date:", "Date: yesterday", "Date: Fri, 03 Jul 2009 25:61:00 +0000", "Date: 2009-07-03T14:15:16Z", "Date: Fri, 03 Jul 2009",
		"Date: Fri, 03 Jul 2009 14:15:16 +0000", "Date: Mon, 03 Jul 2009 14:15:16 +0000", "Date: Fri, 03 Jul 09 14:15:16 +0000", "Date: 3 Jul 2009 14:15:16",
		"Date: Fri, 03 Jul 2009 14:15:16.5 +0000", "Date: Fri, 03 Jul 2009 14:15:16 CEST", "Date: Fri, 03 Jul 2009 14:15:16 +9999", "Date: Fri, 03 Jul 109 14:15:16 +0000",
		"Date: Fri, 03 Jul 2009 14:15:16 +0000\r\nDate: Sat, 04 Jul 2009 14:15:16 +0000", "Date: yesterday\r\nDate: Sat, 04 Jul 2009 14:15:16 +0000",
	} {
		if date != "" {
			date += "\r\n"
		}
		for _, o := range []gmailsim.Options{{}, {DateHeaderOnly: true}} {
			sim, server := serve(t, o)
			begun := time.Now().Truncate(time.Millisecond)
			stored, err := open(t, config(server)).Append(t.Context(), inbox, targettest.Message([]byte("From: ann@example.org\r\n"+date+"\r\nbody"), ""))
			if err != nil {
				t.Fatal(err)
			}
			byImport := !sim.Messages(user)[0].InternalDate.Before(begun)
			// Of several fields it is not known which one counts.
			if noted := slices.Contains(stored.Notes, NoteDate); byImport && !noted || noted && !byImport && strings.Count(date, "Date") < 2 {
				t.Errorf("%q: dated %v, notes %q", date, sim.Messages(user)[0].InternalDate, stored.Notes)
			}
			if !byImport {
				dated++
			}
		}
	}
	if dated < 4 {
		t.Errorf("only %d messages have a date of their own", dated)
	}
}

func TestADateFarFromTheReceivedOneIsNotedAndKept(t *testing.T) {
	for far, want := range map[time.Duration]string{
		0: "[]", 7 * 24 * time.Hour: "[]", -7 * 24 * time.Hour: "[]",
		7*24*time.Hour + time.Second: "[date-differs]", -7*24*time.Hour - time.Second: "[date-differs]", 290 * 365 * 24 * time.Hour: "[date-differs]",
	} {
		sim, server := serve(t, gmailsim.Options{})
		m := targettest.Letter("far")
		m.InternalDate = targettest.Date.Add(far)
		stored, err := open(t, config(server)).Append(t.Context(), inbox, m)
		if all := held(t, sim); err != nil || fmt.Sprint(stored.Notes) != want || len(all) != 1 || !bytes.Equal(all[0].Octets, m.Body.(targettest.Octets)) || !all[0].Date.Equal(targettest.Date) {
			t.Errorf("%v: notes %s, error %v, want %s", far, stored.Notes, err, want)
		}
	}
}
