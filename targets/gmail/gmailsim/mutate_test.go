package gmailsim

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// only returns the messages of user and their octets as received.
func only(t *testing.T, s *Server, n int) (messages []Message, octets []string) {
	t.Helper()
	messages = s.Messages(user)
	if len(messages) != n {
		t.Fatalf("there are %d messages, want %d", len(messages), n)
	}
	for _, m := range messages {
		b, err := io.ReadAll(m.Received())
		if err != nil {
			t.Fatal(err)
		}
		octets = append(octets, string(b))
	}
	return messages, octets
}

func TestDamageIsSeenThroughTheAPI(t *testing.T) {
	s, g := serve(t, Options{})
	work := makeLabel(t, g, "Work").Id
	text := mailOf("a@x") + "some text\r\n"
	id := mustImport(t, g, text, "INBOX", "UNREAD")
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	check(s.Relabel(user, id, []string{"INBOX", "UNREAD"}, []string{work, "STARRED", "SENT"}))
	m, err := g.Messages.Get(user, id).Format("minimal").Do()
	if slices.Sort(m.LabelIds); err != nil || !slices.Equal(m.LabelIds, []string{work, "SENT", "STARRED"}) {
		t.Errorf("the labels are %q, error %v", m.LabelIds, err)
	}

	date := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	check(s.SetDate(user, id, date))
	if m, err = g.Messages.Get(user, id).Format("minimal").Do(); err != nil || m.InternalDate != date.UnixMilli() {
		t.Errorf("the date is %d, error %v", m.InternalDate, err)
	}

	twin, err := s.Double(user, id)
	check(err)
	messages, octets := only(t, s, 2)
	if twin == id || octets[0] != text || octets[1] != text || !slices.Equal(messages[0].Labels, messages[1].Labels) {
		t.Errorf("the twins are %+v and read %q", messages, octets)
	}
	if got := listed(t, g.Messages.List(user).Q("rfc822msgid:a@x")); len(got) != 2 {
		t.Errorf("a search finds %q", got)
	}

	check(s.Rewrite(user, twin, func(b []byte) []byte {
		return []byte(strings.ReplaceAll(strings.Replace(string(b), "a@x", "c@x", 1), "some", "other"))
	}))
	raw, err := g.Messages.Get(user, twin).Format("raw").Do()
	if err != nil || raw.SizeEstimate != m.SizeEstimate+1 {
		t.Errorf("the size is %d, error %v", raw.SizeEstimate, err)
	}
	for query, want := range map[string]string{"a@x": id, "c@x": twin} {
		if got := listed(t, g.Messages.List(user).Q("rfc822msgid:"+query)); !slices.Equal(got, []string{want}) {
			t.Errorf("a search for %s finds %q, want %s", query, got, want)
		}
	}

	check(s.Drop(user, id))
	_, err = g.Messages.Get(user, id).Format("minimal").Do()
	wantError(t, err, 404, "notFound", "Requested entity was not found.")
	if _, octets := only(t, s, 1); !strings.HasSuffix(octets[0], "other text\r\n") {
		t.Errorf("what is left reads %q", octets)
	}
}

func TestWhatWasDamagedIsNotMergedWithItsOriginal(t *testing.T) {
	s, g := serve(t, Options{})
	id := mustImport(t, g, mailOf("a@x"), "INBOX")
	if again := mustImport(t, g, mailOf("a@x"), "INBOX"); again != id {
		t.Fatalf("equal imports are %s and %s", id, again)
	}
	if err := s.Rewrite(user, id, func(b []byte) []byte { return b[:len(b)-1] }); err != nil {
		t.Fatal(err)
	}
	if again := mustImport(t, g, mailOf("a@x"), "INBOX"); again == id {
		t.Error("the import of the original was merged with what was damaged")
	}
}

func TestDamageToWhatIsNotThereIsAnError(t *testing.T) {
	s, g := serve(t, Options{})
	id := mustImport(t, g, mailOf("a@x"), "INBOX")
	if s.Drop(user, "1") == nil || s.Drop(user, "none") == nil || s.Drop("nobody@example.com", id) == nil {
		t.Error("a message that is not there was dropped")
	}
	if s.Relabel(user, id, []string{"INBOX"}, []string{"Label_9"}) == nil {
		t.Error("a label that is not there was added")
	}
	if m, _ := only(t, s, 1); !slices.Equal(m[0].Labels, []string{"INBOX"}) {
		t.Errorf("it has %q", m[0].Labels)
	}
}
