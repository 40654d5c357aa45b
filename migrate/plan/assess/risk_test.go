package assess

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/locale"
)

// target is strict, so that little is enough to find risks.
func target() Target {
	return Target{
		MaxMessage: 3_000_000, UsualMessage: 1 << 20, FolderMost: 100, MailboxMost: 5_000_000, Expires: true,
		Names: Names{
			Homes:    map[migrate.Role]string{migrate.RoleInbox: "", migrate.RoleTrash: "Bin"},
			Clean:    func(name string) string { return strings.TrimSpace(strings.ReplaceAll(name, "/", "-")) },
			Key:      func(path []string) string { return strings.ToLower(strings.Join(path, "/")) },
			Reserved: func(path []string) bool { return path[0] == "Chats" && len(path) == 1 },
			TooLong:  func(path []string) bool { return len(strings.Join(path, "/")) > 20 },
			Most:     50, Siblings: 30, Depth: 5,
		},
	}
}

func risk(t *testing.T, all []Risk, key string) Risk {
	t.Helper()
	i := slices.IndexFunc(all, func(r Risk) bool { return r.Key == key })
	if i < 0 {
		t.Errorf("no %s in %+v", key, all)
		return Risk{}
	}
	return all[i]
}

func TestAMailboxInOrderHasNoRisks(t *testing.T) {
	w := &world{}
	w.folder("INBOX", sized(100, 1000)...)
	w.folder("Clients/2009", sized(100, 1001)...)
	w.folder("inbox/Clients", sized(1, 1<<20)...)
	w.folder("Trash").Role = migrate.RoleTrash
	if all := Risks([]*Assessment{w.assess(t, nil, options())}, target()); len(all) != 0 {
		t.Errorf("%+v", all)
	}
	if all := Risks(nil, Target{Skew: time.Minute}); len(all) != 0 {
		t.Errorf("of nothing: %+v", all)
	}
}

func TestMessagesAboveALimitAreCountedExactly(t *testing.T) {
	w := &world{}
	w.folder("INBOX", sized(3, 3_000_000)...)
	w.folder("Work", append(sized(12, 3_000_001), sized(2, 1<<20)...)...)
	all := Risks([]*Assessment{w.assess(t, nil, options())}, target())
	over := risk(t, all, MessageTooLarge)
	if over.Severity != Severe || over.Messages != 12 || over.Bytes != 12*3_000_001 || len(over.Mailboxes) != 1 || over.Mailboxes[0] != (Touched{"ann", 12, 0}) || over.Sample != nil {
		t.Errorf("%+v", over)
	}
	if len(over.Examples) != 10 || over.Examples[0].Size != 3_000_001 || over.Examples[0].Folder[0] != "Work" {
		t.Errorf("examples %+v", over.Examples)
	}
	if large := risk(t, all, MessageLarge); large.Messages != 3 || len(large.Examples) != 0 {
		t.Errorf("%+v", large)
	}
	full := risk(t, all, MailboxFull)
	if full.Messages != 17 || full.Examples[0].Size != 9_000_000+12*3_000_001+2<<20 {
		t.Errorf("%+v", full)
	}
}

func TestDraftsHaveALimitOfTheirOwn(t *testing.T) {
	w := &world{}
	w.folder("INBOX", sized(2, 2<<20)...)
	w.folder("Drafts", append(append(sized(3, 1<<20), sized(4, 1<<20+1)...), sized(5, 3_000_001)...)...).Role = migrate.RoleDrafts
	w.folder("Entwürfe", sized(6, 2<<20)...).Role = migrate.RoleDrafts
	x := Target{MaxMessage: 3_000_000, MaxDraft: 1 << 20, Names: target().Names}
	a := w.assess(t, nil, options())
	all := Risks([]*Assessment{a}, x)
	r := risk(t, all, DraftTooLarge)
	if r.Severity != Severe || r.Messages != 4 || r.Bytes != 4*(1<<20+1) {
		t.Errorf("%+v", r)
	}
	if over := risk(t, all, MessageTooLarge); over.Messages != 5 {
		t.Errorf("%+v", over)
	}
	// The largest ten are the five that are too large anywhere, and others.
	for _, e := range r.Examples {
		if e.Folder[0] != "Drafts" || e.Size > 3_000_000 {
			t.Errorf("%+v", e)
		}
	}
	x.MaxDraft = 0
	if all := Risks([]*Assessment{a}, x); slices.ContainsFunc(all, func(r Risk) bool { return r.Key == DraftTooLarge }) {
		t.Errorf("without a limit: %+v", all)
	}
	w.folders[1].NoSelect = true
	x.MaxDraft = 1 << 20
	if r := risk(t, Risks([]*Assessment{w.assess(t, nil, options())}, x), DraftTooLarge); r.Messages != 6 || len(r.Examples) != 6 || r.Examples[0].Folder[0] != "Entwürfe" {
		t.Errorf("%+v", r)
	}
}

