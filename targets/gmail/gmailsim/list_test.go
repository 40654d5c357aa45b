package gmailsim

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/api/gmail/v1"
)

// listed returns the ids of all pages of a list.
func listed(t testing.TB, call *gmail.UsersMessagesListCall) (ids []string) {
	t.Helper()
	for {
		page, err := call.Do()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Messages {
			ids = append(ids, m.Id)
		}
		if page.NextPageToken == "" {
			return ids
		}
		call.PageToken(page.NextPageToken)
	}
}

func TestListPagesThroughEveryMessageLatestFirst(t *testing.T) {
	_, g := serve(t, Options{})
	var want []string
	for i := range 7 {
		text := fmt.Sprintf("From: a@b.org\r\nDate: %s\r\n\r\n", time.Date(2020, 1, 1+i*3%7, 0, 0, 0, 0, time.UTC).Format(time.RFC1123Z))
		want = append(want, mustImport(t, g, text, "INBOX"))
	}
	slices.Sort(want)
	slices.Reverse(want)
	for _, size := range []int64{1, 3, 7, 500, 9999} {
		if got := listed(t, g.Messages.List(user).MaxResults(size)); !slices.Equal(got, want) {
			t.Errorf("pages of %d: got %v, want %v", size, got, want)
		}
	}
}

func TestListLeavesOutSpamAndTrashUnlessAsked(t *testing.T) {
	_, g := serve(t, Options{})
	inbox := mustImport(t, g, mailOf("a@x"), "INBOX", "UNREAD")
	spam := mustImport(t, g, mailOf("b@x"), "SPAM", "UNREAD")
	trash := mustImport(t, g, mailOf("c@x"), "TRASH")
	none := mustImport(t, g, mailOf("d@x"))
	for _, test := range []struct {
		call *gmail.UsersMessagesListCall
		want []string
	}{
		{g.Messages.List(user), []string{inbox, none}},
		{g.Messages.List(user).IncludeSpamTrash(true), []string{inbox, spam, trash, none}},
		{g.Messages.List(user).LabelIds("SPAM"), []string{spam}},
		{g.Messages.List(user).LabelIds("UNREAD"), []string{inbox}},
		{g.Messages.List(user).LabelIds("INBOX", "UNREAD"), []string{inbox}},
		{g.Messages.List(user).LabelIds("INBOX", "STARRED"), nil},
		{g.Messages.List(user).Q("rfc822msgid:b@x"), nil},
		{g.Messages.List(user).Q("rfc822msgid:b@x").IncludeSpamTrash(true), []string{spam}},
		{g.Messages.List(user).Q("rfc822msgid:a@x"), []string{inbox}},
		{g.Messages.List(user).Q("rfc822msgid:<a@x>"), nil},
		{g.Messages.List(user).Q("rfc822msgid:a@y"), nil},
	} {
		got := listed(t, test.call)
		slices.Sort(got)
		slices.Sort(test.want)
		if !slices.Equal(got, test.want) {
			t.Errorf("got %v, want %v", got, test.want)
		}
	}
	_, err := g.Messages.List(user).LabelIds("Label_9").Do()
	wantError(t, err, 400, "invalidArgument", "Invalid label: Label_9")
	_, err = g.Messages.List(user).Q("subject:x").Do()
	wantError(t, err, 501, "notImplemented", "q other than one rfc822msgid: is not simulated")
}

func TestPageTokensAreDigits(t *testing.T) {
	_, g := serve(t, Options{})
	id := mustImport(t, g, mailOf("a@x"))
	_, err := g.Messages.List(user).PageToken("next").Do()
	wantError(t, err, 400, "invalidArgument", "Invalid pageToken")
	page, err := g.Messages.List(user).PageToken("0").Do()
	if err != nil || len(page.Messages) != 0 || page.NextPageToken == "" {
		t.Fatalf("got %+v, %v; want an empty page with a token", page, err)
	}
	if got := listed(t, g.Messages.List(user).PageToken(page.NextPageToken)); !slices.Equal(got, []string{id}) {
		t.Errorf("got %v", got)
	}
}

