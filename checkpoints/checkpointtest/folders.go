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
		Origin: []string{"Clients", "\x00old"}, Epoch: 3, Gone: true,
		Target: "f-2", Name: "Clients/2019-20", Note: "a slash\x00 is \xff not allowed",
		Walked: migrate.Mark{UIDNext: 1<<32 - 1, ModSeq: 1<<63 - 1, Messages: -1, Rules: "a"},
	}
	must(t, l.SaveFolder(t.Context(), &s))
	if s.ID == 0 {
		t.Error("the folder has no id")
	}
	l = mailbox(t, reopen(), "a")
	same(t, "folders", folders(t, l), []migrate.FolderState{s})

	s = migrate.FolderState{ID: s.ID, Epoch: s.Epoch, Folder: migrate.Folder{Path: s.Folder.Path, UIDValidity: s.Folder.UIDValidity}}
	must(t, l.SaveFolder(t.Context(), &s))
	same(t, "folders saved with less", folders(t, mailbox(t, reopen(), "a")), []migrate.FolderState{s})
}

func folderIsKnownByPathAndUIDValidity(t *testing.T, open Open) {
	c, _ := open(t)
	l := mailbox(t, c, "a")
	save := func(validity uint32, epoch int, path ...string) int64 {
		s := migrate.FolderState{Epoch: epoch, Folder: migrate.Folder{Path: path, UIDValidity: validity}}
		must(t, l.SaveFolder(t.Context(), &s))
		return s.ID
	}
	one := save(1, 0, "INBOX")
	two := save(2, 0, "INBOX")
	later := save(1, 1, "INBOX")
	other := save(1, 0, "inbox")
	if one == two || one == other || two == other || later == one || later == two || later == other {
		t.Errorf("ids %d, %d, %d and %d of four folders are not apart", one, two, later, other)
	}
	same(t, "id of the folder saved again", save(1, 0, "INBOX"), one)
	same(t, "id of the folder with a new UIDVALIDITY saved again", save(2, 0, "INBOX"), two)
	same(t, "id of the folder of a later epoch saved again", save(1, 1, "INBOX"), later)
	same(t, "number of folders", len(folders(t, l)), 4)
}

func folderIsRenamed(t *testing.T, open Open) {
	c, reopen := open(t)
	l := mailbox(t, c, "a")
	s := migrate.FolderState{Folder: migrate.Folder{Path: []string{"Old"}, UIDValidity: 1}, Target: "f"}
	must(t, l.SaveFolder(t.Context(), &s))
	must(t, l.AddListed(t.Context(), pending(s.ID, 1, 2)...))
	folder(t, l, "Other")
	id := s.ID
	s.Folder.Path, s.Origin = []string{"New"}, []string{"Old"}
	must(t, l.SaveFolder(t.Context(), &s))
	same(t, "id", s.ID, id)
	c = reopen()
	l = mailbox(t, c, "a")
	same(t, "the folder", folders(t, l)[0], s)
	same(t, "listed", tally(t, c, "a", "New").Listed, int64(2))
	same(t, "records", len(records(t, l, id)), 2)

	taken := s
	taken.Folder.Path = []string{"Other"}
	wantError(t, "a path that another folder has", l.SaveFolder(t.Context(), &taken))
	same(t, "the folder after that", folders(t, l)[0], s)
	wantError(t, "a folder of another mailbox", mailbox(t, c, "b").SaveFolder(t.Context(), &s))
	unknown := migrate.FolderState{ID: id + 1000, Folder: migrate.Folder{Path: []string{"None"}}}
	wantError(t, "a folder that does not exist", l.SaveFolder(t.Context(), &unknown))
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
