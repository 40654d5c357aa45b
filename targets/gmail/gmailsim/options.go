package gmailsim

import "time"

// Options are the switches of a [Server]. The zero value is the documented
// behaviour, or else the one most reports agree on: any user exists, nothing
// fails and there are no quotas.
type Options struct {
	// Who may call.

	Users     []string      // the mailboxes that exist; empty means that every address has one
	Tokens    []string      // bearer tokens that are good for every user, for ever; empty means "test"
	TokenLife time.Duration // life of the tokens that /token issues; 0 means an hour
	Scopes    []string      // what /token may grant; empty means every scope

	TokenScopes []string // what the tokens of Tokens allow; empty means everything
	Signers     []string // service accounts that signJwt signs for; empty means every one

	// ExpireTokenAt makes the token of the n-th authorised request invalid from
	// that request on, a token of Tokens too; 0 means never.
	ExpireTokenAt int

	MailServiceOff []string // users refused with "Mail service not enabled"
	Suspended      []string // users for whom every call is a 500, for ever
	DomainPolicy   bool     // every call is refused: Gmail is disabled for the domain

	// What a write does.

	Same           Same     // which imports count as one message
	NewIDOnMerge   bool     // a merged import gives the message a new id; the old one is gone
	FullAnswer     bool     // import answers threadId, labelIds and more, not only the id
	NothingAdded   bool     // no header fields are put on top of a message
	DateAdded      bool     // mail without a Date field gets one on top, right above its own fields
	DateHeaderOnly bool     // internalDate is the Date header even if receivedTime was asked for
	CleanMail      bool     // imports without neverMarkSpam=true do not go to SPAM
	Sent           Policy   // the label SENT on import and insert
	Draft          Policy   // the label DRAFT on import and insert; the zero value refuses it
	AnyFrom        bool     // the From rules are off
	Defects        []Defect // what else is refused with 400 "Request contains an invalid argument."
	Blocked        []string // extensions of refused attachments, lower case, no dot; nil means Google's list
	InsertAnyFile  bool     // insert does not look at attachments
	MailboxBytes   int64    // size at which a mailbox is full; 0 means never
	FullText       string   // of the 400 that a full mailbox gives; empty means a 403 that names the storage quota

	// Labels.

	// LabelKey returns what two label names are compared by. Nil means: ends
	// trimmed, white space collapsed, no case, and space, "/" and "-" are one.
	LabelKey      func(name string) string
	Reserved      []string // names refused besides the English ones
	ReservedFirst bool     // a reserved name is refused as the first part of a path too
	NestedRenames bool     // a label takes those that are nested in it along to its new name

	// What changes a message.

	SentLeaves bool    // SENT may be taken away; otherwise that is refused, as it is to set it
	BatchLost  Missing // what batchModify does with the id of a message that is not there

	// Lists.

	ListLags    bool // messages.list without q does not show a new message until q would find it
	PageByCount bool // a page token is how many messages come before the page, so that it moves if they come or go
	SpamByFlag  bool // SPAM and TRASH are listed with includeSpamTrash only, even if they are asked for
	LostLabel   Lost // what messages.list answers for a label that does not exist

	// Limits.

	Quota          Quota
	Concurrent     int           // calls of one user at a time; 0 means any number
	UploadBytes    int64         // octets that a user may send before being parked; 0 means any number
	DownloadBytes  int64         // octets of raw messages that a user may fetch before being parked
	ParkTime       time.Duration // how far ahead "Retry after" is; 0 means 15 minutes
	IndexRequests  int           // requests of the user during which q= does not find a new message
	IndexDelay     time.Duration // time during which q= does not find a new message
	HistoryRecords int           // records that history.list still knows; 0 means all

	// Resumable uploads.

	UploadLife time.Duration // life of an upload URI; 0 means a week
	ShortRange bool          // of the first chunk of an upload only half is kept, as Range tells
	KeepPart   bool          // what came of a chunk is kept when its connection breaks; otherwise none of it
	RepeatLast Repeat        // the answer to a last chunk that was committed already

	// The line.

	Latency time.Duration // added to every call
	Fault   Faults
	Seed    uint64           // of the faults
	Now     func() time.Time // the clock; nil means time.Now
}

// Same says which imports count as the same message. Labels of later ones are
// added to the first.
type Same uint8

const (
	SameMessage   Same = iota // equal octets with a Message-ID in them
	SameMessageID             // equal Message-ID, whatever the content
	SameContent               // equal octets
	SameNever                 // each import makes a message
	SameBody                  // equal Message-ID and body, whatever else the header holds
)

// Policy is what becomes of SENT or DRAFT among the labels of a new message.
type Policy uint8

const (
	PolicyDefault Policy = iota // SENT is accepted, DRAFT refused
	PolicyAccept
	PolicyRefuse // 400 Invalid label
	PolicyOwn    // accepted if From is the user's own address
)

// Repeat is the answer to a repeated last chunk.
type Repeat uint8

const (
	RepeatAnswer Repeat = iota // the first answer again
	RepeatGone                 // 404
	RepeatStore                // taken as a new message
)

// Lost is the answer to a list by a label that does not exist.
type Lost uint8

const (
	LostInvalid   Lost = iota // 400 "Invalid label: Label_9"
	LostUnknown               // 400 "labelId not found"
	LostNotFound              // 404
	LostNoMessage             // an empty list
)

// Missing is what a batch does that names a message that is not there.
type Missing uint8

const (
	MissingPassedOver Missing = iota // the others are changed
	MissingNotFound                  // 404, and nothing is changed
	MissingInvalid                   // 400, and nothing is changed
	MissingStops                     // 404, and those before it are changed
)
