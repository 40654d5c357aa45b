package graph

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// crlf makes a message from a Go string.
func crlf(s string) octets { return octets(strings.ReplaceAll(s, "\n", "\r\n")) }

func sourced(body octets) *migrate.Message {
	return &migrate.Message{Key: strings.Repeat("ab", 32), Body: body, Size: int64(len(body)), Flags: []migrate.Flag{migrate.Seen},
		InternalDate: time.Date(2009, 3, 1, 8, 15, 0, 0, time.UTC)}
}

const nested = `From: "Bö, B" <bo@example.com>
To: =?utf-8?q?Ad=C3=A8le?= <adele@example.com>, x@example.com
Subject: =?iso-8859-1?q?Gr=FC=DFe?=
Date: Sun, 1 Mar 2009 08:14:57 +0000
Message-ID: <1@example.com>
In-Reply-To: <0@example.com>
References: <a@example.com>
 <0@example.com>
X-MS-Exchange-Organization-SCL: 5
	folded
X-Priority: 1 (Highest)
Content-Type: multipart/mixed; boundary=m

--m
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain

plain
--a
Content-Type: multipart/related; boundary=r

--r
Content-Type: text/html; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

<p>Gr=FC=DFe <img src=3D"cid:i@x"></p>
--r
Content-Type: image/png; name="=?utf-8?q?b=C3=AFld.png?="
Content-ID: <i@x>
Content-Transfer-Encoding: base64

iVBORw==
--r--
--a--
--m
Content-Type: text/csv; charset=iso-8859-1
Content-Disposition: attachment; filename*=utf-8''gr%C3%BC%C3%9Fe.csv
Content-Transfer-Encoding: 8bit

` + "gr\xfc\xdfe" + `
--m
Content-Type: message/rfc822

Subject: inner

text
--m--
`

// posted is the create request as the server sees it.
func posted(t *testing.T, m *migrate.Message) (map[string]any, *letter, []attachment) {
	t.Helper()
	l, err := takeApart(m)
	if err != nil {
		t.Fatal(err)
	}
	p, rest, err := l.create(m, m.Key)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.open()
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(data)) != p.size() || len(data) > maxRequest {
		t.Errorf("the request has %d octets, announced %d", len(data), p.size())
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatalf("%v in %.300s", err, data)
	}
	return got, l, rest
}

func TestALetterKeepsWhatGraphCanHoldAndNamesTheRest(t *testing.T) {
	got, l, rest := posted(t, sourced(crlf(nested)))
	if len(rest) > 0 {
		t.Errorf("left over: %v", rest)
	}
	if got["subject"] != "Grüße" || got["internetMessageId"] != "<1@example.com>" || got["isRead"] != true || got["importance"] != "high" {
		t.Errorf("%v", got)
	}
	body := got["body"].(map[string]any)
	if body["contentType"] != "html" || !strings.Contains(body["content"].(string), "Grüße <img") {
		t.Errorf("body %v", body)
	}
	if s, _ := json.Marshal([]any{got["from"], got["sender"], got["toRecipients"], got["ccRecipients"]}); string(s) !=
		`[{"emailAddress":{"address":"bo@example.com","name":"Bö, B"}},{"emailAddress":{"address":"bo@example.com","name":"Bö, B"}},`+
			`[{"emailAddress":{"address":"adele@example.com","name":"Adèle"}},{"emailAddress":{"address":"x@example.com"}}],[]]` {
		t.Errorf("addresses %s", s)
	}
	props := map[string]string{}
	for _, p := range got["singleValueExtendedProperties"].([]any) {
		p := p.(map[string]any)
		props[p["id"].(string)] = p["value"].(string)
	}
	for id, want := range map[string]string{
		propFlags: "1", propReceived: "2009-03-01T08:15:00Z", propSubmitted: "2009-03-01T08:14:57Z", propClass: "IPM.Note",
		propInReplyTo: "<0@example.com>", propReferences: "<a@example.com> <0@example.com>", propMigrationKey: strings.Repeat("ab", 32),
	} {
		if props[id] != want {
			t.Errorf("%s is %q, want %q", id, props[id], want)
		}
	}
	if h := props[propHeaders]; !strings.HasPrefix(h, "From: \"B") || strings.Contains(h, "Organization") || strings.Contains(h, "folded") || !strings.Contains(h, "References: <a@example.com>\r\n <0@example.com>\r\n") {
		t.Errorf("headers %q", h)
	}
	var names []string
	for _, a := range l.attachments {
		names = append(names, a.name+" "+a.mediaType+" "+a.contentID+" "+string(a.data))
	}
	want := []string{"bïld.png image/png i@x \x89PNG", "grüße.csv text/csv  gr\xfc\xdfe", "part-5.eml message/rfc822  Subject: inner\r\n\r\ntext"}
	if !slices.Equal(names, want) {
		t.Errorf("attachments %q", names)
	}
	if want := []string{"alternative-text-dropped", "attached-message-as-file", "mime-structure-rebuilt"}; !slices.Equal(l.notes, want) {
		t.Errorf("notes %v", l.notes)
	}
}

