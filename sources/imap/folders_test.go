package imap

import (
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/mailhaul/mailhaul/migrate"
)

func TestFoldersComeFromTheUsersOwnNamespace(t *testing.T) {
	own := func(prefix string) imap.NamespaceData {
		return imap.NamespaceData{Personal: []imap.NamespaceDescriptor{{Prefix: prefix, Delim: '.'}}}
	}
	shared := own("")
	shared.Other = []imap.NamespaceDescriptor{{Prefix: "user.", Delim: '.'}}
	shared.Shared = []imap.NamespaceDescriptor{{Prefix: "Public.", Delim: '.'}}
	everything := own("")
	everything.Shared = []imap.NamespaceDescriptor{{Prefix: "", Delim: '.'}}
	for name, test := range map[string]struct {
		names  []string
		delim  rune
		spaces imap.NamespaceData
		want   []string // parts joined with "|"
	}{
		"no namespace":             {[]string{"B.C", "INBOX", "B"}, '.', imap.NamespaceData{}, []string{"INBOX", "B", "B|C"}},
		"Courier's prefix":         {[]string{"INBOX", "INBOX.Sent", "INBOX.A.B"}, '.', own("INBOX."), []string{"INBOX", "A", "A|B", "Sent"}},
		"a folder called INBOX":    {[]string{"INBOX", "INBOX.Inbox", "INBOX.Inbox.x"}, '.', own("INBOX."), []string{"INBOX", "INBOX|Inbox", "INBOX|Inbox|x"}},
		"folders in the inbox":     {[]string{"INBOX.x", "INBOX"}, '.', own(""), []string{"INBOX", "INBOX|x"}},
		"other people's":           {[]string{"INBOX", "user.ann.Mail", "user", "Public", "Public.News", "users"}, '.', shared, []string{"INBOX", "users"}},
		"own wins over shared":     {[]string{"INBOX", "A"}, '.', everything, []string{"INBOX", "A"}},
		"no separator":             {[]string{"INBOX", "a.b/c"}, 0, imap.NamespaceData{}, []string{"INBOX", "a.b/c"}},
		"parents that are missing": {[]string{"A.B.C", "A.B"}, '.', imap.NamespaceData{}, []string{"A", "A|B", "A|B|C"}},
		"separator at the end":     {[]string{"A.", "A.B."}, '.', imap.NamespaceData{}, []string{"A", "A|B"}},
		"the same twice":           {[]string{"A", "A", "INBOX", "INBOX"}, '.', imap.NamespaceData{}, []string{"INBOX", "A"}},
		"two names, one path":      {[]string{"INBOX.A", "A", "A.", "INBOX"}, '.', own("INBOX."), []string{"INBOX", "A", "A (2)", "A (3)"}},
		"no name":                  {[]string{""}, '.', imap.NamespaceData{}, nil},
	} {
		var data []*imap.ListData
		for _, n := range test.names {
			data = append(data, &imap.ListData{Mailbox: n, Delim: test.delim})
		}
		var got []string
		for _, l := range tree(data, test.spaces) {
			got = append(got, strings.Join(l.folder.Path, "|"))
			if l.name == "" && !l.folder.NoSelect {
				t.Errorf("%s: %v cannot be selected", name, l.folder)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestRolesComeFromTheServerAndElseFromTheName(t *testing.T) {
	roles := func(data ...*imap.ListData) map[string]migrate.Role {
		m := map[string]migrate.Role{}
		for _, l := range tree(data, imap.NamespaceData{}) {
			m[l.folder.String()] = l.folder.Role
		}
		return m
	}
	at := func(name string, attrs ...imap.MailboxAttr) *imap.ListData {
		return &imap.ListData{Mailbox: name, Delim: '/', Attrs: attrs}
	}
	got := roles(at("Sent"), at("Out", imap.MailboxAttrSent), at("papierkorb"), at("Work/Drafts"), at("ENTWÜRFE"),
		at("Spam", imap.MailboxAttrNoSelect), at("All", imap.MailboxAttrAll), at("Old", imap.MailboxAttrArchive), at("INBOX"), at("Junk Email"))
	want := map[string]migrate.Role{
		"INBOX": migrate.RoleInbox, "Out": migrate.RoleSent, "papierkorb": migrate.RoleTrash, "ENTWÜRFE": migrate.RoleDrafts,
		"Old": migrate.RoleArchive, "Junk Email": migrate.RoleJunk,
	}
	for name, role := range got {
		if role != want[name] {
			t.Errorf("%s has role %q, want %q", name, role, want[name])
		}
	}
}

func TestAFolderThatRefusesItsStateDoesNotLoseTheOthers(t *testing.T) {
	s := opener(scripted(t, func(command string) reply {
		switch {
		case strings.HasPrefix(command, "CAPABILITY"):
			return "* CAPABILITY IMAP4rev1 STATUS=SIZE\r\n" + ok
		case strings.HasPrefix(command, "LIST"):
			return "* LIST () \"/\" INBOX\r\n* LIST () \"/\" Locked\r\n* LIST (\\Noselect) \"/\" Above\r\n" + ok
		case strings.HasPrefix(command, `STATUS "Locked"`), strings.HasPrefix(command, `EXAMINE "Locked"`):
			return "TAG NO [NOPERM] not yours\r\n"
		case strings.HasPrefix(command, "STATUS INBOX") && strings.Contains(command, "SIZE"):
			return "TAG NO cannot add up\r\n"
		case strings.HasPrefix(command, `STATUS "Above"`):
			return "TAG BAD it cannot be selected\r\n* BYE" + hangUp
		}
		return ""
	}))(t).(*Source)
	defer s.Close()
	fs, err := s.Folders(t.Context())
	if err != nil || len(fs) != 3 {
		t.Fatal(fs, err)
	}
	if fs[0].Messages != 1 || fs[0].UIDNext != 2 || !fs[1].NoSelect || fs[2].UIDValidity != 0 {
		t.Errorf("%+v", fs)
	}
	for _, err = range s.List(t.Context(), fs[2], 1) {
	}
	if err == nil || class(t, err) != migrate.Permanent || !strings.Contains(err.Error(), "[NOPERM] not yours") {
		t.Error(err)
	}
	if content, _, err := readOne(s, one); content != "hello" || err != nil {
		t.Errorf("the inbox: %q, %v", content, err)
	}
}

func TestNamesThatArrivedInUTF8AreOpened(t *testing.T) {
	var examined string
	s := opener(scripted(t, func(command string) reply {
		switch {
		case strings.HasPrefix(command, "LIST"):
			return "* LIST () \"/\" INBOX\r\n* LIST () \"/\" \"Übung\"\r\n" + ok
		case strings.HasPrefix(command, "STATUS"):
			return "* STATUS INBOX (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 7)\r\nTAG NO\r\n"
		case strings.HasPrefix(command, "EXAMINE"):
			examined = command
		}
		return ""
	}))(t).(*Source)
	defer s.Close()
	f := migrate.Folder{Path: []string{"Übung"}, UIDValidity: 7, UIDNext: 2}
	for _, err := range s.List(t.Context(), f, 1) {
		if err != nil {
			t.Error(err)
		}
	}
	if !strings.Contains(examined, `"&ANw-bung"`) {
		t.Error(examined)
	}
}
