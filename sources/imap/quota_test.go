package imap

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

// limited is a scripted server that answers so to GETQUOTAROOT.
func limited(t *testing.T, capability string, answer reply) (config Config, asked *int) {
	t.Helper()
	asked = new(int)
	return scripted(t, func(command string) reply {
		switch verb, _, _ := strings.Cut(command, " "); verb {
		case "CAPABILITY":
			return reply("* CAPABILITY IMAP4rev1 " + capability + "\r\n" + ok)
		case "GETQUOTAROOT":
			*asked++
			return answer
		}
		return ""
	}), asked
}

func TestTheQuotaThatIsTheNearestToItsEndCounts(t *testing.T) {
	type pair = [2]int64 // used, limit
	for name, c := range map[string]struct {
		answer           string
		octets, messages pair
	}{
		"one root":          {"* QUOTAROOT INBOX \"\"\r\n* QUOTA \"\" (STORAGE 10 512 MESSAGE 3 100)\r\n", pair{10240, 524288}, pair{3, 100}},
		"several":           {"* QUOTAROOT INBOX a b c\r\n* QUOTA a (STORAGE 10 512)\r\n* QUOTA b (STORAGE 9 10 MESSAGE 1 9)\r\n* QUOTA c (MESSAGE 1 10)\r\n", pair{9216, 10240}, pair{1, 9}},
		"other things":      {"* QUOTAROOT INBOX a\r\n* QUOTA a (MAILBOX 1 2 X-NEW 5 6)\r\n", pair{}, pair{}},
		"used, no limit":    {"* QUOTAROOT INBOX a\r\n* QUOTA a (STORAGE 7 0)\r\n", pair{7168, 0}, pair{}},
		"a huge number":     {"* QUOTAROOT INBOX a\r\n* QUOTA a (STORAGE 9223372036854775807 9223372036854775807)\r\n", pair{math.MaxInt64 / 1024 * 1024, math.MaxInt64 / 1024 * 1024}, pair{}},
		"no root":           {"* QUOTAROOT INBOX\r\n", pair{}, pair{}},
		"another root":      {"* QUOTAROOT INBOX a\r\n* QUOTA b (STORAGE 10 10)\r\n", pair{}, pair{}},
		"a root in advance": {"* QUOTA a (STORAGE 10 10)\r\n* QUOTAROOT INBOX a\r\n", pair{}, pair{}},
		"another mailbox":   {"* QUOTAROOT Work a\r\n* QUOTA a (STORAGE 10 10)\r\n", pair{}, pair{}},
		"nothing":           {"", pair{}, pair{}},
	} {
		config, _ := limited(t, "QUOTA", reply(c.answer)+ok)
		s := opener(config)(t).(*Source)
		defer s.Close()
		octets, messages, err := s.Quota(t.Context())
		if err != nil || octets != (migrate.Quota{Used: c.octets[0], Limit: c.octets[1]}) || messages != (migrate.Quota{Used: c.messages[0], Limit: c.messages[1]}) {
			t.Errorf("%s: %v, %v, %v", name, octets, messages, err)
		}
	}
}

func TestAServerThatKeepsNoQuotaIsNotAsked(t *testing.T) {
	config, asked := limited(t, "QUOTASET", "TAG BAD unknown\r\n")
	s := opener(config)(t).(*Source)
	defer s.Close()
	if octets, messages, err := s.Quota(t.Context()); err != nil || octets.Limit != 0 || messages.Limit != 0 || *asked != 0 {
		t.Errorf("%v, %v, %v, asked %d times", octets, messages, err, *asked)
	}
}

func TestABrokenAnswerOnTheQuotaDoesNoHarm(t *testing.T) {
	for name, answer := range map[string]reply{
		"a refusal":       "TAG NO [NOPERM] not for you\r\n",
		"a negative one":  "* QUOTAROOT INBOX a\r\n* QUOTA a (STORAGE -1 10)\r\n" + ok,
		"too many digits": "* QUOTAROOT INBOX a\r\n* QUOTA a (STORAGE 1 18446744073709551616)\r\n" + ok,
		"no list":         "* QUOTAROOT INBOX a\r\n* QUOTA a STORAGE 1 10\r\n" + ok,
		"an end":          "* QUOTAROOT INBOX a\r\n" + hangUp,
	} {
		config, _ := limited(t, "QUOTA", answer)
		s := opener(config)(t).(*Source)
		defer s.Close()
		if octets, messages, err := s.Quota(t.Context()); err == nil || octets.Limit != 0 || messages.Limit != 0 {
			t.Errorf("%s: %v, %v, %v", name, octets, messages, err)
		}
		if fs, err := s.Folders(t.Context()); err != nil || len(fs) != 1 {
			t.Errorf("%s: afterwards %v, %v", name, fs, err)
		}
	}
}

func TestAServerThatIsSilentOnTheQuotaIsLeft(t *testing.T) {
	config, _ := limited(t, "QUOTA", "* QUOTAROOT INBOX a\r\n")
	s := opener(config)(t).(*Source)
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := s.Quota(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if fs, err := s.Folders(t.Context()); err != nil || len(fs) != 1 {
		t.Errorf("afterwards %v, %v", fs, err)
	}
}

func TestDovecotTellsItsQuota(t *testing.T) {
	srv := sourcetest.Dovecot(t, sourcetest.Options{Config: sourcetest.Quota("storage=20K:messages=4")})
	for range 3 {
		srv.Deliver("joe", []string{"INBOX"}, []byte(strings.Repeat("Subject: one line of many\n", 200)), nil, time.Unix(1e9, 0))
	}
	s := opener(dovecotConfig(srv, "joe"))(t).(*Source)
	defer s.Close()
	octets, messages, err := s.Quota(t.Context())
	if err != nil || octets != (migrate.Quota{Used: 16 << 10, Limit: 20 << 10}) || messages != (migrate.Quota{Used: 3, Limit: 4}) {
		t.Errorf("%v, %v, %v", octets, messages, err)
	}
}
