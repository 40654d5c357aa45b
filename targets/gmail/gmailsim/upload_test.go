package gmailsim

import (
	"encoding/base64"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"
)

const importPath = "/gmail/v1/users/ann%40example.com/messages/import?internalDateSource=dateHeader&neverMarkSpam=true"

func TestImportTakesAMessageInsideTheJSON(t *testing.T) {
	s, g := serve(t, Options{})
	for i, encoding := range []*base64.Encoding{base64.URLEncoding, base64.RawURLEncoding} {
		text := mailOf(string(rune('a'+i))+"@x") + "\xff\xfe?"
		m := &gmail.Message{Raw: encoding.EncodeToString([]byte(text)), LabelIds: []string{"INBOX"}}
		if _, err := g.Messages.Import(user, m).NeverMarkSpam(true).Do(); err != nil {
			t.Fatal(err)
		}
		if got := s.Messages(user); len(got) != i+1 || received(t, got[i]) != text {
			t.Errorf("got %d messages, or other octets", len(got))
		}
	}
}

func TestImportTakesAPlainUpload(t *testing.T) {
	s, _ := serve(t, Options{})
	if w := send(s, "POST", "/upload"+importPath+"&uploadType=media", "message/rfc822", mailOf("a@x")); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	if got := s.Messages(user); len(got) != 1 || received(t, got[0]) != mailOf("a@x") {
		t.Errorf("got %v", got)
	}
}

func TestMalformedRequestsAreRefused(t *testing.T) {
	s, _ := serve(t, Options{})
	const related = "multipart/related; boundary=b"
	part := func(meta, kind string) string {
		return "--b\r\nContent-Type: application/json\r\n\r\n" + meta + "\n\r\n--b\r\nContent-Type: " + kind + "\r\n\r\n" + mailOf("a@x") + "\r\n"
	}
	good := part("{}", "message/rfc822")
	upload := "/upload" + importPath + "&uploadType=multipart"
	for _, test := range []struct {
		name, method, path, kind, body string
		code                           int
		want                           string
	}{
		{"other multipart", "POST", upload, "multipart/mixed; boundary=b", good + "--b--", 400, "multipart/related"},
		{"no boundary", "POST", upload, "multipart/related", good + "--b--", 400, "multipart/related"},
		{"no last boundary", "POST", upload, related, good, 400, "Missing end boundary"},
		{"unfinished last boundary", "POST", upload, related, good + "--b", 400, "Malformed multipart"},
		{"a third part", "POST", upload, related, good + strings.TrimSuffix(good, "\r\n") + "\r\n--b--", 400, "Malformed multipart"},
		{"one part", "POST", upload, related, "--b\r\nContent-Type: application/json\r\n\r\n{}\r\n--b--", 400, "Malformed multipart"},
		{"not multipart", "POST", upload, related, mailOf("a@x"), 400, "Malformed multipart"},
		{"sniffed media type", "POST", upload, related, part("{}", "text/plain; charset=utf-8") + "--b--", 400, "Media type 'text/plain; charset=utf-8' is not supported. Valid media types: [message/*]"},
		{"media type missing", "POST", "/upload" + importPath + "&uploadType=media", "", mailOf("a@x"), 400, "Valid media types"},
		{"metadata of another type", "POST", upload, related, strings.Replace(good, "application/json", "text/json", 1) + "--b--", 400, "text/json"},
		{"an encoded part", "POST", upload, related, strings.Replace(good, "rfc822\r\n", "rfc822\r\nContent-Transfer-Encoding: base64\r\n", 1) + "--b--", 400, "base64"},
		{"unknown member", "POST", upload, related, part(`{"labels":["INBOX"]}`, "message/rfc822") + "--b--", 400, "Unknown name \\\"labels\\\""},
		{"member in other case", "POST", upload, related, part(`{"labelids":["INBOX"]}`, "message/rfc822") + "--b--", 400, "Unknown name"},
		{"member of wrong type", "POST", upload, related, part(`{"labelIds":"INBOX"}`, "message/rfc822") + "--b--", 400, "Invalid value at 'labelIds'"},
		{"broken JSON", "POST", upload, related, part(`{"labelIds":[`, "message/rfc822") + "--b--", 400, "Invalid JSON payload"},
		{"unknown parameter", "POST", upload + "&neverSpam=true", related, good + "--b--", 400, "Unknown name \\\"neverSpam\\\""},
		{"parameter of wrong type", "POST", upload + "&deleted=1", related, good + "--b--", 400, "TYPE_BOOL"},
		{"unknown date source", "POST", strings.Replace(upload, "dateHeader", "date", 1), related, good + "--b--", 400, "internal_date_source"},
		{"no upload type", "POST", "/upload" + importPath, related, good + "--b--", 400, "Invalid upload type"},
		{"no message", "POST", importPath, "application/json", `{"labelIds":["INBOX"]}`, 400, "'raw' RFC822 payload message string or uploading message via /upload/* URL required"},
		{"bad base64", "POST", importPath, "application/json", `{"raw":"+++"}`, 400, "Base64"},
		{"JSON of another type", "POST", importPath, "text/plain", `{}`, 400, "text/plain"},
		{"JSON too large", "POST", importPath, "application/json", `{"raw":"` + strings.Repeat("A", maxJSON) + `"}`, 413, "<html"},
		{"no header at all", "POST", importPath + "&uploadType=media", "application/json", `{"raw":"AAAA"}`, 400, "Request contains an invalid argument."},
		{"unknown path", "GET", "/gmail/v1/users/me/letters", "", "", 404, "Not Found"},
		{"unknown root", "GET", "/mail", "", "", 404, "Not Found"},
		{"other method", "PUT", "/gmail/v1/users/me/messages", "", "", 404, "Not Found"},
		{"upload where there is none", "POST", "/upload/gmail/v1/users/me/labels", "", "", 404, "Not Found"},
		{"not simulated", "GET", "/gmail/v1/users/me/threads", "", "", 501, "not simulated"},
		{"not simulated below", "GET", "/gmail/v1/users/me/settings/filters", "", "", 501, "not simulated"},
		{"a message as a whole", "GET", "/gmail/v1/users/ann@example.com/messages/zz?format=raw", "", "", 400, "Invalid id value"},
		{"another alt", "GET", "/gmail/v1/users/ann@example.com/profile?alt=media", "", "", 501, "not simulated"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := send(s, test.method, test.path, test.kind, test.body)
			if w.Code != test.code || !strings.Contains(w.Body.String(), test.want) {
				t.Errorf("got %d %s, want %d %s", w.Code, w.Body, test.code, test.want)
			}
		})
	}
	if got := s.Messages(user); len(got) != 0 {
		t.Errorf("%d messages were stored", len(got))
	}
}

