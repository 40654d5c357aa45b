package main

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// A fate is what became of one property of a message.
type fate int

const (
	fateLost    fate = iota // it is not there, and nothing says so
	fateKept                // it is there as it was
	fateBelow               // it is there as it was, under lines that were added on top
	fateAside               // it is there, in properties beside the message
	fateNoted               // it is not there, and the record of the message says so
	fateRefused             // the message was not copied, and the record says why
	fates
)

// A row is one property of mail.
type row struct {
	group, name string
	about       func(*original) bool // whether a message has it
	fate        func(arrival) fate   // what became of it; asked of what arrived only
	notes       []string             // that say that it is lost
	whole       bool                 // it is one of the message as a whole: what was not copied counts
}

// of returns the fate of a row's property in one message; ok is false if the
// row is not about that message. Only the state of a draft is looked at, and
// nothing of other mail that is out of the ordinary.
func (r row) of(a arrival) (f fate, ok bool) {
	switch {
	case a.odd != "" && (r.group != stateGroup || !a.has(migrate.Draft)), !r.about(a.original):
		return 0, false
	case a.Outcome == migrate.Failed:
		return fateRefused, r.whole
	case !a.Outcome.Arrived():
		return 0, false
	}
	f = r.fate(a)
	if f == fateLost && slices.ContainsFunc(r.notes, func(n string) bool { return slices.Contains(a.Notes, n) }) {
		f = fateNoted
	}
	return f, true
}

func rows() []row {
	return slices.Concat(stateRows(), headerRows(), contentRows(), protectedRows(), octetRows())
}

func everyMessage(*original) bool { return true }

func when(kept bool) fate {
	if kept {
		return fateKept
	}
	return fateLost
}

func flaggedWith(f migrate.Flag) func(*original) bool {
	return func(o *original) bool { return o.has(f) }
}

// keywords that mail programs set for themselves.
func clientKeyword(f migrate.Flag) bool { return strings.EqualFold(string(f), "NonJunk") }

func hasKeyword(client bool) func(*original) bool {
	return func(o *original) bool { return len(o.keywords(client)) > 0 }
}

