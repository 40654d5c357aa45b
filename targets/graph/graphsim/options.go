package graphsim

import "time"

// Options are the switches of a [Server]. The zero value is the documented
// behaviour, or the likelier one where nothing is documented, without quotas
// and faults. Section numbers are those of the project's fact sheet on Graph.
type Options struct {
	// Users lists the addresses that exist, in any case. Empty: all do.
	Users []string
	// Denied lists users outside the app's mailbox scope: 403.
	Denied []string
	// WithoutRoles lists application permissions that the app lacks, such as
	// "Mail.ReadWrite", "Mail-Advanced.ReadWrite.All",
	// "MailboxSettings.ReadWrite" and "User.Read.All": 403.
	WithoutRoles []string
	// ScopedRoles lists application permissions that the app has for the users
	// in Scope alone, by RBAC for Applications (section 14). Tokens do not show
	// them.
	ScopedRoles, Scope []string
	// NoMailbox lists users that have no mailbox: 404 ErrorNonExistentMailbox.
	NoMailbox []string
	// MailboxDelay is how long after New a mailbox answers 404
	// MailboxNotEnabledForRESTAPI (section 14: about 15 minutes when new).
	MailboxDelay time.Duration

	// Tokens are bearer tokens that never expire. Empty: "test".
	Tokens []string
	// Secret is the client secret that the token endpoint wants. Empty: any.
	Secret string
	// TokenLife is the life of an issued token. 0: 3599 s.
	TokenLife time.Duration
	// TokenRequests ends an issued token early, after so many requests. 0: never.
	TokenRequests int

	// Now is the clock of dates, quotas, tokens and delays. Nil: time.Now.
	Now func() time.Time
	// Latency is added to every call, while it counts as running.
	Latency time.Duration
	// Quota limits each pair of app and mailbox.
	Quota Quota
	// Faults are made at random with Seed, or at given writes; see [ParseFaults].
	Faults Faults
	Seed   uint64
	// SlowPage answers 504 to pages of more than this many messages. 0: never.
	SlowPage int

	// Status overrides the HTTP status of an error code, where sources differ
	// or say nothing: {"ErrorFolderExists": 400} instead of 409.
	Status map[string]int

	// MaxRequest is the largest request body in octets. 0: 4 MiB. (4 MB might
	// mean 4,000,000: section 17.)
	MaxRequest int64
	// MaxImport is the same for importMime. 0: MaxRequest.
	MaxImport int64
	// Chunked accepts request bodies without Content-Length instead of 411
	// (section 16). They cost no upload quota.
	Chunked bool
	// MaxMessage bounds one message with its attachments. 0: 35 MiB.
	MaxMessage int64
	// MaxMailbox answers ErrorQuotaExceeded once a mailbox would hold more octets. 0: never.
	MaxMailbox int64
	// MaxFolderMessages answers ErrorMessagePerFolderCountReceiveQuotaExceeded. 0: never.
	MaxFolderMessages int

	// NoImport takes importMime away, ImportV1 serves it under /v1.0 too.
	NoImport, ImportV1 bool
	// ImportNow makes importMime lose the date: received is the time of the
	// call, not the date of the topmost Received: field or else of Date:.
	ImportNow bool
	// ImportDropsFields makes importMime lose header fields whose names start
	// with X-.
	ImportDropsFields bool
	// ImportRead makes importMime leave messages read.
	ImportRead bool
	// RefuseBroken answers ErrorMimeContentInvalid to MIME without a header or
	// without From:.
	RefuseBroken bool
	// Defects lists what else importMime and a MIME post refuse with it.
	Defects []Defect
	// RefuseRecipients answers ErrorInvalidRecipients to a create from JSON with
	// an address that has no @.
	RefuseRecipients bool
	// Base64Lines accepts line breaks inside the base64 text of a MIME post.
	Base64Lines bool
	// MIMEInFolder accepts a MIME post on mailFolders/{f}/messages, as the
	// documentation has it and practice mostly not.
	MIMEInFolder bool
	// MIMEInBatch accepts MIME posts as parts of a $batch; their body is a
	// JSON string with the base64 text.
	MIMEInBatch bool

	// ZeroFlagsDraft makes 0x0E07 "0" at create leave a draft.
	ZeroFlagsDraft bool
	// FlagsIgnored makes 0x0E07 at create have no effect: every create is a draft.
	FlagsIgnored bool
	// PatchDates lets PATCH change 0x0E06 and 0x0039.
	PatchDates bool
	// EditSent lets PATCH change subject, body and addresses of non-drafts, as
	// before the change of 2026-12-31.
	EditSent bool
	// SealedAttachments refuses attachments to non-drafts after create.
	SealedAttachments bool
	// TransportHeaders shows the fields of 0x007D and internetMessageHeaders in
	// the $value of messages created from JSON, which otherwise loses them.
	TransportHeaders bool
	// CheckETag enforces If-Match on PATCH: 412.
	CheckETag bool
	// ExpandDropsSelect makes $select with $expand lose the selected members.
	ExpandDropsSelect bool
	// PropertyIDsAsSent answers ids of extended properties as they were
	// written at create, not in a canonical spelling ("Integer 0xe07").
	PropertyIDsAsSent bool

	// MoveRefusesSame refuses to move a message or a folder to where it is, which
	// otherwise counts as a move: a message gets a new id that is not immutable.
	MoveRefusesSame bool
	// MoveResetsCreated makes createdDateTime of a message the time of its last
	// move: a move is said to make a copy and remove the original.
	MoveResetsCreated bool

	// RecoverableHidden answers 404 to calls on a message that was deleted from
	// Deleted Items too, which otherwise stands in recoverableitemsdeletions.
	RecoverableHidden bool

	// FilterDelay and FilterDelayRequests hide a new message from $filter
	// until so much time and so many further requests to the mailbox passed.
	// Filters on nothing but dates see it at once, unless FilterDelayDates.
	FilterDelay         time.Duration
	FilterDelayRequests int
	FilterDelayDates    bool
	// FilterStale makes $filter see extended properties that a PATCH changed as
	// they were before, for as long.
	FilterStale bool

	// Archive makes the one-click folder "archive" exist from the start.
	Archive bool
	// Localised gives built-in folders German display names.
	Localised bool
	// CaseSensitiveNames lets folder names under one parent differ by case only.
	CaseSensitiveNames bool
	// TrimNames strips blanks around folder names before comparing and storing.
	TrimNames bool
	// MaxName is the most characters in a folder name. 0: 255.
	MaxName int
	// ForbiddenInNames lists characters that folder names may not have.
	ForbiddenInNames string

	// NoUploadSessions takes createUploadSession away, as in the clouds of the
	// US Government.
	NoUploadSessions bool
	// UploadAuthIgnored ignores an Authorization header on an upload URL, which
	// otherwise gets 401.
	UploadAuthIgnored bool
}

