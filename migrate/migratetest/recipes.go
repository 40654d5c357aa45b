package migratetest

import (
	"fmt"
	"strings"
	"time"
)

// A recipe writes the messages of one kind.
type recipe struct {
	kind   Kind
	weight int // how many in 10,000, about
	broken bool
	write  func(*composer)
}

// The kinds that keep the rules. Those that break them are in broken.go.
const (
	Huge          Kind = "huge" // 4 to 9 MB, more than some ways into a target take
	Plain         Kind = "plain"
	Reply         Kind = "reply"
	EightBit      Kind = "8bit"
	Latin1        Kind = "latin1"
	ShiftJIS      Kind = "shift-jis"
	KOI8          Kind = "koi8-r"
	Alternative   Kind = "alternative"
	List          Kind = "list"
	Newsletter    Kind = "newsletter"
	InlineImage   Kind = "inline-image"
	Attachment    Kind = "attachment"
	Nested        Kind = "nested"
	FileNames     Kind = "file-names"
	Invitation    Kind = "invitation"
	Forward       Kind = "forward"
	Bounce        Kind = "bounce"
	Receipt       Kind = "receipt"
	SMIMESigned   Kind = "smime-signed"
	SMIMEEnclosed Kind = "smime-enveloped"
	PGPSigned     Kind = "pgp-signed"
	PGPEncrypted  Kind = "pgp-encrypted"
	LongLines     Kind = "long-lines"
	Undisclosed   Kind = "undisclosed"
	EmptyBody     Kind = "empty-body"
)

func recipes() []recipe {
	return append([]recipe{
		{kind: Huge, weight: 2, write: (*composer).huge},
		{kind: Plain, weight: 1700, write: (*composer).plain},
		{kind: Reply, weight: 2200, write: (*composer).reply},
		{kind: EightBit, weight: 200, write: (*composer).eightBit},
		{kind: Latin1, weight: 300, write: (*composer).latin1},
		{kind: ShiftJIS, weight: 80, write: (*composer).shiftJIS},
		{kind: KOI8, weight: 80, write: (*composer).koi8},
		{kind: Alternative, weight: 2350, write: (*composer).alternativeMail},
		{kind: List, weight: 900, write: (*composer).list},
		{kind: Newsletter, weight: 700, write: (*composer).newsletter},
		{kind: InlineImage, weight: 250, write: (*composer).inlineImage},
		{kind: Attachment, weight: 400, write: (*composer).attachment},
		{kind: Nested, weight: 100, write: (*composer).nested},
		{kind: FileNames, weight: 80, write: (*composer).fileNames},
		{kind: Invitation, weight: 140, write: (*composer).invitation},
		{kind: Forward, weight: 100, write: (*composer).forward},
		{kind: Bounce, weight: 80, write: (*composer).bounce},
		{kind: Receipt, weight: 40, write: (*composer).receipt},
		{kind: SMIMESigned, weight: 40, write: (*composer).smimeSigned},
		{kind: SMIMEEnclosed, weight: 20, write: (*composer).smimeEnveloped},
		{kind: PGPSigned, weight: 30, write: (*composer).pgpSigned},
		{kind: PGPEncrypted, weight: 20, write: (*composer).pgpEncrypted},
		{kind: LongLines, weight: 30, write: (*composer).longLines},
		{kind: Undisclosed, weight: 40, write: (*composer).undisclosed},
		{kind: EmptyBody, weight: 20, write: (*composer).emptyBody},
	}, brokenRecipes()...)
}

// note is a short text of the usual length.
func (c *composer) note() entity {
	return text("plain", "us-ascii", "7bit", english().prose(c.Rand, sized(c.Rand, 900, 0.8, 20_000)))
}

