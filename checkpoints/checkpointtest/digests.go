package checkpointtest

import (
	"fmt"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

func equalContentIsFound(t *testing.T, open Open) {
	c, reopen := open(t)
	l := mailbox(t, c, "a")
	f := folder(t, l, "INBOX")
	must(t, l.AddListed(t.Context(), pending(f, 1, 2)...))
	neighbour := digest("x")
	neighbour[31] ^= 1 // it differs in its last octet only
	must(t, l.Save(t.Context(), migrate.Record{Folder: f, UID: 2, Outcome: migrate.Copied, Target: "neighbour", Digest: neighbour}))

	for o := range migrate.Outcomes {
		want := migrate.Record{Folder: f, UID: 1, Outcome: o, Target: migrate.MessageID(fmt.Sprint("id ", o)), Digest: digest("x"), Size: 9, Notes: []string{"n"}}
		want.Doubt = o == migrate.Pending
		must(t, l.Save(t.Context(), want))
		l = mailbox(t, reopen(), "a")
		got, err := l.ByDigest(t.Context(), digest("x"))
		must(t, err)
		if found := len(got) == 1; found != (o.Arrived() || want.Doubt) {
			t.Errorf("%v: found %v", o, got)
		} else if found {
			same(t, o.String(), got[0], want)
		}
	}
	must(t, l.Save(t.Context(), migrate.Record{Folder: f, UID: 1, Outcome: migrate.Copied, Target: "m", Digest: digest("y")}))
	if rs, err := l.ByDigest(t.Context(), digest("x")); len(rs) > 0 || err != nil {
		t.Errorf("content that was replaced: found %v, error %v", rs, err)
	}
	if rs, err := l.ByDigest(t.Context(), digest("y")); len(rs) != 1 || rs[0].UID != 1 || err != nil {
		t.Errorf("content that replaced it: found %v, error %v", rs, err)
	}
}

func equalContentInDoubtIsFound(t *testing.T, open Open) {
	c, _ := open(t)
	l := mailbox(t, c, "a")
	f := folder(t, l, "INBOX")
	must(t, l.AddListed(t.Context(), pending(f, 1, 2, 3, 4)...))
	for uid := range migrate.UID(3) {
		must(t, l.Save(t.Context(), migrate.Record{Folder: f, UID: uid + 1, Doubt: true, Digest: digest("x")}))
	}
	rs, err := l.ByDigest(t.Context(), digest("x"))
	if len(rs) != 2 || !rs[0].Doubt || !rs[1].Doubt || rs[0].UID == rs[1].UID || err != nil {
		t.Errorf("three in doubt: found %v, error %v", rs, err)
	}
	must(t, l.Save(t.Context(), migrate.Record{Folder: f, UID: 4, Outcome: migrate.Copied, Target: "m", Digest: digest("x")}))
	rs, err = l.ByDigest(t.Context(), digest("x"))
	if len(rs) != 1 || rs[0].UID != 4 || err != nil {
		t.Errorf("one at the target and three in doubt: found %v, error %v", rs, err)
	}
}

func equalContentStaysInMailbox(t *testing.T, open Open) {
	c, _ := open(t)
	a, b := mailbox(t, c, "a"), mailbox(t, c, "b")
	f := folder(t, a, "INBOX")
	must(t, a.AddListed(t.Context(), migrate.Record{Folder: f, UID: 1, Outcome: migrate.Copied, Target: "m", Digest: digest("x")}))
	if rs, err := b.ByDigest(t.Context(), digest("x")); len(rs) > 0 || err != nil {
		t.Errorf("found %v in another mailbox, error %v", rs, err)
	}
	if rs, err := a.ByDigest(t.Context(), digest("x")); len(rs) != 1 || err != nil {
		t.Errorf("found %v in its own mailbox, error %v", rs, err)
	}
}

func unreadMessagesAreNotEqual(t *testing.T, open Open) {
	c, _ := open(t)
	l := mailbox(t, c, "a")
	f := folder(t, l, "INBOX")
	must(t, l.AddListed(t.Context(), migrate.Record{Folder: f, UID: 1, Outcome: migrate.Adopted, Target: "m"}))
	if rs, err := l.ByDigest(t.Context(), migrate.Digest{}); len(rs) > 0 || err != nil {
		t.Errorf("found %v, error %v", rs, err)
	}
}
