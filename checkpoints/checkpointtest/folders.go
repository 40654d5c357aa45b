package checkpointtest

import (
	"slices"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

// folders returns the folders of a mailbox.
func folders(t *testing.T, l migrate.Ledger) []migrate.FolderState {
	t.Helper()
	fs, err := l.Folders(t.Context())
	must(t, err)
	return fs
}

func folderIsAsSaved(t *testing.T, open Open) {
	c, reopen := open(t)
	l := mailbox(t, c, "a")
	s := migrate.FolderState{
		Folder: migrate.Folder{
			Path: []string{"Clients", "2019/20"}, Role: migrate.RoleArchive, UIDValidity: 1<<32 - 1, UIDNext: 1<<32 - 1,
			Messages: 8000, Bytes: 1 << 40, NoSelect: true, Placed: "f-1",
		},
		Target: "f-2", Name: "Clients/2019-20", Note: "a slash\x00 is \xff not allowed",
	}
	must(t, l.SaveFolder(t.Context(), &s))
	if s.ID == 0 {
		t.Error("the folder has no id")
	}
	l = mailbox(t, reopen(), "a")
	same(t, "folders", folders(t, l), []migrate.FolderState{s})

	s.Folder = migrate.Folder{Path: s.Folder.Path, UIDValidity: s.Folder.UIDValidity}
	s.Target, s.Name, s.Note = "", "", ""
	must(t, l.SaveFolder(t.Context(), &s))
	same(t, "folders saved with less", folders(t, mailbox(t, reopen(), "a")), []migrate.FolderState{s})
}

func folderIsKnownByPathAndUIDValidity(t *testing.T, open Open) {
	c, _ := open(t)
	l := mailbox(t, c, "a")
	save := func(id int64, validity uint32, path ...string) int64 {
		s := migrate.FolderState{ID: id, Folder: migrate.Folder{Path: path, UIDValidity: validity}}
		must(t, l.SaveFolder(t.Context(), &s))
		return s.ID
	}
	one := save(0, 1, "INBOX")
	two := save(one, 2, "INBOX")
	other := save(one, 1, "inbox")
	if one == two || one == other || two == other {
		t.Errorf("ids %d, %d and %d of three folders are not apart", one, two, other)
	}
	same(t, "id of the folder saved again", save(0, 1, "INBOX"), one)
	same(t, "id of the folder with a new UIDVALIDITY saved again", save(0, 2, "INBOX"), two)
	same(t, "number of folders", len(folders(t, l)), 3)
}

func anyPathIsKept(t *testing.T, open Open) {
	c, reopen := open(t)
	l := mailbox(t, c, "a")
	paths := [][]string{
		nil, {""}, {"", ""}, {"/"}, {"a/b"}, {"a", "b"}, {"a/", "b"}, {"a", "/b"}, {`\`}, {`\\`}, {`a\`, "b"}, {`a\/b`}, {`\x2f`}, {`\x`},
		{"\x00"}, {"a\x00b"}, {"a\x00c"}, {"\xff\xfe"}, {"\xc3"}, {"\xa9"}, {"\xc3\xa9"}, {"e\u0301"}, {"\ufffd"}, {"Entwürfe", "🚀"},
		{" a "}, {"a."}, {"a\r\nb"}, {"\u202e"}, {"'"}, {`"`}, {"%"}, {"{"},
	}
	var ids []int64
	for _, path := range paths {
		s := migrate.FolderState{Folder: migrate.Folder{Path: path, UIDValidity: 7}}
		must(t, l.SaveFolder(t.Context(), &s))
		if slices.Contains(ids, s.ID) {
			t.Errorf("path %q is taken for another", path)
		}
		ids = append(ids, s.ID)
	}
	c = reopen()
	for i, s := range folders(t, mailbox(t, c, "a")) {
		if !slices.Equal(s.Folder.Path, paths[i]) {
			t.Errorf("path %q came back as %q", paths[i], s.Folder.Path)
		}
	}
	ts, err := c.Tally(t.Context())
	must(t, err)
	same(t, "number of tallies", len(ts), len(paths))
	for i, tally := range ts {
		if !slices.Equal(tally.Folder.Path, paths[i]) {
			t.Errorf("path %q came back as %q in the tally", paths[i], tally.Folder.Path)
		}
	}
}

func foldersComeOldestFirst(t *testing.T, open Open) {
	c, _ := open(t)
	l := mailbox(t, c, "a")
	want := []int64{folder(t, l, "z"), folder(t, l, "a"), folder(t, l, "m")}
	folder(t, l, "z") // again, which makes it no younger
	folder(t, mailbox(t, c, "b"), "b")
	var got []int64
	for _, s := range folders(t, l) {
		got = append(got, s.ID)
	}
	same(t, "folders", got, want)
}

func savingFolderKeepsListed(t *testing.T, open Open) {
	c, _ := open(t)
	l := mailbox(t, c, "a")
	f := folder(t, l, "INBOX")
	must(t, l.AddListed(t.Context(), pending(f, 1, 2, 3)...))
	folder(t, l, "INBOX")
	same(t, "listed", tally(t, c, "a", "INBOX").Listed, int64(3))
}
