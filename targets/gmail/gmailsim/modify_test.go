package gmailsim

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"
)

func TestPlacesExcludeEachOtherOnModify(t *testing.T) {
	s, g := serve(t, Options{})
	work := makeLabel(t, g, "Work").Id
	id := mustImport(t, g, mailOf("a@x"), "INBOX", work)
	for _, test := range []struct{ add, remove, want string }{
		{"SPAM", "", "SPAM Work"},
		{"INBOX", "", "INBOX Work"},
		{"TRASH STARRED", "", "TRASH Work"},
		{"", "TRASH", "Work"},
		{"UNREAD", work, ""},
	} {
		change := &gmail.ModifyMessageRequest{AddLabelIds: strings.Fields(test.add), RemoveLabelIds: strings.Fields(test.remove)}
		answer, err := g.Messages.Modify(user, id, change).Do()
		if err != nil || answer.Id != id {
			t.Fatal(answer, err)
		}
		if m := s.Messages(user)[0]; !slices.Equal(m.Labels, strings.Fields(test.want)) {
			t.Errorf("+%s -%s: got %v, want %s", test.add, test.remove, m.Labels, test.want)
		}
	}
	if m := s.Messages(user)[0]; !m.Starred || !m.Unread {
		t.Errorf("got %+v", m)
	}
}

func TestModifyRefusesWhatGmailSetsByItself(t *testing.T) {
	_, g := serve(t, Options{})
	id := mustImport(t, g, mailOf("a@x"), "INBOX")
	many := slices.Repeat([]string{"STARRED"}, 101)
	for _, test := range []struct {
		id      string
		change  gmail.ModifyMessageRequest
		code    int
		reason  string
		message string
	}{
		{id, gmail.ModifyMessageRequest{AddLabelIds: []string{"SENT"}}, 400, "invalidArgument", "Invalid label: SENT"},
		{id, gmail.ModifyMessageRequest{RemoveLabelIds: []string{"DRAFT"}}, 400, "invalidArgument", "Invalid label: DRAFT"},
		{id, gmail.ModifyMessageRequest{AddLabelIds: []string{"INBOX", "TRASH"}}, 400, "invalidArgument", "Can only add one of: INBOX, SPAM, TRASH"},
		{id, gmail.ModifyMessageRequest{RemoveLabelIds: []string{"SENT"}}, 400, "invalidArgument", "Invalid label: SENT"},
		{id, gmail.ModifyMessageRequest{AddLabelIds: []string{"STARRED"}, RemoveLabelIds: []string{"STARRED"}}, 400, "invalidArgument", "Cannot both add and remove the same label"},
		{id, gmail.ModifyMessageRequest{AddLabelIds: []string{"Label_5"}}, 400, "invalidArgument", "labelId not found"},
		{id, gmail.ModifyMessageRequest{AddLabelIds: many}, 400, "invalidArgument", "Too many label ids"},
		{"zz", gmail.ModifyMessageRequest{}, 400, "invalidArgument", "Invalid id value"},
		{"1234", gmail.ModifyMessageRequest{}, 404, "notFound", "Requested entity was not found."},
	} {
		_, err := g.Messages.Modify(user, test.id, &test.change).Do()
		wantError(t, err, test.code, test.reason, test.message)
	}
}

func TestBatchesChangeAndDeleteWhatIsThere(t *testing.T) {
	s, g := serve(t, Options{})
	a, b := mustImport(t, g, mailOf("a@x")), mustImport(t, g, mailOf("b@x"))
	if err := g.Messages.BatchModify(user, &gmail.BatchModifyMessagesRequest{Ids: []string{a, "1234", b}, AddLabelIds: []string{"STARRED"}}).Do(); err != nil {
		t.Fatal(err)
	}
	for _, m := range s.Messages(user) {
		if !m.Starred {
			t.Errorf("not changed: %+v", m)
		}
	}
	wantError(t, g.Messages.BatchModify(user, &gmail.BatchModifyMessagesRequest{Ids: slices.Repeat([]string{a}, 1001)}).Do(), 400, "invalidArgument", "Invalid ids value")
	if err := g.Messages.BatchDelete(user, &gmail.BatchDeleteMessagesRequest{Ids: []string{a}}).Do(); err != nil {
		t.Fatal(err)
	}
	if m := s.Messages(user); len(m) != 1 || m[0].ID != b {
		t.Errorf("got %v", m)
	}
}