// page is HTML in quoted-printable.
func (c *composer) page(image string) entity {
	var b strings.Builder
	b.WriteString("<html><head><meta charset=\"utf-8\"></head><body style=\"font-family: sans-serif\">\r\n")
	for p := range strings.SplitSeq(german().prose(c.Rand, sized(c.Rand, 3_000, 0.7, 60_000)), "\r\n\r\n") {
		fmt.Fprintf(&b, "<p style=\"margin: 0 0 12px 0; color: #%06x\">%s</p>\r\n", c.IntN(1<<24), p)
	}
	if image != "" {
		fmt.Fprintf(&b, "<img src=\"cid:%s\" alt=\"\">\r\n", image)
	}
	b.WriteString("</body></html>\r\n")
	return text("html", "utf-8", "quoted-printable", b.String())
}

// alternative is the same text twice (RFC 2046 section 5.1.4).
func (c *composer) alternative() entity {
	return c.multipart("alternative", c.note(), c.page(""))
}

// document is an attached file; a few are large.
func (c *composer) document() entity {
	types := [][3]string{
		{"application/pdf", "%PDF-1.7\n", "pdf"},
		{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "PK\x03\x04", "docx"},
		{"image/jpeg", "\xff\xd8\xff\xe0", "jpg"},
		{"application/octet-stream", "", "bin"},
	}
	t := pickOne(c.Rand, types)
	name := fmt.Sprintf("\"%s %d.%s\"", pickOne(c.Rand, english().words), 1+c.IntN(99), t[2])
	return file(t[0], "attachment", "name="+name, "filename="+name, c.noise(t[1], sized(c.Rand, 46_500, 1.3, 6<<20)))
}

func (c *composer) plain() { c.send(c.note()) }

func (c *composer) reply() {
	root := threadRoot(c.seed)
	var refs []string
	for s := root; s != c.seed; s++ {
		refs = append(refs, messageID(s))
	}
	if len(refs) == 0 { // it starts a thread of ours, so it answers one that is not here
		refs = []string{messageID(^c.seed)}
	}
	c.head.set("Subject", "Re: "+subject(c.seed))
	c.head.add("In-Reply-To", "%s", refs[len(refs)-1])
	c.head.add("References", "%s", strings.Join(refs, "\r\n\t"))
	l := english()
	quoted := "> " + strings.ReplaceAll(strings.TrimSuffix(l.prose(c.Rand, sized(c.Rand, 1_200, 0.9, 30_000)), "\r\n"), "\r\n", "\r\n> ")
	c.send(text("plain", "us-ascii; format=flowed", "7bit", l.prose(c.Rand, sized(c.Rand, 400, 0.8, 5_000))+"\r\n"+quoted+"\r\n"))
}

func (c *composer) eightBit() {
	c.as(german(), "utf-8")
	c.send(text("plain", "utf-8", "8bit", german().prose(c.Rand, sized(c.Rand, 1_000, 0.8, 20_000))))
}

func (c *composer) latin1() {
	l := pickOne(c.Rand, []language{german(), french()})
	c.as(l, l.charset)
	c.send(text("plain", l.charset, "quoted-printable", l.prose(c.Rand, sized(c.Rand, 1_000, 0.8, 20_000))))
}

func (c *composer) shiftJIS() {
	l := japanese()
	c.as(l, l.charset)
	c.send(text("plain", l.charset, "base64", l.prose(c.Rand, sized(c.Rand, 1_500, 0.8, 20_000))))
}

func (c *composer) koi8() {
	l := russian()
	c.as(l, l.charset)
	c.send(text("plain", l.charset, "8bit", l.prose(c.Rand, sized(c.Rand, 1_500, 0.8, 20_000))))
}

func (c *composer) alternativeMail() { c.send(c.alternative()) }

func (c *composer) list() {
	c.head.set("Subject", "[staff] "+subject(c.seed))
	c.head.set("To", "staff@lists.example.org")
	c.head.add("List-Id", "Staff <staff.lists.example.org>")
	c.head.add("List-Post", "<mailto:staff@lists.example.org>")
	c.head.add("List-Unsubscribe", "<mailto:staff-leave@lists.example.org>,\r\n\t<https://lists.example.org/staff>")
	c.head.add("Precedence", "list")
	c.head.add("Sender", "staff-bounces@lists.example.org")
	c.send(c.note())
}