func TestTooLargeUploadsAreRefusedWithoutAnEnvelope(t *testing.T) {
	s, _ := serve(t, Options{})
	w := send(s, "POST", "/upload"+importPath+"&uploadType=resumable", "application/json", "{}",
		"X-Upload-Content-Type", "message/rfc822", "X-Upload-Content-Length", "157286401")
	if w.Code != 413 || !strings.Contains(w.Body.String(), "<html") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	draft := mailOf("a@x") + strings.Repeat("x", maxDraft)
	w = send(s, "POST", "/upload/gmail/v1/users/ann%40example.com/drafts?uploadType=media", "message/rfc822", draft)
	if w.Code != 413 {
		t.Errorf("got %d", w.Code)
	}
}

// open starts a resumable upload by hand and returns its address.
func open(t *testing.T, s *Server) string {
	t.Helper()
	w := send(s, "POST", "/upload"+importPath+"&uploadType=resumable", "application/json", `{"labelIds":["INBOX"]}`, "X-Upload-Content-Type", "message/rfc822")
	if w.Code != 200 || !strings.Contains(w.Header().Get("Location"), "upload_id=") {
		t.Fatal(w.Code, w.Body)
	}
	return w.Header().Get("Location")
}

func chunk(s *Server, url, contentRange, body string) (code int, stored string) {
	w := send(s, "POST", url, "", body, "Content-Range", contentRange, "X-GUploader-No-308", "yes")
	if w.Header().Get("X-HTTP-Status-Code-Override") == "308" {
		return 308, w.Header().Get("Range")
	}
	return w.Code, ""
}

func TestChunksAreTakenInOrderAndOnce(t *testing.T) {
	s, _ := serve(t, Options{})
	url := open(t, s)
	first := mailOf("a@x")
	first += strings.Repeat("x", granule-len(first))
	for _, step := range []struct {
		contentRange, body string
		code               int
		stored             string
	}{
		{"bytes */*", "", 308, ""},
		{"bytes 0-9/*", "From: a@b\n", 400, ""},                         // not a whole granule
		{"bytes 262144-262145/*", "xx", 400, ""},                        // leaves a gap
		{"bytes 0-262143/*", first[1:], 400, ""},                        // shorter than it says
		{"bytes 0-x/*", first, 400, ""},                                 // unreadable
		{"bytes 0-262143/*", first, 308, "bytes=0-262143"},              // good
		{"bytes 0-262143/*", first, 308, "bytes=0-262143"},              // again
		{"bytes */262140", "", 400, ""},                                 // less than there is
		{"bytes 262142-262146/262147", first[262142:] + "end", 200, ""}, // the last, with octets that are there
		{"bytes 262144-262146/262147", "end", 200, ""},                  // the last again
		{"bytes 262144-262146/999999999999", "end", 200, ""},            // whatever: it is done
	} {
		if code, stored := chunk(s, url, step.contentRange, step.body); code != step.code || stored != step.stored {
			t.Errorf("%s: got %d %q, want %d %q", step.contentRange, code, stored, step.code, step.stored)
		}
	}
	if got := s.Messages(user); len(got) != 1 || received(t, got[0]) != first+"end" {
		t.Errorf("%d messages, or other octets", len(got))
	}
	w := send(s, "PUT", open(t, s), "", "", "Content-Range", "bytes */*")
	if w.Code != 308 {
		t.Errorf("without X-GUploader-No-308: got %d, want 308", w.Code)
	}
}