// A Quota limits what one app may do to one mailbox. Zero values do not limit.
type Quota struct {
	Requests int           // calls, throttled ones included, in any stretch of Per
	Per      time.Duration // 0: 10 minutes

	Concurrent int // calls running at once

	// ConcurrentPerApp counts them for all mailboxes of an app together: the
	// vendor's pages differ (section 17).
	ConcurrentPerApp bool

	Upload    int64         // octets in bodies of PATCH, POST and PUT in any stretch of UploadPer
	UploadPer time.Duration // 0: 5 minutes

	// UploadURLsApart gives upload URLs a quota of their own.
	UploadURLsApart bool

	RetryAfter RetryAfter
}

// DocumentedQuota is what the vendor documents (section 8).
func DocumentedQuota() Quota {
	return Quota{Requests: 10_000, Per: 10 * time.Minute, Concurrent: 4, Upload: 150_000_000, UploadPer: 5 * time.Minute}
}

// RetryAfter is the form of the Retry-After header.
type RetryAfter int

const (
	WholeSeconds      RetryAfter = iota // "3"
	FractionalSeconds                   // "2.128"
	NoRetryAfter                        // no header
	RetryAfterDate                      // an HTTP date
)

func (o Options) withDefaults() Options {
	if len(o.Tokens) == 0 {
		o.Tokens = []string{"test"}
	}
	orDuration(&o.TokenLife, 3599*time.Second)
	orDuration(&o.Quota.Per, 10*time.Minute)
	orDuration(&o.Quota.UploadPer, 5*time.Minute)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxRequest == 0 {
		o.MaxRequest = 4 << 20
	}
	if o.MaxImport == 0 {
		o.MaxImport = o.MaxRequest
	}
	if o.MaxMessage == 0 {
		o.MaxMessage = 35 << 20
	}
	if o.MaxName == 0 {
		o.MaxName = 255
	}
	return o
}

func orDuration(d *time.Duration, fallback time.Duration) {
	if *d == 0 {
		*d = fallback
	}
}
