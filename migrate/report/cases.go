package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/mailhaul/mailhaul/migrate"
)

// failures are known by what a person can do, as records have it, or by the
// reason: what mailhaul itself says, and no words of a server. The texts are
// "case.<key>.why" and "case.<key>.do".
var failures = []saying{
	{"lost", "Restore it at the source from a backup. If it is there under the same UID, see mailhaul retry."},
	{"doubt", "It may or may not be at the target. Look for it there by its Message-ID and date before you copy it by hand."},
	{"unreadable", "The source could not deliver this message. Look at it there: its file may be damaged."},
	{"unreadable", "Look at the message at the source: its file may be damaged."},
	{"spool", "Raise spool_max in the configuration above the size of the message."},
	{"too_large", "Save it for the user in another way."},
	{"too_large", "Gmail takes messages of {n} MiB and drafts of {m} MiB at most. Keep it as a file."},
	{"too_large", "The message is larger than Gmail takes. Keep it as a file."},
	{"limited", "The message is larger than the mailbox accepts. Raise its message size limits (Set-Mailbox -MaxReceiveSize, at most 150 MB) and retry."},
	{"large_attachment", "This cloud takes no attachment above 3 MB in a message that is rebuilt. Keep the message as a file."},
	{"protected", "Rebuilding would break the signature or the encryption. Use the importmime route (the app needs Mail-Advanced.ReadWrite.All; it takes messages up to 3 MB), or set protected = \"attach\" under [graph] to have it attached, as it is, to a message with its header."},
	{"author", "Gmail takes mail with exactly one From field that holds one valid address. Keep the message as a file."},
	{"attachment", "Gmail blocks this attachment's type or found a virus in it (support.google.com/mail/answer/6590). Keep the message as a file."},
	{"malformed", "Gmail finds the message malformed and does not say why: often odd or doubled header fields, or a virus. Keep it as a file."},
	{"malformed", "Exchange refuses the content of this message. Keep it as a file, or repair it at the source and retry."},
	{"unexplained", "Gmail does not take this message, for a reason that mailhaul does not know. Keep it as a file, and please report this text."},
	{"folder_full", "The folder holds as many messages as Exchange allows. Split it at the source and run again."},
	{"folder", "Rename the folder at the source, or map it to another one."},
	{"folder", "Give the folder another name."},
	{"folder", "Gmail reserves this name: give the folder another one."},
	{"folder", "A label with a name that Gmail holds to be the same exists: give the folder another name."},
	{"folder", "Gmail does not take this label and does not say why. A mailbox has room for 10,000 labels, and Gmail dislikes some names: delete labels, leave folders out, or give the folder another name."},
	{"folder", "Gmail sets this label itself and refused it for this message."},
	{"folder", "Gmail does not give this label to messages that are brought in. Leave the folder out, or let it become an ordinary label by renaming it at the source."},
	{"mistake", "Gmail found no message in the request. If the message is not empty, this is a mistake of mailhaul's: please report it with this text."},
	{"mistake", "Gmail refuses a request that is no message's fault. This is a mistake of mailhaul's: please report it with this text."},
	{"gave_up", "{op}: gave up after {n} attempts: {why}"},
}

var failureBook = newBook(failures)

// advices are how a hint begins that stands after another one, or alone: that a
// transform could mend the message.
var advices = []saying{
	{"signed", "It is signed or encrypted, which a change would break ("},
	{"allowed", "What is odd about it may be changed in the copy if [transform] allows that: "},
}

// otherCase is that of a failure that mailhaul has no words for but a server's.
const otherCase = "other"

// caseOf returns the key of what mailhaul says of a failure.
func caseOf(reason, hint string) string {
	hint, _ = advised(hint)
	return cmp.Or(failureBook.key(hint), failureBook.key(reason), otherCase)
}

// advised parts a hint from the advice after it, of which it returns the key.
func advised(hint string) (rest, key string) {
	for _, a := range advices {
		if at := strings.Index(hint, a.said); at >= 0 {
			return strings.TrimSpace(hint[:at]), a.key
		}
	}
	return hint, ""
}

// explain says in plain words why a message failed and what can be done. What a
// server said is quoted where mailhaul has no words for it, if it may be shown:
// it can hold names of folders and subjects.
func (r *report) explain(rec migrate.Record) (why, do string) {
	key := caseOf(rec.Reason, rec.Hint)
	hint, advice := advised(rec.Hint)
	why, do = r.say("case."+key+".why"), r.say("case."+key+".do")
	if key == otherCase && r.Privacy.Everything() {
		why += " " + r.quoted(rec.Reason)
		if hint != "" {
			do += " " + r.quoted(hint)
		}
	}
	if advice != "" {
		do += " " + r.say("advice."+advice)
	}
	if rec.Doubt && key != "doubt" {
		do += " " + r.say("maybe")
	}
	return why, do
}

// byCount returns the keys of counts, those of the most first.
func byCount(counts map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
}
