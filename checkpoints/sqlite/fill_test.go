package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

// gmailID is like Gmail's: 16 hex digits that grow with time.
func gmailID(mailbox, folder, n int) migrate.MessageID {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %d", mailbox, folder, n))
	return migrate.MessageID(fmt.Sprintf("19%06x%08x", n/7, binary.BigEndian.Uint32(sum[:])))
}

// graphID is like Graph's: base64url of the mailbox, the folder and a number
// that differs in its last 24 octets.
func graphID(mailbox, folder, n int) migrate.MessageID {
	box := sha256.Sum256(fmt.Appendf(nil, "mailbox %d", mailbox))
	dir := sha256.Sum256(fmt.Appendf(nil, "folder %d", folder))
	tail := sha256.Sum256(fmt.Appendf(nil, "message %d", n))
	id := append([]byte{0, 0, 12, 'd'}, box[:]...)
	id = append(id, box[:20]...)
	id = append(id, dir[:]...)
	return migrate.MessageID(base64.URLEncoding.EncodeToString(append(id, tail[:24]...)))
}

// messageID is like those of mail, of 60 octets.
func messageID(mailbox, folder, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "id %d %d %d", mailbox, folder, n))
	return fmt.Sprintf("<%x.%08x@mail.example.com>", sum[:16], n*7919)
}

// fill records the copy of n messages as a run does: four mailboxes of five
// folders at the same time, listed in batches, then intent and result.
func fill(t testing.TB, s *Store, n int, id func(mailbox, folder, n int) migrate.MessageID) {
	t.Helper()
	ctx := context.Background()
	const mailboxes, folders, batch, group = 4, 5, 500, 20
	var ledgers [mailboxes]migrate.Ledger
	for m := range ledgers {
		l, err := s.Mailbox(ctx, fmt.Sprintf("user%d@old.example", m), fmt.Sprintf("user%d@new.example", m))
		if err != nil {
			t.Fatal(err)
		}
		ledgers[m] = l
	}
	for f := range folders {
		var states [mailboxes]migrate.FolderState
		for m, l := range ledgers {
			states[m].Folder = migrate.Folder{Path: []string{"Clients", fmt.Sprint(f)}, UIDValidity: 1}
			if err := l.SaveFolder(ctx, &states[m]); err != nil {
				t.Fatal(err)
			}
		}
		each := n / mailboxes / folders
		for from := 0; from < each; from += batch {
			for m, l := range ledgers {
				var rs []migrate.Record
				for i := from; i < min(from+batch, each); i++ {
					rs = append(rs, migrate.Record{Folder: states[m].ID, UID: migrate.UID(i*2 + 1), Size: int64(9000 + i), MessageID: messageID(m, f, i)})
				}
				if err := l.AddListed(ctx, rs...); err != nil {
					t.Fatal(err)
				}
			}
			for i := from; i < min(from+batch, each); i += group {
				for m, l := range ledgers {
					var rs []migrate.Record
					for j := i; j < min(i+group, each); j++ {
						rs = append(rs, migrate.Record{Folder: states[m].ID, UID: migrate.UID(j*2 + 1), Size: int64(9000 + j), Doubt: true, MessageID: messageID(m, f, j),
							Digest: sha256.Sum256(fmt.Appendf(nil, "%d %d %d", m, f, j))})
					}
					if err := l.Save(ctx, rs...); err != nil {
						t.Fatal(err)
					}
					for k := range rs {
						rs[k].Doubt, rs[k].Outcome, rs[k].Target = false, migrate.Copied, id(m, f, i+k)
					}
					if err := l.Save(ctx, rs...); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}
