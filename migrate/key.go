package migrate

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Key names a message at the source by mailbox, folder, UIDVALIDITY and UID:
// 64 hex digits, the same on every run. Each part is preceded by its length,
// so that no two messages share a key by the way their names run together.
func Key(mailbox string, f Folder, uid UID) string {
	var b []byte
	for _, s := range append([]string{mailbox}, f.Path...) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	b = binary.BigEndian.AppendUint32(b, f.UIDValidity)
	b = binary.BigEndian.AppendUint32(b, uint32(uid))
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