func TestLimitsThatAreNotKnownAreNoRisk(t *testing.T) {
	w := &world{}
	w.folder("INBOX", sized(3, 3_000_001)...)
	b := w.folder("Trash", sized(3, 1000)...)
	b.Role = migrate.RoleTrash
	for i := range 12 {
		w.folder(fmt.Sprint("Full/", i))
	}
	o := options()
	o.Rules.Folder = func(f migrate.Folder) string { return map[string]string{"Trash": "no"}[f.Path[0]] }
	a := []*Assessment{w.assess(t, nil, o)}
	x := target()
	x.Names.Siblings = 12
	x.MaxMessage, x.UsualMessage, x.MailboxMost = 0, 0, 0
	if all := Risks(a, x); len(all) != 0 {
		t.Errorf("%+v", all)
	}
	x.UsualMessage = 1 << 20
	if r := risk(t, Risks(a, x), MessageLarge); r.Messages != 3 || len(r.Examples) != 3 {
		t.Errorf("%+v", r)
	}
	for _, b := range w.folders[2:] {
		b.Path[1] += " "
	}
	if r := risk(t, Risks([]*Assessment{w.assess(t, nil, o)}, x), FolderRenamed); r.Folders != 12 || len(r.Examples) != examplesMost {
		t.Errorf("%+v", r)
	}
}

func TestFoldersWhoseNamesMustChangeAreFound(t *testing.T) {
	w := &world{}
	for _, path := range []string{"INBOX", "Trash", "Trash 2", "Work", "work", "WORK", "Chats", "Clients/Chats", " A", "A", "Clients/A name of many letters", "Q1", "Old"} {
		w.folder(path)
	}
	w.folders[1].Role, w.folders[2].Role = migrate.RoleTrash, migrate.RoleTrash
	w.folders[11].Path = []string{"Q1/2009"}
	w.folders[12].Path = []string{" Old "}
	o := options()
	o.Rules.Folder = func(f migrate.Folder) string { return map[string]string{" Old ": "no"}[f.Path[0]] }
	all := Risks([]*Assessment{w.assess(t, nil, o)}, target())
	paths := func(key string) (paths []string) {
		r := risk(t, all, key)
		for _, e := range r.Examples {
			paths = append(paths, strings.Join(e.Folder, "|"))
		}
		if r.Folders != int64(len(paths)) || r.Mailboxes[0].Folders != r.Folders {
			t.Errorf("%+v", r)
		}
		return paths
	}
	for key, want := range map[string][]string{
		FolderRenamed:   {" A", "Clients|A name of many letters", "Q1/2009"},
		FolderReserved:  {"Chats"},
		FolderCollision: {"work", "WORK", "A"},
	} {
		if got := paths(key); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}

func TestThePlaceOfARoleIsTakenWhereAFolderHasTheRole(t *testing.T) {
	bin, trash := Folder{Path: []string{"bin"}}, Folder{Path: []string{"Trash"}, Role: migrate.RoleTrash}
	out, group := trash, trash
	out.Rule, group.NoSelect = "no", true
	for _, c := range []struct {
		fs   []Folder
		want []Renaming
	}{
		{[]Folder{bin, trash}, []Renaming{{bin.Path, FolderCollision}}},
		{[]Folder{trash, bin}, []Renaming{{bin.Path, FolderCollision}}},
		{[]Folder{trash, {Path: []string{" More "}, Role: migrate.RoleTrash}}, []Renaming{{[]string{" More "}, FolderRenamed}}},
		{[]Folder{bin}, nil},
		{[]Folder{bin, out}, nil},
		{[]Folder{bin, group}, nil},
	} {
		if got := target().Names.Renamings(c.fs); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.fs, got, c.want)
		}
	}
}

func TestOnlyTheInboxItselfHasItsPlace(t *testing.T) {
	if all := target().Names.Renamings([]Folder{{Path: []string{"INBOX", " bad"}}}); len(all) != 1 || all[0].Risk != FolderRenamed {
		t.Errorf("%v", all)
	}
}

func TestTooManyFoldersAndTooDeepOnesAreFound(t *testing.T) {
	w := &world{}
	for i := range 33 {
		w.folder(fmt.Sprint("Many/", i))
		w.folder(fmt.Sprint("B/", i, "/c"))
	}
	w.folder("a/b/c/d/e/f")
	all := Risks([]*Assessment{w.assess(t, nil, options())}, target())
	if r := risk(t, all, FolderCount); r.Folders != 17+3 || r.Severity != Severe || len(r.Mailboxes) != 1 {
		t.Errorf("%+v", r)
	}
	if r := risk(t, all, FolderDepth); r.Folders != 1 || len(r.Examples) != 1 {
		t.Errorf("%+v", r)
	}
}