func (c *composer) newsletter() {
	c.head.drop("DKIM-Signature")
	c.signDKIM()
	c.head.set("From", "\"Example News, weekly\" <news@shop.example.com>")
	c.head.add("List-Unsubscribe", "<https://shop.example.com/u/%x>", c.Uint64())
	c.head.add("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	c.send(c.multipart("alternative", text("plain", "utf-8", "base64", german().prose(c.Rand, 2_000)), c.page(""), c.page("")))
}

// withImage is HTML and the image that it shows (RFC 2387).
func (c *composer) withImage() entity {
	cid := fmt.Sprintf("image%d.%x@mail.example.com", c.IntN(9), c.Uint32())
	image := file("image/png", "inline", "name=\"logo.png\"", "filename=\"logo.png\"", c.noise("\x89PNG\r\n\x1a\n", sized(c.Rand, 9_000, 0.8, 300_000)))
	image.header.add("Content-ID", "<%s>", cid)
	return c.multipart("related", c.page(cid), image)
}

func (c *composer) inlineImage() {
	c.send(c.multipart("alternative", c.note(), c.withImage()))
}

func (c *composer) attachment() { c.send(c.multipart("mixed", c.note(), c.document())) }

func (c *composer) huge() {
	video := file("video/mp4", "attachment", "name=\"visit.mp4\"", "filename=\"visit.mp4\"", c.noise("\x00\x00\x00\x20ftypisom", 3<<20+c.IntN(3<<20)))
	c.send(c.multipart("mixed", c.note(), video))
}

func (c *composer) nested() {
	c.send(c.multipart("mixed",
		c.multipart("alternative", c.note(), c.withImage()),
		c.document(),
		c.multipart("mixed", c.note(), c.multipart("parallel", c.note(), c.note()))))
}

func (c *composer) fileNames() {
	data := func() []byte { return c.noise("PK\x03\x04", sized(c.Rand, 12_000, 0.8, 200_000)) }
	const zip = "application/zip"
	long := strings.Repeat("Übersicht der Verträge ", 4) + ".zip"
	c.send(c.multipart("mixed", c.note(),
		file(zip, "attachment", extended("name", "utf-8", long), extended("filename", "utf-8", long), data()),
		file(zip, "attachment", extended("name", "iso-8859-1", "Größe.zip"), extended("filename", "iso-8859-1", "Größe.zip"), data()),
		file(zip, "attachment", "name=\""+encodedWords("shift_jis", "資料.zip")+"\"", "filename=\""+encodedWords("utf-8", "資料.zip")+"\"", data()),
		file(zip, "attachment", `name="a \"quoted\" \\ name.zip"`, `filename="a \"quoted\" \\ name.zip"`, data())))
}

func (c *composer) invitation() {
	start := c.date.Add(48 * time.Hour).UTC()
	const stamp = "20060102T150405Z"
	ics := fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//Calendar//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:%x@example.com\r\nDTSTAMP:%s\r\nDTSTART:%s\r\nDTEND:%s\r\nSUMMARY:%s\r\nORGANIZER:mailto:%s\r\nATTENDEE;RSVP=TRUE:mailto:%s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
		c.Uint64(), c.date.UTC().Format(stamp), start.Format(stamp), start.Add(time.Hour).Format(stamp), subject(c.seed), c.from.address, c.to.address)
	c.head.set("Subject", "Invitation: "+subject(c.seed))
	c.send(c.multipart("mixed",
		c.multipart("alternative", c.note(), text("calendar", "utf-8; method=REQUEST", "8bit", ics)),
		file("application/ics", "attachment", "name=\"invite.ics\"", "filename=\"invite.ics\"", []byte(ics))))
}

// enclosed is another message as a part (RFC 2046 section 5.2.1).
func (c *composer) enclosed(k Kind) entity {
	var e entity
	e.header.add("Content-Type", "message/rfc822")
	e.header.add("Content-Disposition", "attachment; filename=\"forwarded.eml\"")
	e.body = compose(k, mix(c.seed), c.date.Add(-time.Hour)).Octets
	return e
}

