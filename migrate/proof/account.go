package proof

import (
	"strings"

	"github.com/mailhaul/mailhaul/migrate"
)

// An account is what a log says in all: the latest entry of each folder, and the
// latest outcome of each message.
type account struct {
	folders map[int64]*folderAccount
	latest  map[messageID]migrate.Outcome
}

type folderAccount struct {
	entry Folder
	sums
}

func newAccount() *account {
	return &account{folders: map[int64]*folderAccount{}, latest: map[messageID]migrate.Outcome{}}
}

// add takes the next entry. It returns an error, and nothing is changed, if the
// text is no entry or one of a message whose folder was in none before.
func (a *account) add(text string) error {
	if strings.HasPrefix(text, "folder ") {
		entry, err := ParseFolder(text)
		if err != nil {
			return err
		}
		if a.folders[entry.ID] == nil {
			a.folders[entry.ID] = &folderAccount{}
		}
		a.folders[entry.ID].entry = entry
		return nil
	}
	m, err := ParseMessage(text)
	if err != nil {
		return err
	}
	f := a.folders[m.Folder]
	if f == nil {
		return errFolder
	}
	id := messageID{m.Folder, int64(m.UID)}
	if before, known := a.latest[id]; known {
		f.count[before]--
	} else {
		f.listed++
	}
	f.count[m.Outcome]++
	a.latest[id] = m.Outcome
	return nil
}