func TestAShortRangeBreaksAClientThatIgnoresIt(t *testing.T) {
	s, g := serve(t, Options{ShortRange: true})
	text := mailOf("a@x") + strings.Repeat("x", 3*granule)
	_, err := g.Messages.Import(user, &gmail.Message{}).
		Media(strings.NewReader(text), googleapi.ContentType("message/rfc822"), googleapi.ChunkSize(granule)).Do()
	if err == nil || len(s.Messages(user)) != 0 {
		t.Errorf("the upload went through: %v", err)
	}
	url := open(t, s)
	if _, stored := chunk(s, url, "bytes 0-524287/*", text[:2*granule]); stored != "bytes=0-262143" {
		t.Fatalf("stored %q", stored)
	}
	if _, stored := chunk(s, url, "bytes 262144-524287/*", text[granule:2*granule]); stored != "bytes=0-524287" {
		t.Fatalf("stored %q", stored)
	}
}

func TestAPartOfAChunkIsKeptOrDroppedWhenTheConnectionBreaks(t *testing.T) {
	text := mailOf("a@x")
	text += strings.Repeat("x", 3*granule-len(text))
	for _, test := range []struct {
		keep         bool
		contentRange string
		came         int
		stored       string
	}{
		{false, "bytes 0-786431/*", 2*granule + 5, ""},
		{true, "bytes 0-786431/*", 2*granule + 5, "bytes=0-524287"}, // whole granules
		{true, "bytes 0-786431/786432", 3*granule - 1, "bytes=0-524287"},
		{true, "bytes 0-786431/*", granule - 1, ""},
		{true, "bytes 262144-786431/*", granule, ""}, // leaves a gap
	} {
		s, _ := serve(t, Options{KeepPart: test.keep})
		url := open(t, s)
		r := httptest.NewRequest("POST", url, io.MultiReader(strings.NewReader(text[:test.came]), iotest.ErrReader(io.ErrUnexpectedEOF)))
		r.Header.Set("Authorization", "Bearer test")
		r.Header.Set("Content-Range", test.contentRange)
		s.ServeHTTP(httptest.NewRecorder(), r)
		if code, stored := chunk(s, url, "bytes */*", ""); code != 308 || stored != test.stored {
			t.Errorf("%+v: got %d %q", test, code, stored)
		}
		if n := len(s.Messages(user)); n != 0 {
			t.Errorf("%+v: %d messages were stored", test, n)
		}
	}
}

func TestAnUploadAddressExpires(t *testing.T) {
	clock := newClock()
	s, _ := serve(t, Options{Now: clock.now, UploadLife: time.Hour})
	url := open(t, s)
	clock.wait(time.Hour - 1)
	if code, _ := chunk(s, url, "bytes */*", ""); code != 308 {
		t.Errorf("before: got %d", code)
	}
	clock.wait(1)
	if code, _ := chunk(s, url, "bytes */*", ""); code != 404 {
		t.Errorf("after: got %d", code)
	}
}

func TestARepeatedLastChunkIsAnsweredAsChosen(t *testing.T) {
	for _, test := range []struct {
		repeat   Repeat
		code     int
		messages int
	}{{RepeatAnswer, 200, 1}, {RepeatGone, 404, 1}, {RepeatStore, 200, 2}} {
		s, _ := serve(t, Options{RepeatLast: test.repeat, Same: SameNever})
		url := open(t, s)
		for i, want := range []int{200, test.code} {
			if code, _ := chunk(s, url, "bytes 0-9/10", "From: a@b\n"); code != want {
				t.Errorf("%d, try %d: got %d, want %d", test.repeat, i, code, want)
			}
		}
		if n := len(s.Messages(user)); n != test.messages {
			t.Errorf("%d: got %d messages, want %d", test.repeat, n, test.messages)
		}
	}
}

func TestTheOldestOfTooManyUploadsGivesWay(t *testing.T) {
	clock := newClock()
	s, _ := serve(t, Options{Now: clock.now})
	var urls []string
	for range maxSessions + 1 {
		urls = append(urls, open(t, s))
		clock.wait(time.Second)
	}
	for i, want := range map[int]int{0: 404, 1: 308, maxSessions: 308} {
		if code, _ := chunk(s, urls[i], "bytes */*", ""); code != want {
			t.Errorf("upload %d: got %d, want %d", i, code, want)
		}
	}
}
