package gmailsim

import "time"

// parked refuses calls of a user who sent or fetched too much, until a time
// that stands only in the text. Calling before that time moves it on.
func (b *mailbox) parked(now time.Time, o Options) error {
	if o.UploadBytes == 0 && o.DownloadBytes == 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	over := o.UploadBytes > 0 && b.sent >= o.UploadBytes || o.DownloadBytes > 0 && b.fetched >= o.DownloadBytes
	if !over && !now.Before(b.until) {
		return nil
	}
	b.sent, b.fetched = 0, 0
	b.until = now.Add(o.ParkTime)
	return &refusal{code: 429, reason: "rateLimitExceeded", domain: "usageLimits",
		message: "User-rate limit exceeded.  Retry after " + b.until.UTC().Format("2006-01-02T15:04:05.000Z")}
}

// full refuses a message for which there is no room. What Gmail answers then
// is not known; these are guesses.
func (b *mailbox) full(m *message, o Options) error {
	switch {
	case o.MailboxBytes == 0 || b.bytes+m.size <= o.MailboxBytes:
		return nil
	case o.FullText != "":
		return invalid("%s", o.FullText)
	default:
		return &refusal{code: 403, reason: "quotaExceeded", message: "The user has exceeded their storage quota."}
	}
}