func (c *composer) forward() {
	c.head.set("Subject", "Fwd: "+subject(c.seed))
	c.send(c.multipart("mixed", c.note(), c.enclosed(pickOne(c.Rand, []Kind{Reply, Attachment, Latin1, Alternative}))))
}

// bounce is a delivery status notification (RFC 3464).
func (c *composer) bounce() {
	c.head.set("Return-Path", "<>")
	c.head.set("From", "Mail Delivery System <MAILER-DAEMON@mx.example.com>")
	c.head.set("Subject", "Undelivered Mail Returned to Sender")
	c.head.add("Auto-Submitted", "auto-replied")
	status := entity{body: fmt.Appendf(nil, "Reporting-MTA: dns; mx.example.com\r\nArrival-Date: %s\r\n\r\nFinal-Recipient: rfc822; %s\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n",
		c.date.Format(time.RFC1123Z), c.to.address)}
	status.header.add("Content-Type", "message/delivery-status")
	c.send(c.multipart("report; report-type=delivery-status", c.note(), status, c.enclosed(Plain)))
}

// receipt is a message disposition notification (RFC 8098).
func (c *composer) receipt() {
	c.head.set("Subject", "Read: "+subject(c.seed))
	seen := entity{body: fmt.Appendf(nil, "Reporting-UA: mail.example.com; Example Mail\r\nFinal-Recipient: rfc822;%s\r\nOriginal-Message-ID: %s\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n",
		c.from.address, messageID(c.seed-1))}
	seen.header.add("Content-Type", "message/disposition-notification")
	c.send(c.multipart("report; report-type=disposition-notification", c.note(), seen))
}

func (c *composer) smimeSigned() {
	c.send(c.multipart("signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256", c.alternative(),
		file("application/pkcs7-signature", "attachment", "name=\"smime.p7s\"", "filename=\"smime.p7s\"", c.noise("\x30\x80\x06\x09", 3_900))))
}

func (c *composer) smimeEnveloped() {
	c.send(file("application/pkcs7-mime; smime-type=enveloped-data", "attachment", "name=\"smime.p7m\"", "filename=\"smime.p7m\"",
		c.noise("\x30\x80\x06\x09", sized(c.Rand, 9_000, 1, 500_000))))
}

// armoured is an OpenPGP block (RFC 9580 section 6.2) as a part.
func (c *composer) armoured(mediaType, what string, size int) entity {
	e := entity{body: []byte("-----BEGIN PGP " + what + "-----\r\n\r\n" + c.armour(size) + "\r\n=" + c.armour(3) + "\r\n-----END PGP " + what + "-----\r\n")}
	e.header.add("Content-Type", "%s", mediaType)
	return e
}

func (c *composer) pgpSigned() {
	c.send(c.multipart("signed; micalg=pgp-sha512; protocol=\"application/pgp-signature\"", c.note(),
		c.armoured("application/pgp-signature; name=\"signature.asc\"", "SIGNATURE", 400)))
}

func (c *composer) pgpEncrypted() {
	version := entity{body: []byte("Version: 1\r\n")}
	version.header.add("Content-Type", "application/pgp-encrypted")
	c.send(c.multipart("encrypted; protocol=\"application/pgp-encrypted\"", version,
		c.armoured("application/octet-stream; name=\"encrypted.asc\"", "MESSAGE", sized(c.Rand, 6_000, 1, 300_000))))
}

// longLines has lines of 998 octets, the most that RFC 5322 section 2.1.1 allows.
func (c *composer) longLines() {
	var b strings.Builder
	for n := 998; n > 990; n-- {
		b.WriteString(english().sentence(c.Rand, 998)[:n] + "\r\n")
	}
	c.send(text("plain", "us-ascii", "7bit", b.String()))
}

func (c *composer) undisclosed() {
	c.head.set("To", "undisclosed-recipients:;")
	c.send(c.note())
}

func (c *composer) emptyBody() { c.send(text("plain", "us-ascii", "7bit", "")) }
