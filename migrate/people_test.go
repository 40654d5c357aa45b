package migrate

import (
	"slices"
	"strings"
)

// The people who work at the source.

func (w *world) deliver(path, content string) {
	uid := max(w.next[path], 1)
	w.next[path] = uid + 1
	w.mail[path] = append(w.mail[path], worldMail{uid: uid, content: content, modSeq: w.tick()})
}

// tick returns the next ModSeq.
func (w *world) tick() uint64 {
	w.ticks++
	return 1 + w.ticks
}

func (w *world) expunge(path string, i int) worldMail {
	m := w.mail[path][i]
	w.mail[path] = slices.Delete(slices.Clone(w.mail[path]), i, i+1)
	return m
}

func (w *world) move(from string, i int, to string) {
	m := w.expunge(from, i)
	w.deliver(to, m.content)
	w.mail[to][len(w.mail[to])-1].flags = m.flags
}

func (w *world) mark(path string, i int, flags ...Flag) {
	w.mail[path] = slices.Clone(w.mail[path])
	w.mail[path][i].flags, w.mail[path][i].modSeq = flags, w.tick()
}

func (w *world) folderAt(path string) *Folder {
	i := slices.IndexFunc(w.folders, func(f Folder) bool { return f.String() == path })
	return &w.folders[i]
}

func (w *world) rename(from, to string) {
	w.folderAt(from).Path = strings.Split(to, " / ")
	w.mail[to], w.next[to], w.highest[to] = w.mail[from], w.next[from], w.highest[from]
	delete(w.mail, from)
	delete(w.next, from)
}

// renew gives a folder a new UIDVALIDITY and its messages new UIDs.
func (w *world) renew(path string) {
	w.folderAt(path).UIDValidity += 100
	w.mail[path] = slices.Clone(w.mail[path])
	for i := range w.mail[path] {
		w.mail[path][i].uid, w.mail[path][i].modSeq = UID(i+1), w.tick()
	}
	w.next[path] = UID(len(w.mail[path]) + 1)
}

func (w *world) deleteFolder(path string) {
	w.folders = slices.DeleteFunc(slices.Clone(w.folders), func(f Folder) bool { return f.String() == path })
	delete(w.mail, path)
	delete(w.next, path)
}
