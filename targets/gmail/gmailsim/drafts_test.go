package gmailsim

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"
)

func drafting(g *gmail.UsersService, text string, labels ...string) *gmail.UsersDraftsCreateCall {
	return g.Drafts.Create(user, &gmail.Draft{Message: &gmail.Message{LabelIds: labels}}).
		Media(strings.NewReader(text), googleapi.ContentType("message/rfc822"), googleapi.ChunkSize(0))
}

func TestDraftsAreMadeReadAndListed(t *testing.T) {
	s, g := serve(t, Options{})
	const text = "Subject: no From, and unfinished\r\n\r\nDear"
	var last *gmail.Draft
	for i := range 3 {
		d, err := drafting(g, fmt.Sprint(text, i)).Do()
		if err != nil || len(d.Message.LabelIds) != 1 || d.Message.LabelIds[0] != "DRAFT" {
			t.Fatalf("got %+v, %v", d, err)
		}
		last = d
	}
	got, err := g.Drafts.Get(user, last.Id).Format("minimal").Do()
	if err != nil || got.Message.Id != last.Message.Id {
		t.Errorf("got %+v, %v", got, err)
	}
	page, err := g.Drafts.List(user).MaxResults(2).Do()
	if err != nil || len(page.Drafts) != 2 || page.NextPageToken == "" {
		t.Fatalf("got %+v, %v", page, err)
	}
	page, err = g.Drafts.List(user).MaxResults(2).PageToken(page.NextPageToken).Do()
	if err != nil || len(page.Drafts) != 1 || page.Drafts[0].Id != last.Id || page.NextPageToken != "" {
		t.Errorf("got %+v, %v", page, err)
	}
	if m := s.Messages(user); len(m) != 3 || received(t, m[2]) != text+"2" || m[2].Prepended == 0 {
		t.Errorf("got %v", m)
	}
	if err := g.Messages.Delete(user, last.Message.Id).Do(); err != nil {
		t.Fatal(err)
	}
	_, err = g.Drafts.Get(user, last.Id).Format("minimal").Do()
	wantError(t, err, 404, "notFound", "Requested entity was not found.")
}

func TestADraftCarriesNoOtherLabel(t *testing.T) {
	s, g := serve(t, Options{})
	_, err := drafting(g, mailOf("a@x"), "STARRED").Do()
	wantError(t, err, 400, "invalidArgument", "Invalid label: STARRED")
	_, err = g.Drafts.Create(user, &gmail.Draft{Message: &gmail.Message{}}).Do()
	wantError(t, err, 400, "invalidArgument", "'raw' RFC822 payload message string or uploading message via /upload/* URL required")
	if len(s.Messages(user)) != 0 {
		t.Error("it was stored")
	}
}
