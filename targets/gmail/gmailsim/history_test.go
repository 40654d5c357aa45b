package gmailsim

import (
	"slices"
	"testing"

	"google.golang.org/api/gmail/v1"
)

func position(t testing.TB, g *gmail.UsersService) uint64 {
	t.Helper()
	p, err := g.GetProfile(user).Do()
	if err != nil {
		t.Fatal(err)
	}
	return p.HistoryId
}

func TestHistoryTellsEachChangeWithTheLabelsOfItsTime(t *testing.T) {
	_, g := serve(t, Options{})
	mustImport(t, g, mailFrom("a@b.org", "0@x", "plan", ""))
	start := position(t, g)
	id := mustImport(t, g, mailFrom("a@b.org", "1@x", "plan", ""), "INBOX") // joins a thread
	change := &gmail.ModifyMessageRequest{AddLabelIds: []string{"STARRED"}, RemoveLabelIds: []string{"INBOX"}}
	if _, err := g.Messages.Modify(user, id, change).Do(); err != nil {
		t.Fatal(err)
	}
	if err := g.Messages.Delete(user, id).Do(); err != nil {
		t.Fatal(err)
	}
	list, err := g.History.List(user).StartHistoryId(start).Do()
	if err != nil || len(list.History) != 5 || list.HistoryId != start+5 {
		t.Fatalf("got %+v, %v", list, err)
	}
	h := list.History
	if len(h[0].MessagesAdded) != 0 || len(h[0].Messages) != 1 {
		t.Errorf("the first record has changes: %+v", h[0])
	}
	if a := h[1].MessagesAdded; len(a) != 1 || a[0].Message.Id != id || !slices.Equal(a[0].Message.LabelIds, []string{"INBOX"}) {
		t.Errorf("added: %+v", h[1])
	}
	if a := h[2].LabelsAdded; len(a) != 1 || !slices.Equal(a[0].LabelIds, []string{"STARRED"}) {
		t.Errorf("label added: %+v", h[2])
	}
	if a := h[3].LabelsRemoved; len(a) != 1 || !slices.Equal(a[0].LabelIds, []string{"INBOX"}) || !slices.Equal(a[0].Message.LabelIds, []string{"STARRED"}) {
		t.Errorf("label removed: %+v", h[3])
	}
	if a := h[4].MessagesDeleted; len(a) != 1 || a[0].Message.Id != id {
		t.Errorf("deleted: %+v", h[4])
	}
	list, err = g.History.List(user).StartHistoryId(start).HistoryTypes("labelAdded", "labelRemoved").LabelId("INBOX").Do()
	if err != nil || len(list.History) != 1 || len(list.History[0].MessagesAdded) != 0 {
		t.Errorf("records without changes are left out only by label: %+v, %v", list, err)
	}
}

func TestHistoryPagesCarryATokenEvenWhenNothingFollows(t *testing.T) {
	_, g := serve(t, Options{})
	start := position(t, g)
	a, b := mustImport(t, g, mailOf("a@x")), mustImport(t, g, mailOf("b@x"))
	var got []string
	call, pages := g.History.List(user).StartHistoryId(start).HistoryTypes("messageAdded").MaxResults(1), 0
	for {
		page, err := call.Do()
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, h := range page.History {
			got = append(got, h.MessagesAdded[0].Message.Id)
		}
		if page.NextPageToken == "" {
			break
		}
		call.PageToken(page.NextPageToken)
	}
	if pages != 3 || !slices.Equal(got, []string{a, b}) {
		t.Errorf("%d pages: %v", pages, got)
	}
}

func TestAnOldOrUnknownCursorIsNotFound(t *testing.T) {
	s, g := serve(t, Options{HistoryRecords: 2})
	start := position(t, g)
	for _, id := range []string{"a@x", "b@x", "c@x", "d@x"} {
		mustImport(t, g, mailOf(id))
	}
	for offset, ok := range map[uint64]bool{0: false, 1: false, 2: true, 4: true, 5: false} {
		list, err := g.History.List(user).StartHistoryId(start + offset).Do()
		if !ok {
			wantError(t, err, 404, "notFound", "Requested entity was not found.")
		} else if err != nil || len(list.History) != int(4-offset) {
			t.Errorf("from %d on: %+v, %v", offset, list, err)
		}
	}
	if w := send(s, "GET", "/gmail/v1/users/ann@example.com/history", "", ""); w.Code != 400 {
		t.Errorf("without a start: got %d", w.Code)
	}
}