func (o *original) keywords(client bool) (list []string) {
	for _, f := range o.flags {
		if !strings.HasPrefix(string(f), `\`) && f != migrate.Forwarded && clientKeyword(f) == client {
			list = append(list, string(f))
		}
	}
	return list
}

func keywordsKept(client bool) func(arrival) fate {
	return func(a arrival) fate {
		for _, k := range a.keywords(client) {
			if !slices.ContainsFunc(a.there.categories, func(c string) bool { return strings.EqualFold(c, k) }) {
				return fateLost
			}
		}
		return fateKept
	}
}

const stateGroup = "Place and state"

func stateRows() []row {
	placed := func(a arrival) fate {
		label := a.place
		if a.there.labels {
			label = gmailLabel(a.place)
		}
		return when(slices.Contains(a.there.folders, label) || a.place == "All Mail" && !slices.Contains(a.there.folders, "INBOX"))
	}
	sent := func(a arrival) fate {
		date := a.there.sent
		if date.IsZero() {
			date = a.there.mime.date()
		}
		return when(date.Equal(a.mime.date()))
	}
	const group = stateGroup
	unplaced := []string{"not-placed", "sent-label-refused"}
	undated := []string{"date-is-import-time", "date-differs"}
	return []row{
		{group, "folder or label", everyMessage, placed, unplaced, false},
		{group, "every folder of a message that is in several", func(o *original) bool { return o.places > 1 }, placed, unplaced, false},
		{group, "name of the folder", everyMessage, func(a arrival) fate {
			switch {
			case strings.EqualFold(a.place, a.folder):
				return fateKept
			case a.note != "":
				return fateNoted
			}
			return fateLost
		}, nil, false},
		{group, "received date, to the second", everyMessage, func(a arrival) fate { return when(a.there.received.Equal(a.date.Truncate(time.Second))) }, nil, false},
		{group, "received date, within an hour", everyMessage, func(a arrival) fate { return when(a.there.received.Sub(a.date).Abs() <= time.Hour) }, undated, false},
		{group, "sent date", everyMessage, sent, nil, false},
		{group, "read or unread (`\\Seen`)", everyMessage, func(a arrival) fate { return when(a.there.read == a.has(migrate.Seen)) }, []string{"flags-dropped"}, false},
		{group, "`\\Flagged`", flaggedWith(migrate.Flagged), func(a arrival) fate { return when(a.there.flagged) }, []string{"flags-dropped"}, false},
		{group, "`\\Answered`", flaggedWith(migrate.Answered), func(a arrival) fate { return when(a.there.answered) }, []string{"flags-dropped", "answered-flag-dropped"}, false},
		{group, "`$Forwarded`", flaggedWith(migrate.Forwarded), func(a arrival) fate { return when(a.there.forwarded) }, []string{"flags-dropped", "forwarded-flag-dropped"}, false},
		{group, "`\\Draft`", flaggedWith(migrate.Draft), func(a arrival) fate { return when(a.there.draft) }, []string{"flags-dropped", "draft-as-message"}, false},
		{group, "keywords that people set", hasKeyword(false), keywordsKept(false), []string{"flags-dropped", "keyword-dropped"}, false},
		{group, "keywords that mail programs set (`NonJunk`)", hasKeyword(true), keywordsKept(true), []string{"flags-dropped", "keyword-dropped"}, false},
		{group, "importance", func(o *original) bool { return o.mime.first("Importance") == "high" },
			func(a arrival) fate { return when(a.there.high || a.there.mime.first("Importance") == "high") }, nil, false},
	}
}

// headerRow is about the fields that match.
func headerRow(name string, match func(name string) bool, notes ...string) row {
	values := func(e *entity) (list []string) {
		for _, f := range e.fields {
			if match(strings.ToLower(f.name)) {
				list = append(list, strings.ToLower(f.name)+": "+decodeWords(f.value))
			}
		}
		return list
	}
	return row{"Header fields", name, func(o *original) bool { return len(values(o.mime)) > 0 }, func(a arrival) fate {
		want := values(a.mime)
		switch {
		case inOrder(values(a.there.mime), want):
			return fateKept
		case a.there.properties != nil && inOrder(values(a.there.properties), want):
			return fateAside
		}
		return fateLost
	}, notes, false}
}

// inOrder says whether list has all of want in their order, among others.
func inOrder(list, want []string) bool {
	for _, s := range list {
		if len(want) > 0 && s == want[0] {
			want = want[1:]
		}
	}
	return len(want) == 0
}

func headerRows() []row {
	is := func(names ...string) func(string) bool {
		return func(name string) bool { return slices.Contains(names, name) }
	}
	begins := func(prefix string) func(string) bool {
		return func(name string) bool { return strings.HasPrefix(name, prefix) }
	}
	addresses := func(e *entity) (list []string) {
		for _, name := range []string{"From", "Sender", "To", "Cc", "Bcc", "Reply-To"} {
			if name == "Sender" && slices.Equal(e.addressesIn(name), e.addressesIn("From")) {
				continue // it says nothing (RFC 5322 section 3.6.2)
			}
			for _, a := range e.addressesIn(name) {
				list = append(list, name+": "+a)
			}
		}
		return list
	}
	return []row{
		{"Header fields", "addresses with their names (From, Sender, To, Cc, Bcc, Reply-To)", everyMessage, func(a arrival) fate {
			return when(slices.Equal(addresses(a.there.mime), addresses(a.mime)))
		}, []string{"addresses-repaired", "recipients-shortened"}, false},
		headerRow("Subject", is("subject"), "subject-shortened"),
		headerRow("Message-ID", is("message-id")),
		headerRow("In-Reply-To", is("in-reply-to")),
		headerRow("References", is("references")),
		headerRow("Received", is("received")),
		headerRow("Return-Path", is("return-path")),
		headerRow("DKIM-Signature", is("dkim-signature")),
		headerRow("List-…", begins("list-")),
		headerRow("X-…", begins("x-")),
	}
}

// partsOf is about parts of a message that are of one sort, if there are any,
// each of which must have a counterpart in the copy.
func partsOf(sort func(*entity) []*entity, same func(was, is *entity) bool) (func(*original) bool, func(arrival) fate) {
	return func(o *original) bool { return len(sort(o.mime)) > 0 }, func(a arrival) fate {
		left := a.there.mime.leaves()
		for _, was := range sort(a.mime) {
			i := slices.IndexFunc(left, func(is *entity) bool { return same(was, is) })
			if i < 0 {
				return fateLost
			}
			left = slices.Delete(left, i, i+1)
		}
		return fateKept
	}
}

// leavesThat returns the leaves of which is is true.
func leavesThat(is func(*entity) bool) func(*entity) []*entity {
	return func(e *entity) []*entity {
		return slices.DeleteFunc(e.leaves(), func(l *entity) bool { return !is(l) })
	}
}

func sameContent(was, is *entity) bool { return bytes.Equal(was.content, is.content) }

func sameText(was, is *entity) bool { return was.mediaType == is.mediaType && was.text() == is.text() }

func contentRows() []row {
	const group = "Content"
	var list []row
	add := func(name string, sort func(*entity) []*entity, same func(was, is *entity) bool, notes ...string) {
		about, fate := partsOf(sort, same)
		list = append(list, row{group, name, about, fate, notes, false})
	}
	halves := func(e *entity) []*entity {
		var texts []*entity
		if alternative := e.find(func(e *entity) bool { return e.mediaType == "multipart/alternative" }); alternative != nil {
			texts = leavesThat((*entity).isText)(alternative)
		}
		if len(texts) < 2 {
			return nil
		}
		return texts
	}
	best := func(e *entity) []*entity {
		texts := leavesThat((*entity).isText)(e)
		if both := halves(e); len(both) > 0 {
			texts = both[len(both)-1:]
		}
		return texts[:min(1, len(texts))]
	}
	foreign := leavesThat(func(e *entity) bool {
		charset := strings.ToLower(e.params["charset"])
		return e.isText() && charset != "" && charset != "utf-8" && charset != "us-ascii"
	})
	add("the text, in its best form", best, sameText)
	add("both halves of multipart/alternative", halves, sameText, "alternative-text-dropped")
	add("text in other charsets than UTF-8, as characters", foreign, sameText, "alternative-text-dropped")
	add("the charset itself", foreign, func(was, is *entity) bool {
		return sameContent(was, is) && strings.EqualFold(was.params["charset"], is.params["charset"])
	}, "mime-structure-rebuilt")
	add("inline images", leavesThat(func(e *entity) bool { return e.contentID() != "" && strings.HasPrefix(e.mediaType, "image/") }),
		func(was, is *entity) bool { return sameContent(was, is) && was.contentID() == is.contentID() })
	add("attachments, octet for octet", leavesThat((*entity).isFile), sameContent)
	add("names of attachments", leavesThat((*entity).isFile), func(was, is *entity) bool { return sameContent(was, is) && was.fileName() == is.fileName() })
	add("calendar parts", leavesThat(func(e *entity) bool { return e.mediaType == "text/calendar" }), func(was, is *entity) bool {
		return is.mediaType == was.mediaType && sameContent(was, is) && was.params["method"] == is.params["method"]
	}, "mime-structure-rebuilt")
	add("delivery and read receipts", leavesThat(func(e *entity) bool { return strings.HasPrefix(e.mediaType, "message/d") }), func(was, is *entity) bool {
		return is.mediaType == was.mediaType && sameContent(was, is)
	}, "mime-structure-rebuilt")
	about, enclosed := partsOf(leavesThat(func(e *entity) bool { return e.mediaType == "message/rfc822" }), func(was, is *entity) bool {
		return is.mediaType == was.mediaType && sameContent(was, is)
	})
	const asFile = "attached-message-as-file"
	return append(list,
		row{group, "messages within messages (message/rfc822)", about, func(a arrival) fate {
			if slices.Contains(a.Notes, asFile) {
				return fateLost
			}
			return enclosed(a)
		}, []string{asFile}, false},
		row{group, "structure of multiparts", func(o *original) bool { return len(o.mime.parts) > 0 },
			func(a arrival) fate { return when(a.mime.tree() == a.there.mime.tree()) }, []string{"mime-structure-rebuilt"}, false},
		everyPart())
}

// everyPart is about the decoded content of all parts.
func everyPart() row {
	about, fate := partsOf((*entity).leaves, func(was, is *entity) bool {
		return sameContent(was, is) || strings.HasPrefix(was.mediaType, "text/") && sameText(was, is)
	})
	return row{"Content", "every part, decoded", about, fate, []string{"alternative-text-dropped"}, false}
}

// protectedRows are about what a change of one octet breaks.
func protectedRows() []row {
	protected := func(name string, is func(*entity) bool) row {
		return row{"Signed and encrypted mail", name, func(o *original) bool { return o.mime.find(is) != nil }, func(a arrival) fate {
			was, now := a.mime.find(is), a.there.mime.find(is)
			switch {
			case now == nil || len(was.parts) != len(now.parts):
				return fateLost
			case len(was.parts) == 0:
				return when(sameContent(was, now))
			}
			signed := was.mediaType != "multipart/signed" || bytes.Equal(was.parts[0].octets, now.parts[0].octets)
			return when(signed && slices.EqualFunc(was.parts, now.parts, sameContent))
		}, []string{"inner-signature-broken-and-original-attached"}, true}
	}
	typed := func(mediaType, protocol string) func(*entity) bool {
		return func(e *entity) bool { return e.mediaType == mediaType && e.params["protocol"] == protocol }
	}
	return []row{
		protected("S/MIME signed", typed("multipart/signed", "application/pkcs7-signature")),
		protected("S/MIME encrypted, or signed in one piece", typed("application/pkcs7-mime", "")),
		protected("PGP/MIME signed", typed("multipart/signed", "application/pgp-signature")),
		protected("PGP/MIME encrypted", typed("multipart/encrypted", "application/pgp-encrypted")),
	}
}

func octetRows() []row {
	compare := func(got, want []byte) fate {
		switch top, ok := bytes.CutSuffix(got, want); {
		case got == nil || !ok:
			return fateLost
		case len(top) == 0:
			return fateKept
		case isHeaderLines(top):
			return fateBelow
		}
		return fateLost
	}
	return []row{
		{"The message as a whole", "its octets, as mailhaul hands them over", everyMessage, func(a arrival) fate { return compare(a.there.handed, a.original.octets) }, nil, false},
		{"The message as a whole", "its octets, as the target gives them back", everyMessage, func(a arrival) fate { return compare(a.there.octets, a.original.octets) }, nil, false},
	}
}

// isHeaderLines says whether octets are whole header fields.
func isHeaderLines(octets []byte) bool {
	e := parseEntity(octets, "", 0)
	return len(e.fields) > 0 && len(e.body) == 0 && bytes.HasSuffix(octets, []byte("\r\n"))
}
