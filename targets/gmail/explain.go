package gmail

import (
	"github.com/mailhaul/mailhaul/migrate/canon"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

// Explains returns what may differ in a copy with this note. The notes on flags
// explain nothing, since Shown knows what Gmail can hold, nor does NoteDateFar:
// the Date field, by which Gmail goes, is one of the message's own dates. With
// NoteSentKept a message is where it belongs, and in Sent as well.
func (t *Target) Explains(note string) []canon.Aspect {
	switch note {
	case NoteDate:
		// Gmail was seen to add a Date field where there is none.
		return []canon.Aspect{verify.Received, canon.Date}
	case NoteSentLabel, NoteNotPlaced:
		return []canon.Aspect{verify.Folder}
	}
	return nil
}