func TestSignedAndEncryptedMessagesAreNotTakenApart(t *testing.T) {
	for _, typ := range []string{"multipart/signed; boundary=b", "Multipart/Encrypted; boundary=b", "application/pkcs7-mime; smime-type=enveloped-data", "application/x-pkcs7-mime", "multipart/signed"} {
		if _, err := takeApart(sourced(crlf("Subject: s\nContent-Type: " + typ + "\n\n--b\n\nx\n--b--\n"))); err != errProtected {
			t.Errorf("%s: %v", typ, err)
		}
	}
}

func TestBrokenMessagesKeepTheirOriginal(t *testing.T) {
	for name, s := range map[string]string{
		"no closing boundary": "Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n",
		"no boundary":         "Subject: s\nContent-Type: multipart/mixed\n\nhello\n",
		"broken base64":       "Subject: s\nContent-Transfer-Encoding: base64\n\naGVsbG8*aGVsbG8=\n",
		"broken part header":  "Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n--b\nno header here\n\nx\n--b--\n",
	} {
		l, err := takeApart(sourced(crlf(s)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		n := len(l.attachments)
		if !slices.Contains(l.notes, "damaged-mime-attached") || n == 0 || l.attachments[n-1].leaf != -1 || l.attachments[n-1].size != int64(len(crlf(s))) {
			t.Errorf("%s: notes %v, attachments %+v", name, l.notes, l.attachments)
		}
	}
}

func TestALineThatIsNoFieldCostsNoOtherField(t *testing.T) {
	for first, note := range map[string]string{"From bo Sun Mar  1 2009": "", "rubbish": "damaged-mime-attached", strings.Repeat("r", 10_000): "damaged-mime-attached"} {
		l, err := takeApart(sourced(crlf(first + "\nSubject: s\n folded\n\ntext")))
		if err != nil || l.text != "text" || strings.Join(l.notes, " ") != strings.TrimSpace(note+" ") && !slices.Contains(l.notes, note) || (header{l.header}).text("Subject") != "s folded" {
			t.Errorf("%.20s: %+v %v", first, l, err)
		}
	}
}

func TestWhatIsNoMessageIsOneText(t *testing.T) {
	for _, s := range []string{"", "no header at all", "\x00\x01binary\xff"} {
		l, err := takeApart(sourced(octets(s)))
		if err != nil {
			t.Errorf("%q: %v", s, err)
			continue
		}
		if !slices.Equal(l.notes, []string{"unparsed-as-text"}) {
			t.Errorf("%q: notes %v", s, l.notes)
		}
		if len(l.attachments) != 1 || l.attachments[0].size != int64(len(s)) {
			t.Errorf("%q became %q and is nowhere kept", s, l.text)
		}
	}
}

func TestAnUnknownCharsetLosesNothing(t *testing.T) {
	for _, label := range []string{"136", "x-unknown", `""`} {
		l, err := takeApart(sourced(octets("Subject: s\r\nContent-Type: text/plain; charset=" + label + "\r\n\r\ngr\xfc\xdfe gro\xdf")))
		if err != nil || l.text != "grüße groß" {
			t.Errorf("%s: %q %v", label, l.text, err)
		}
	}
}

func TestWhatChangesInTheTextIsNamed(t *testing.T) {
	for _, c := range []struct{ field, text, want, note string }{
		{"text/plain", "plain", "plain\r\n", ""},
		{"text/plain", "gr\u00fc\u00dfe", "gr\u00fc\u00dfe\r\n", ""},
		{"text/plain; charset=iso-8859-1", "gr\xfc\xdfe", "gr\u00fc\u00dfe\r\n", ""},
		{"text/plain; charset=iso-8859-1", "\x93a\x94", "\u201ca\u201d\r\n", ""},
		{"text/plain", "gr\xfc\xdfe", "gr\u00fc\u00dfe\r\n", "charset-guessed-and-original-attached"},
		{"text/plain; charset=x-unheard-of", "plain", "plain\r\n", ""},
		{"text/plain; charset=x-unheard-of", "gr\u00fc\u00dfe", "gr\u00fc\u00dfe\r\n", "charset-guessed-and-original-attached"},
		{"text/plain", "a\x00b", "ab\r\n", "control-characters-dropped"},
	} {
		_, l, _ := posted(t, sourced(crlf("Date: Fri, 03 Jul 2009 14:15:16 +0000\nMessage-ID: <1@example.com>\nContent-Type: "+c.field+"\n\n"+c.text+"\n")))
		var notes []string
		if c.note != "" {
			notes = []string{c.note}
		}
		whole := len(l.attachments) == 1 && l.attachments[0].leaf == -1
		if l.text != c.want || !slices.Equal(l.notes, notes) || whole != strings.HasSuffix(c.note, "attached") {
			t.Errorf("%q became %q, notes %q, attached %v", c.text, l.text, l.notes, l.attachments)
		}
	}
}

func TestAnInnerSignatureIsKeptInTheOriginal(t *testing.T) {
	s := crlf("Date: Fri, 03 Jul 2009 14:15:16 +0000\nContent-Type: multipart/mixed; boundary=a\n\n--a\n\nfooter of a list\n--a\nContent-Type: multipart/signed; boundary=b\n\n--b\n\nsigned\n--b\nContent-Type: application/pgp-signature\n\nx\n--b--\n--a--\n")
	_, l, _ := posted(t, sourced(s))
	last := l.attachments[len(l.attachments)-1]
	if !slices.Contains(l.notes, "inner-signature-broken-and-original-attached") || last.leaf != -1 || last.size != int64(len(s)) {
		t.Errorf("%q %v", l.notes, l.attachments)
	}
}

func TestAttachmentsKeepTheirNamesAndMethods(t *testing.T) {
	for part, want := range map[string]string{
		"Content-Disposition: attachment; filename*0*=iso-8859-1''Gr%F6; filename*1*=%DFe.zip":     "Gr\u00f6\u00dfe.zip",
		"Content-Disposition: attachment; filename*=windows-1252'de'%80.txt":                       "\u20ac.txt",
		"Content-Disposition: attachment; filename*=utf-8''%E2%82%AC.txt":                          "\u20ac.txt",
		"Content-Type: application/zip; name*=iso-8859-1''Gr%F6%DFe.zip":                           "Gr\u00f6\u00dfe.zip",
		"Content-Disposition: attachment; filename=\"=?iso-8859-1?q?Gr=F6=DFe?=.zip\"":             "Gr\u00f6\u00dfe.zip",
		"Content-Disposition: attachment; filename*=x-unheard-of''%F6.zip":                         "\u00f6.zip",
		"Content-Disposition: attachment; filename*=iso-8859-1''%zz.zip\nContent-Type: image/jpeg": "part-1.jpg",
		"Content-Disposition: attachment; filename=This is it.zip":                                 "This is it.zip",
		"Content-Type: application/zip; x=1; name=gr\u00fc\u00dfe.zip":                             "gr\u00fc\u00dfe.zip",
		"Content-Disposition: attachment; filename==?utf-8?B?R3LDvMOfZS56aXA=?=; size=3":           "Gr\u00fc\u00dfe.zip",
	} {
		_, l, _ := posted(t, sourced(crlf("Content-Type: multipart/mixed; boundary=a\n\n--a\n"+part+"\n\nx\n--a--\n")))
		if len(l.attachments) != 1 || l.attachments[0].name != want {
			t.Errorf("%s: %v, want the name %q", part, l.attachments, want)
		}
	}
	got, _, _ := posted(t, sourced(crlf("Content-Type: text/calendar; method=REQUEST; charset=utf-8\n\nBEGIN:VCALENDAR\n")))
	if a := got["attachments"].([]any)[0].(map[string]any); a["contentType"] != "text/calendar; method=REQUEST" {
		t.Errorf("%v", a)
	}
}

func TestALongTextIsShownInPartAndAttachedWhole(t *testing.T) {
	text := strings.Repeat("0123456789abcde\n", 2*maxText/16)
	m := sourced(octets("Subject: s\r\n\r\n" + text))
	got, l, rest := posted(t, m)
	if n := len(got["body"].(map[string]any)["content"].(string)); n > maxText || n < maxText-4 {
		t.Errorf("%d octets are shown", n)
	}
	if len(rest) != 1 || rest[0].leaf != -1 || rest[0].size != m.Size || !slices.Contains(l.notes, "long-text-attached") {
		t.Errorf("%+v %v", rest, l.notes)
	}
}

func TestNoCreateRequestIsTooLong(t *testing.T) {
	quotes := strings.Repeat(`""""""""""\\\\`, maxText/14)
	parts := strings.Builder{}
	for range 20 {
		parts.WriteString("--b\r\nContent-Type: application/octet-stream\r\n\r\n" + strings.Repeat("x", 74_000) + "\r\n")
	}
	m := sourced(octets("To: " + strings.Repeat("<a@example.com>,", 60_000) + "<z@example.com>\r\nReferences: " + strings.Repeat("<a@example.com> ", 5_000) +
		"\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + quotes + "\r\n" + parts.String() + "--b--\r\n"))
	_, l, rest := posted(t, m)
	if len(l.attachments) != 20 || len(rest) == 0 {
		t.Errorf("%d attachments, %d left", len(l.attachments), len(rest))
	}
	if !slices.Contains(l.notes, "references-shortened") || !slices.Contains(l.notes, "recipients-shortened") {
		t.Errorf("notes %q", l.notes)
	}
}

func TestDatesThatMakeNoSenseAreReplacedAndNamed(t *testing.T) {
	old := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		header         string
		internal       time.Time
		received, sent string
		note           string
	}{
		{"Date: Sun, 1 Mar 2009 08:14:57 +0100", time.Time{}, "2009-03-01T07:14:57Z", "2009-03-01T07:14:57Z", "received-date-from-header"},
		{"Date: Sun, 1 Mar 2009 08:14:57 +0100", old, "2009-03-01T07:14:57Z", "2009-03-01T07:14:57Z", "received-date-from-header"},
		{"Date: 25:61:00", time.Unix(1e9, 0), "2001-09-09T01:46:40Z", "2001-09-09T01:46:40Z", "sent-date-missing"},
		{"X: y", old, "", "", "dates-unknown"},
	} {
		m := sourced(crlf(c.header + "\n\ntext"))
		m.InternalDate = c.internal
		l, err := takeApart(m)
		if err != nil {
			t.Fatal(err)
		}
		props := map[string]string{}
		for _, p := range l.message(m, m.Key).GetSingleValueExtendedProperties() {
			props[*p.GetId()] = *p.GetValue()
		}
		if props[propReceived] != c.received || props[propSubmitted] != c.sent || !slices.Contains(l.notes, c.note) {
			t.Errorf("%s, %v: %v %v", c.header, c.internal, props, l.notes)
		}
	}
}

func TestAnErrorOfTheBodyIsNoDamage(t *testing.T) {
	broken := errors.New("disk")
	_, err := (&walk{visit: func(_ leaf, r io.Reader) error { _, err := io.Copy(io.Discard, r); return err }}).
		message(io.MultiReader(strings.NewReader("Subject: s\r\n\r\ntext"), iotest.ErrReader(broken)))
	if err != broken {
		t.Errorf("got %v", err)
	}
}

func TestDeepAndWideMessagesEnd(t *testing.T) {
	deep := strings.Builder{}
	for i := range 5000 {
		deep.WriteString("Content-Type: multipart/mixed; boundary=b" + strings.Repeat("x", i%7) + "\r\n\r\n--b" + strings.Repeat("x", i%7) + "\r\n")
	}
	wide := "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\nx\r\n", 5000)
	for _, s := range []string{deep.String(), wide} {
		l, err := takeApart(sourced(octets(s)))
		if err != nil || !slices.Contains(l.notes, "damaged-mime-attached") {
			t.Errorf("%v %v", err, l)
		}
	}
}

func FuzzTakeApart(f *testing.F) {
	f.Add([]byte(crlf(nested)))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n----\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := takeApart(sourced(octets(data)))
		if err != nil && err != errProtected {
			t.Fatal(err)
		}
		if err == nil {
			if _, _, err := l.create(sourced(octets(data)), "k"); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestAddressesOfEveryFieldOfANameAreKept(t *testing.T) {
	got, l, _ := posted(t, sourced(crlf("From: a@example.com\nFrom: b@example.com\nTo: c@example.com\nTo: D <d@example.com>,\n e@example.com\n\nx")))
	var to []string
	for _, r := range got["toRecipients"].([]any) {
		to = append(to, r.(map[string]any)["emailAddress"].(map[string]any)["address"].(string))
	}
	if want := []string{"c@example.com", "d@example.com", "e@example.com"}; !slices.Equal(to, want) || !slices.Contains(l.notes, "authors-shortened") {
		t.Errorf("to %q, notes %q", to, l.notes)
	}
}

func TestABlankTextIsNoMoreThanThat(t *testing.T) {
	for name, c := range map[string]struct{ first, second string }{
		"before a text": {"\n \n", "text"},
		"after a text":  {"text", "\n \n"},
	} {
		_, l, _ := posted(t, sourced(crlf("Content-Type: multipart/mixed; boundary=a\n\n--a\n\n"+c.first+"\n--a\n\n"+c.second+"\n--a--\n")))
		if l.text != "text" || len(l.attachments) > 0 {
			t.Errorf("%s: %q, %v", name, l.text, l.attachments)
		}
	}
	_, l, _ := posted(t, sourced(crlf("Content-Type: multipart/mixed; boundary=a\n\n--a\n\none\n--a\n\n"+strings.Repeat(" ", maxBlank)+"two\n--a--\n")))
	if len(l.attachments) != 1 || !strings.HasSuffix(string(l.attachments[0].data), "  two") || l.attachments[0].size != maxBlank+3 {
		t.Errorf("%+v", l.attachments)
	}
}

func TestTheMessagesOfADigestAreMessages(t *testing.T) {
	_, l, _ := posted(t, sourced(crlf("Content-Type: multipart/digest; boundary=a\n\n--a\n\nSubject: inner\n\ntext\n--a\nContent-Type: text/plain\n\nx\n--a--\n")))
	if len(l.attachments) != 1 || l.attachments[0].mediaType != "message/rfc822" || string(l.attachments[0].data) != "Subject: inner\r\n\r\ntext" || l.text != "x" {
		t.Errorf("%q %+v", l.text, l.attachments)
	}
}
