package notify

import (
	"fmt"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

const subjectLimit = 120 // characters

func subject(e Event) string {
	s := "mailhaul: " + e.Text
	if e.Migration != "" {
		s = "mailhaul, " + e.Migration + ": " + e.Text
	}
	if r := []rune(s); len(r) > subjectLimit {
		s = string(r[:subjectLimit-1]) + "…"
	}
	return s
}

const stamp = "Mon 2 Jan 2006 15:04 MST"

// text is the body of a message on the event.
func text(e Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", e.Text)
	for _, part := range [][2]string{{"Mailbox", e.Mailbox}, {"Reason", e.Reason}, {"What to do", e.Hint}} {
		if part[1] != "" {
			fmt.Fprintf(&b, "\n%s: %s\n", part[0], part[1])
		}
	}
	if !e.Until.IsZero() {
		fmt.Fprintf(&b, "\nNext try: %s\n", e.Until.Format(stamp))
	}
	if t := e.Tally; t != nil {
		fmt.Fprintf(&b, "\n%s\n", t)
	}
	if e.Kind != Test {
		b.WriteString("\n\"mailhaul status\" says more.\n")
	}
	fmt.Fprintf(&b, "\n-- \n%s, event %s\n", e.Time.Format(stamp), e.ID)
	return b.String()
}

// String is the tally in lines for people.
func (t Tally) String() string {
	return message.NewPrinter(language.English).Sprintf(`Mailboxes         %14d
  complete        %14d
  in trouble      %14d
Messages copied   %14d  (%d MB)
  of them new     %14d
Messages to come  %14d
Need a person     %14d`, t.Mailboxes, t.Complete, t.Trouble, t.Messages, t.Bytes/1e6, t.New, t.Pending, t.Failed)
}