func TestSearchesLagBehindWrites(t *testing.T) {
	clock := newClock()
	_, g := serve(t, Options{IndexRequests: 2, Now: clock.now})
	mustImport(t, g, mailOf("a@x"))
	for i, want := range []int{0, 0, 1} {
		if got := listed(t, g.Messages.List(user).Q("rfc822msgid:a@x")); len(got) != want {
			t.Errorf("request %d: found %v", i, got)
		}
	}
	_, g = serve(t, Options{IndexDelay: time.Minute, Now: clock.now})
	mustImport(t, g, mailOf("a@x"))
	for _, want := range []int{0, 1} {
		if got := listed(t, g.Messages.List(user).Q("rfc822msgid:a@x")); len(got) != want {
			t.Errorf("found %v, want %d", got, want)
		}
		if got := listed(t, g.Messages.List(user)); len(got) != 1 {
			t.Errorf("a list without q lags: %v", got)
		}
		clock.wait(time.Minute)
	}
}

func TestAListByALabelThatIsGoneAnswersAsChosen(t *testing.T) {
	for lost, want := range map[Lost]struct {
		code    int
		message string
	}{
		LostInvalid:  {400, "Invalid label: Label_9"},
		LostUnknown:  {400, "labelId not found"},
		LostNotFound: {404, "Requested entity was not found."},
	} {
		_, g := serve(t, Options{LostLabel: lost})
		_, err := g.Messages.List(user).LabelIds("Label_9").Do()
		reason := "invalidArgument"
		if want.code == 404 {
			reason = "notFound"
		}
		wantError(t, err, want.code, reason, want.message)
	}
	_, g := serve(t, Options{LostLabel: LostNoMessage})
	mustImport(t, g, mailOf("a@x"))
	if got := listed(t, g.Messages.List(user).LabelIds("Label_9")); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestSpamIsListedByFlagOnlyAsChosen(t *testing.T) {
	_, g := serve(t, Options{SpamByFlag: true})
	spam := mustImport(t, g, mailOf("a@x"), "SPAM")
	if got := listed(t, g.Messages.List(user).LabelIds("SPAM")); len(got) != 0 {
		t.Errorf("without the flag got %v", got)
	}
	if got := listed(t, g.Messages.List(user).LabelIds("SPAM").IncludeSpamTrash(true)); !slices.Equal(got, []string{spam}) {
		t.Errorf("with the flag got %v", got)
	}
}

func TestAListLagsAsChosen(t *testing.T) {
	_, g := serve(t, Options{ListLags: true, IndexRequests: 1})
	mustImport(t, g, mailOf("a@x"), "INBOX")
	for _, want := range []int{0, 1} {
		if got := listed(t, g.Messages.List(user).LabelIds("INBOX")); len(got) != want {
			t.Errorf("got %v, want %d", got, want)
		}
	}
}

func TestPagesMoveWhenMessagesComeAndGoAsChosen(t *testing.T) {
	for _, counted := range []bool{false, true} {
		for _, change := range []string{"comes", "goes"} {
			s, g := serve(t, Options{PageByCount: counted})
			var ids []string // latest first
			for i := range 4 {
				ids = append(ids, mustImport(t, g, fmt.Sprintf("From: a@b.org\r\nDate: %s\r\n\r\n", time.Date(2020, 1, 9-i, 0, 0, 0, 0, time.UTC).Format(time.RFC1123Z))))
			}
			page, err := g.Messages.List(user).MaxResults(2).Do()
			if err != nil {
				t.Fatal(err)
			}
			want := ids[2:]
			switch change {
			case "comes":
				mustImport(t, g, "From: a@b.org\r\nDate: Fri, 10 Jan 2020 00:00:00 +0000\r\n\r\n")
				if counted {
					want = ids[1:] // one of them again
				}
			case "goes":
				if err := s.Drop(user, ids[0]); err != nil {
					t.Fatal(err)
				}
				if counted {
					want = ids[3:] // one is passed over
				}
			}
			if got := listed(t, g.Messages.List(user).MaxResults(2).PageToken(page.NextPageToken)); !slices.Equal(got, want) {
				t.Errorf("by count %v, one %s: the rest is %v, want %v", counted, change, got, want)
			}
		}
	}
}