func TestFoldersThatAreTrouble(t *testing.T) {
	w := &world{}
	w.folder("INBOX", sized(101, 1000)...)
	w.folder("Trash", sized(7, 1001)...).Role = migrate.RoleTrash
	w.folder("Spam", sized(5, 1002)...).Role = migrate.RoleJunk
	w.folder("Bad", sized(4, 1003)...)
	w.fail = func(op, folder string, _ migrate.UID) error {
		if op == "list" && folder == "Bad" {
			return errNoFile
		}
		return nil
	}
	all := Risks([]*Assessment{w.assess(t, nil, options())}, target())
	for key, want := range map[string]int64{FolderFull: 101, TrashExpires: 12, FolderUnread: 4} {
		if r := risk(t, all, key); r.Messages != want {
			t.Errorf("%s: %+v", key, r)
		}
	}
	if r := risk(t, all, FolderUnread); !strings.Contains(r.Examples[0].Text, "damaged") {
		t.Errorf("%+v", r)
	}
}

func TestFlagsAndDoublesThatMatter(t *testing.T) {
	w := &world{}
	w.folder("INBOX", migrate.Message{MessageID: "<a>", InternalDate: day, Flags: []migrate.Flag{`\Seen`, `\deleted`, "$Forwarded", "Project"}},
		migrate.Message{MessageID: "<a>", InternalDate: day, Flags: []migrate.Flag{"Project", "Urgent"}}, migrate.Message{MessageID: "<a>"})
	a := []*Assessment{w.assess(t, nil, options())}
	all := Risks(a, target())
	for key, want := range map[string]int64{FlaggedDeleted: 1, Keywords: 3, Doubled: 2, NoArrival: 1} {
		if r := risk(t, all, key); r.Messages != want {
			t.Errorf("%s: %+v", key, r)
		}
	}
	if r := risk(t, all, Keywords); len(r.Examples) != 2 || r.Examples[0].Text != "Project" {
		t.Errorf("%+v", r)
	}
	other := target()
	other.Keywords, other.Labels = true, true
	all = Risks(a, other)
	if slices.ContainsFunc(all, func(r Risk) bool { return r.Key == Keywords || r.Key == Doubled }) || risk(t, all, Merged).Messages != 2 {
		t.Errorf("%+v", all)
	}
}

func TestWhatContentTellsIsARiskWithItsError(t *testing.T) {
	w := &world{}
	b := w.folder("INBOX", sized(1000, 1000)...)
	for uid := range migrate.UID(1001) {
		switch uid % 4 {
		case 1:
			b.bodies[uid] = strings.Replace(plain, "From", "Form", 1)
		case 2:
			b.bodies[uid] = mixed("Content-Disposition: attachment; filename=a.exe", "MZ\x00")
		}
	}
	all := Risks([]*Assessment{w.assess(t, nil, options())}, target())
	r := risk(t, all, NoFrom)
	if r.Sample == nil || r.Sample.Read != sampleMost || r.Sample.Of != 1000 || r.Messages != 5*r.Sample.Found || r.Mailboxes[0].Messages != r.Messages || r.Messages < 150 || r.Sample.Most < 250 {
		t.Errorf("%+v, %+v", r, r.Sample)
	}
	if blocked, bad := risk(t, all, BlockedAttachment), risk(t, all, Malformed); blocked.Messages != bad.Messages {
		t.Errorf("%+v, %+v", blocked, bad)
	}
}

func TestWhatIsSealedAndTooLargeToBeRebuiltIsARisk(t *testing.T) {
	w := &world{}
	b := w.folder("INBOX", append(append(sized(2, 1000), sized(3, 1001)...), sized(4, 1002)...)...)
	for uid := range migrate.UID(6) { // not the last four
		b.bodies[uid] = strings.Replace(plain, "Subject: plain", "Content-Type: application/pkcs7-mime; smime-type=enveloped-data", 1)
	}
	for _, depth := range []Depth{Listed, Deep} {
		for most, want := range map[int64]int64{1000: 3, 999: 5, 1001: 0, 0: 0} {
			o := options()
			o.Depth, o.Sealed = depth, most
			all := Risks([]*Assessment{w.assess(t, nil, o)}, target())
			if sealed := risk(t, all, Sealed); sealed.Messages != 5 {
				t.Errorf("%s, %d: %+v", depth, most, sealed)
			}
			if want == 0 {
				if slices.ContainsFunc(all, func(r Risk) bool { return r.Key == SealedTooLarge }) {
					t.Errorf("%s, %d: %+v", depth, most, all)
				}
			} else if r := risk(t, all, SealedTooLarge); r.Messages != want || r.Severity != Severe {
				t.Errorf("%s, %d: %+v", depth, most, r)
			}
		}
	}
}

