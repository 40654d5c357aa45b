package migrate

import "time"

// Held is a message as a target shows it now.
type Held struct {
	ID       MessageID
	Complete bool // the fields below are known

	Folders   []FolderID // every folder that it is in
	Flags     []Flag     // those that the target can hold, spelled as the source spells them
	Date      time.Time  // by which the target sorts
	Size      int64      // octets by the target's own count, which is not the source's; 0 if unknown
	MessageID string     // with its brackets, as the target has it; may be empty, and left out beside the content
	Key       string     // Message.Key of the message that it is a copy of, if the target keeps it
	Deleted   bool       // it is in the trash, or where people get back what they deleted
}