func TestTrashMovesAndDeleteRemoves(t *testing.T) {
	s, g := serve(t, Options{})
	id := mustImport(t, g, mailOf("a@x"), "INBOX")
	if m, err := g.Messages.Trash(user, id).Do(); err != nil || !slices.Equal(m.LabelIds, []string{"TRASH"}) {
		t.Errorf("got %v, %v", m, err)
	}
	if m, err := g.Messages.Untrash(user, id).Do(); err != nil || len(m.LabelIds) != 0 {
		t.Errorf("got %v, %v", m, err)
	}
	if err := g.Messages.Delete(user, id).Do(); err != nil || len(s.Messages(user)) != 0 {
		t.Errorf("%v, %d messages", err, len(s.Messages(user)))
	}
	if id == mustImport(t, g, mailOf("a@x")) || len(s.Messages(user)) != 1 {
		t.Error("what was deleted is merged with")
	}
}

func TestSentMayBeOneThatLeaves(t *testing.T) {
	s, g := serve(t, Options{SentLeaves: true})
	id := mustImport(t, g, mailOf("a@x"), "SENT", "INBOX")
	for _, change := range []*gmail.ModifyMessageRequest{
		{AddLabelIds: []string{"SENT"}}, {RemoveLabelIds: []string{"DRAFT"}}, {AddLabelIds: []string{"SENT"}, RemoveLabelIds: []string{"SENT"}},
	} {
		if _, err := g.Messages.Modify(user, id, change).Do(); err == nil {
			t.Errorf("%+v is not refused", change)
		}
	}
	if _, err := g.Messages.Modify(user, id, &gmail.ModifyMessageRequest{RemoveLabelIds: []string{"SENT"}}).Do(); err != nil {
		t.Error(err)
	}
	if m := s.Messages(user)[0]; !slices.Equal(m.Labels, []string{"INBOX"}) {
		t.Errorf("got %v", m.Labels)
	}
}

func TestABatchWithALostMessageMayFailInSeveralWays(t *testing.T) {
	for _, test := range []struct {
		lost    Missing
		code    int
		changed string
	}{
		{MissingPassedOver, 0, "ab"}, {MissingNotFound, 404, ""}, {MissingInvalid, 400, ""}, {MissingStops, 404, "a"},
	} {
		s, g := serve(t, Options{BatchLost: test.lost})
		a, b := mustImport(t, g, mailOf("a@x")), mustImport(t, g, mailOf("b@x"))
		before := s.mailbox(user).historyID
		err := g.Messages.BatchModify(user, &gmail.BatchModifyMessagesRequest{Ids: []string{a, "1234", b}, AddLabelIds: []string{"STARRED"}}).Do()
		if e, _ := errors.AsType[*googleapi.Error](err); (err != nil) != (test.code != 0) || err != nil && e.Code != test.code {
			t.Errorf("%d: %v", test.lost, err)
		}
		changed := ""
		for _, m := range s.Messages(user) {
			if m.Starred {
				changed += map[string]string{a: "a", b: "b"}[m.ID]
			}
		}
		if changed != test.changed {
			t.Errorf("%d: %q were changed, want %q", test.lost, changed, test.changed)
		}
		if n := s.mailbox(user).historyID - before; n != uint64(len(test.changed)) {
			t.Errorf("%d: the history has %d records of it", test.lost, n)
		}
		if err := g.Messages.BatchModify(user, &gmail.BatchModifyMessagesRequest{Ids: []string{a, b}, AddLabelIds: []string{"STARRED"}}).Do(); err != nil {
			t.Errorf("%d: %v", test.lost, err)
		}
		wantError(t, g.Messages.BatchModify(user, &gmail.BatchModifyMessagesRequest{Ids: []string{a}, AddLabelIds: []string{"INBOX", "TRASH"}}).Do(),
			400, "invalidArgument", "Can only add one of: INBOX, SPAM, TRASH")
	}
}