func TestAMailboxWithoutMailIsARisk(t *testing.T) {
	w := &world{}
	w.folder("INBOX")
	sent := w.folder("Sent")
	for _, depth := range []Depth{Fast, Listed} {
		o := options()
		o.Depth = depth
		if r := risk(t, Risks([]*Assessment{w.assess(t, nil, o)}, target()), MailboxEmpty); r.Severity != Serious || len(r.Mailboxes) != 1 {
			t.Errorf("%s: %+v", depth, r)
		}
	}
	found := func(o Options) bool {
		all := Risks([]*Assessment{w.assess(t, nil, o)}, target())
		return slices.ContainsFunc(all, func(r Risk) bool { return r.Key == MailboxEmpty })
	}
	sent.UIDValidity = 0 // as where STATUS is refused
	for _, depth := range []Depth{Fast, Listed} {
		o := options()
		if o.Depth = depth; found(o) {
			t.Errorf("%s: nobody knows what is in a folder that tells nothing", depth)
		}
	}
	sent.NoSelect = true
	if !found(options()) {
		t.Error("a folder that holds no mail makes no mailbox a full one")
	}
	sent.NoSelect = false
	sent.UIDValidity = 7
	sent.add(sized(1, 1000)...)
	o := options()
	o.Rules.Folder = func(migrate.Folder) string { return "no" }
	if found(o) {
		t.Error("what a rule leaves out is mail too")
	}
}

func TestWhatOthersFoundIsARiskToo(t *testing.T) {
	x := target()
	x.Unopened = []Trouble{{"joe", "the password is wrong", "Set it."}, {"sue", "no such user", ""}}
	x.Missing = []Trouble{{"ann", "not there", ""}}
	x.Unlicensed = []Trouble{{"eve", "no licence", ""}}
	x.Skew = -5 * time.Minute
	all := Risks(nil, x)
	var keys []string
	for _, r := range all {
		keys = append(keys, r.Key)
	}
	if want := []string{MailboxUnopened, TargetMissing, TargetUnlicensed, ClockSkew}; !slices.Equal(keys, want) {
		t.Errorf("%q, want %q", keys, want)
	}
	if r := all[0]; len(r.Mailboxes) != 2 || r.Examples[0].Mailbox != "joe" || r.Examples[0].Text != "the password is wrong" {
		t.Errorf("%+v", r)
	}
}

func TestTheSeverestRiskComesFirst(t *testing.T) {
	many, few := &world{}, &world{}
	many.folder("INBOX", sized(50, 2<<20)...)
	many.folder("Trash", sized(1, 2<<20)...).Role = migrate.RoleTrash
	few.folder("INBOX", sized(1, 3_000_001)...)
	few.folder("Chats")
	x := target()
	x.MailboxMost = 0
	a, b := many.assess(t, nil, options()), few.assess(t, nil, options())
	b.Mailbox = "bob"
	var got []string
	all := Risks([]*Assessment{b, a}, x)
	for _, r := range all {
		got = append(got, r.Key)
	}
	if want := []string{MessageTooLarge, MessageLarge, TrashExpires, Doubled, FolderReserved}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	all = Risks([]*Assessment{b, a, b}, Target{MaxMessage: 1 << 20, Names: x.Names})
	if m := all[0].Mailboxes; len(m) != 3 || m[0].Mailbox != "ann" || m[1].Mailbox != "bob" {
		t.Errorf("mailboxes %+v", m)
	}
}

func TestEveryRiskIsExplainedInEveryLanguage(t *testing.T) {
	if err := locale.Check(texts); err != nil {
		t.Error(err)
	}
	for _, tag := range locale.Tags() {
		l, err := locale.New(tag)
		if err != nil {
			t.Fatal(err)
		}
		c, err := NewCatalogue(l)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{MessageTooLarge, MessageLarge, DraftTooLarge, FolderRenamed, FolderReserved, FolderCollision, FolderCount, FolderDepth, FolderFull, FolderUnread,
			MailboxFull, SourceFull, MailboxEmpty, MailboxUnopened, TargetMissing, TargetUnlicensed, ClockSkew, TrashExpires, FlaggedDeleted, Keywords, Doubled, Merged,
			NoArrival, NoDate, NoFrom, BlockedAttachment, Sealed, SealedTooLarge, Malformed} {
			e := c.Explain(key)
			for _, text := range []string{e.Title, e.What, e.Default, e.Remedy} {
				if text == "" || text == e.Title && len(text) > 60 {
					t.Errorf("%s, %s: %q", tag, key, text)
				}
			}
		}
		for _, s := range []Severity{Minor, Serious, Severe} {
			if c.Severity(s) == "" {
				t.Errorf("%s: no word for %s", tag, s)
			}
		}
	}
}
