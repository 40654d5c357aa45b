package gmailsim

import (
	"strings"
	"testing"

	"google.golang.org/api/gmail/v1"
)

func makeLabel(t testing.TB, g *gmail.UsersService, name string) *gmail.Label {
	t.Helper()
	l, err := g.Labels.Create(user, &gmail.Label{Name: name}).Do()
	if err != nil {
		t.Fatalf("%q: %v", name, err)
	}
	return l
}

func TestLabelNamesConflictByTheirKey(t *testing.T) {
	for _, test := range []struct {
		a, b     string
		conflict bool
	}{
		{"Finance A", "finance a", true},
		{"Bills-2019", "Bills/2019", true},
		{"Bills 2019", "Bills/2019", true},
		{"Bills \t 2019", "Bills 2019 ", true},
		{"P / A", "P/A", false},
		{"a_b", "a b", false},
		{"a.b", "a b", false},
		{"Ärger", "ärger", true},
		{"A/", "A", false},
	} {
		_, g := serve(t, Options{})
		makeLabel(t, g, test.a)
		_, err := g.Labels.Create(user, &gmail.Label{Name: test.b}).Do()
		if test.conflict {
			wantError(t, err, 409, "aborted", "Label name exists or conflicts")
		} else if err != nil {
			t.Errorf("%q beside %q: %v", test.b, test.a, err)
		}
	}
	_, g := serve(t, Options{LabelKey: func(name string) string { return name }})
	makeLabel(t, g, "a b")
	makeLabel(t, g, "A-b")
}

func TestLabelNamesThatGmailReservesAreRefused(t *testing.T) {
	_, g := serve(t, Options{Reserved: []string{"Gesendet"}})
	for _, name := range []string{"inbox", "Spam", "TRASH", "Sent", "Drafts", "Starred", "Important", "Unread", "Chats",
		"Archive", "Travel", " sent ", "gesendet", "", "  ", "a\rb", "a\x00", strings.Repeat("ä", 226)} {
		_, err := g.Labels.Create(user, &gmail.Label{Name: name, ForceSendFields: []string{"Name"}}).Do()
		wantError(t, err, 400, "invalidArgument", "Invalid label name")
	}
	_, err := g.Labels.Create(user, &gmail.Label{Name: "a\nb"}).Do()
	wantError(t, err, 409, "aborted", "Label name exists or conflicts")
	for _, name := range []string{"Social", "Sent (migrated)", "Inbox/x", "Clients", strings.Repeat("ä", 225)} {
		makeLabel(t, g, name)
	}
	_, g = serve(t, Options{ReservedFirst: true})
	_, err = g.Labels.Create(user, &gmail.Label{Name: "Inbox/x"}).Do()
	wantError(t, err, 400, "invalidArgument", "Invalid label name")
}

func TestLabelsAreMadeChangedListedAndDeleted(t *testing.T) {
	s, g := serve(t, Options{})
	l := makeLabel(t, g, "Clients/2019")
	if l.Id != "Label_1" || l.Name != "Clients/2019" || l.Type != "" || l.LabelListVisibility != "labelShow" || l.MessageListVisibility != "show" {
		t.Errorf("created %+v", l)
	}
	mustImport(t, g, mailOf("a@x"), l.Id, "UNREAD")
	mustImport(t, g, mailOf("b@x"), l.Id)
	got, err := g.Labels.Get(user, l.Id).Do()
	if err != nil || got.MessagesTotal != 2 || got.MessagesUnread != 1 || got.ThreadsTotal != 2 || got.ThreadsUnread != 1 || got.Type != "user" {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err = g.Labels.Patch(user, l.Id, &gmail.Label{LabelListVisibility: "labelHide"}).Do(); err != nil {
		t.Error(err)
	}
	if got, err = g.Labels.Update(user, l.Id, &gmail.Label{Name: "clients-2019"}).Do(); err != nil || got.Name != "clients-2019" || got.LabelListVisibility != "labelHide" {
		t.Errorf("updated %+v, %v", got, err)
	}
	list, err := g.Labels.List(user).Do()
	if err != nil || len(list.Labels) != len(systemLabels)+1 || list.Labels[0].Type != "system" {
		t.Errorf("listed %+v, %v", list, err)
	}
	if err := g.Labels.Delete(user, l.Id).Do(); err != nil {
		t.Error(err)
	}
	if m := s.Messages(user)[0]; len(m.Labels) != 0 {
		t.Errorf("still on a message: %v", m.Labels)
	}
	_, err = g.Labels.Get(user, l.Id).Do()
	wantError(t, err, 404, "notFound", "Requested entity was not found.")
	wantError(t, g.Labels.Delete(user, "INBOX").Do(), 400, "invalidArgument", "Invalid delete request")
	_, err = g.Labels.Update(user, "INBOX", &gmail.Label{Name: "x"}).Do()
	wantError(t, err, 400, "invalidArgument", "Invalid update request")
	_, err = g.Labels.Update(user, makeLabel(t, g, "x").Id, &gmail.Label{Id: "y"}).Do()
	wantError(t, err, 400, "invalidArgument", "Invalid label name")
	if w := send(s, "POST", "/gmail/v1/users/ann@example.com/labels", "application/json", `{"name":"n","labelListVisibility":"hide"}`); w.Code != 400 {
		t.Errorf("wrong visibility: got %d", w.Code)
	}
}

func TestLabelsBelowARenamedOneMayGoAlong(t *testing.T) {
	for _, along := range []bool{false, true} {
		_, g := serve(t, Options{NestedRenames: along})
		top := makeLabel(t, g, "Clients").Id
		for _, name := range []string{"Clients/2019", "Clients/2019/May", "Clients old", "Kunden-2018", "Clients/2018"} {
			makeLabel(t, g, name)
		}
		if _, err := g.Labels.Patch(user, top, &gmail.Label{Name: "Kunden"}).Do(); err != nil {
			t.Fatal(err)
		}
		list, err := g.Labels.List(user).Do()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, l := range list.Labels[len(systemLabels):] {
			names = append(names, l.Name)
		}
		// Kunden/2018 would be the same as a name that is taken.
		want := "Kunden|Clients/2019|Clients/2019/May|Clients old|Kunden-2018|Clients/2018"
		if along {
			want = "Kunden|Kunden/2019|Kunden/2019/May|Clients old|Kunden-2018|Clients/2018"
		}
		if got := strings.Join(names, "|"); got != want {
			t.Errorf("%v: the labels are %s, want %s", along, got, want)
		}
		_, err = g.Labels.Patch(user, top, &gmail.Label{Name: "clients old"}).Do()
		wantError(t, err, 409, "aborted", "Label name exists or conflicts")
		if _, err = g.Labels.Patch(user, top, &gmail.Label{Name: "KUNDEN"}).Do(); err != nil { // its own name
			t.Error(err)
		}
	}
}

func TestAMailboxHoldsTenThousandLabels(t *testing.T) {
	s, _ := serve(t, Options{})
	b := s.mailbox(user)
	for len(b.labels) < maxLabels {
		b.labels = append(b.labels, &label{id: "Label_x", name: "x"})
	}
	if w := send(s, "POST", "/gmail/v1/users/ann@example.com/labels", "application/json", `{"name":"one more"}`); w.Code != 400 {
		t.Errorf("got %d", w.Code)
	}
}
