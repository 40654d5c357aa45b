package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// A position is what a migration must come to with one switch of a simulator
// in its other position. The zero value: nothing fails that does not fail
// without the switch.
type position struct {
	refuses string // in the reason of what fails besides
	stops   string // in the hint of a mailbox that stops
}

// settle checks a trial that ended, given what fails in a calm one.
func (s *site) settle(t *testing.T, tr *trial, calm map[string]int, want position) {
	t.Helper()
	if want.stops != "" {
		s.stopped(t, tr, want.stops)
		return
	}
	if tr.code != exitDone && tr.code != exitPerson {
		t.Fatalf("exit code %d: %s", tr.code, tr.stderr)
	}
	tr.check(t)
	refused := 0
	for user, records := range s.records(t, tr.config) {
		for _, r := range records {
			if r.Outcome != migrate.Failed {
				continue
			}
			if r.Reason == "" || r.Hint == "" {
				t.Errorf("%s, %s UID %d failed for the reason %q, hint %q", user, r.folder, r.UID, r.Reason, r.Hint)
			}
			if calm[refusal(user, r)] > 0 {
				continue
			}
			if refused++; want.refuses == "" || !strings.Contains(r.Reason, want.refuses) {
				t.Errorf("%s, %s UID %d failed: %s", user, r.folder, r.UID, r.Reason)
			}
		}
	}
	if want.refuses != "" && refused == 0 {
		t.Errorf("nothing was refused with %q", want.refuses)
	}
}

// stopped checks that every mailbox stopped early, and told a person why.
func (s *site) stopped(t *testing.T, tr *trial, hint string) {
	t.Helper()
	if tr.code != exitStopped {
		t.Fatalf("exit code %d: %s", tr.code, tr.stderr)
	}
	store, err := sqlite.OpenReadOnly(filepath.Join(filepath.Dir(tr.config), "mailhaul.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for user := range s.mail {
		ledger, err := store.Mailbox(t.Context(), user, target(user))
		if err != nil {
			t.Fatal(err)
		}
		state, err := ledger.State(t.Context())
		if err != nil || state.Complete || state.Error == "" || !strings.Contains(state.Hint, hint) {
			t.Errorf("%s stopped with %q, hint %q, want a hint on %q (%v)", user, state.Error, state.Hint, hint, err)
		}
	}
	tallies, err := store.Tally(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tally := range tallies {
		if err := tally.Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestGmailMayBeEitherWay(t *testing.T) {
	t.Parallel()
	s := smallSite(t, 1, 60)
	s.deliver("user0@example.com", []string{"INBOX"}, attached(6<<20), nil, time.Unix(1_600_000_000, 0))
	s.deliver("user0@example.com", []string{"INBOX"}, []byte("X-List: staff\r\n"+letter("ann", 0, "")), nil, time.Unix(1_700_000_000, 0))
	s.deliver("user0@example.com", []string{"Sent"}, []byte(letter("ann", 0, "")), nil, time.Unix(1_700_000_000, 0))
	s.deliver("user0@example.com", []string{"Clients"}, []byte(letter("ann", 0, "P.S.")), nil, time.Unix(1_700_000_000, 0))
	lost, err := gmailsim.ParseFaults("lost-reply:0.05")
	if err != nil {
		t.Fatal(err)
	}
	calm := s.gmailTrial(t, gmailsim.Options{})
	run(t, calm)
	failures := s.refusals(t, calm)
	for _, test := range []struct {
		name string
		o    gmailsim.Options
		want position
	}{
		{"same by Message-ID", gmailsim.Options{Same: gmailsim.SameMessageID, Fault: lost}, position{}},
		{"same by Message-ID, new id on merge", gmailsim.Options{Same: gmailsim.SameMessageID, NewIDOnMerge: true, Fault: lost}, position{}},
		{"same by Message-ID and body", gmailsim.Options{Same: gmailsim.SameBody, Fault: lost}, position{}},
		{"same by content", gmailsim.Options{Same: gmailsim.SameContent, Fault: lost}, position{}},
		{"never the same", gmailsim.Options{Same: gmailsim.SameNever, Fault: lost}, position{}},
		{"new id on merge", gmailsim.Options{NewIDOnMerge: true, Fault: lost}, position{}},
		{"full answer", gmailsim.Options{FullAnswer: true}, position{}},
		{"nothing added", gmailsim.Options{NothingAdded: true, Fault: lost}, position{}},
		{"dates added", gmailsim.Options{DateAdded: true, Fault: lost}, position{}},
		{"date header only", gmailsim.Options{DateHeaderOnly: true}, position{}},
		{"clean mail", gmailsim.Options{CleanMail: true}, position{}},
		{"SENT accepted", gmailsim.Options{Sent: gmailsim.PolicyAccept}, position{}},
		{"SENT refused", gmailsim.Options{Sent: gmailsim.PolicyRefuse, Fault: lost}, position{}},
		{"SENT for own mail", gmailsim.Options{Sent: gmailsim.PolicyOwn, Fault: lost}, position{}},
		{"DRAFT accepted", gmailsim.Options{Draft: gmailsim.PolicyAccept}, position{}},
		{"DRAFT for own mail", gmailsim.Options{Draft: gmailsim.PolicyOwn}, position{}},
		{"other blocked files", gmailsim.Options{Blocked: []string{"pdf"}}, position{refuses: "attachment"}},
		{"insert takes any file", gmailsim.Options{InsertAnyFile: true, Sent: gmailsim.PolicyRefuse}, position{}},
		{"mailbox full", gmailsim.Options{MailboxBytes: 50_000}, position{stops: "storage"}},
		{"labels compared exactly", gmailsim.Options{LabelKey: func(name string) string { return name }}, position{}},
		{"labels compared by letters", gmailsim.Options{LabelKey: func(name string) string {
			return strings.ToLower(strings.Map(func(r rune) rune {
				if strings.ContainsRune(" /-.&'\"", r) {
					return -1
				}
				return r
			}, name))
		}}, position{}},
		{"more reserved names", gmailsim.Options{Reserved: []string{"clients", "projects", "größe"}}, position{}},
		{"reserved first parts", gmailsim.Options{Reserved: []string{"clients"}, ReservedFirst: true}, position{}},
		{"one call at a time", gmailsim.Options{Concurrent: 1}, position{}},
		{"parked after much data", gmailsim.Options{UploadBytes: 4 << 20, ParkTime: time.Second}, position{}},
		{"index lags by requests", gmailsim.Options{IndexRequests: 50, Fault: lost}, position{}},
		{"index lags by time", gmailsim.Options{IndexDelay: time.Hour, Fault: lost}, position{}},
		{"short history", gmailsim.Options{HistoryRecords: 5, IndexDelay: time.Hour, Fault: lost}, position{}},
		{"short ranges", gmailsim.Options{ShortRange: true}, position{}},
		{"repeated chunk is gone", gmailsim.Options{RepeatLast: gmailsim.RepeatGone, Fault: lost}, position{}},
		{"repeated chunk is stored", gmailsim.Options{RepeatLast: gmailsim.RepeatStore, Fault: lost}, position{}},
		{"uploads live briefly", gmailsim.Options{UploadLife: time.Hour}, position{}},
		{"tokens end", gmailsim.Options{ExpireTokenAt: 20}, position{stops: "token"}},
		{"Gmail switched off for users", gmailsim.Options{MailServiceOff: []string{"user0@example.org", "corpus@example.org"}}, position{stops: "licence"}},
		{"Gmail switched off for the domain", gmailsim.Options{DomainPolicy: true}, position{stops: "Admin console"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			tr := s.gmailTrial(t, test.o)
			run(t, tr)
			s.settle(t, tr, failures, test.want)
		})
	}
}

func TestGraphMayBeEitherWay(t *testing.T) {
	t.Parallel()
	s := smallSite(t, 1, 60)
	s.deliver("user0@example.com", []string{"INBOX"}, attached(6<<20), nil, time.Unix(1_600_000_000, 0))
	s.deliver("user0@example.com", []string{"INBOX"}, []byte("From: Ann <ann@example.com>\r\nSubject: signed\r\nMessage-ID: <signed@example.com>\r\nMIME-Version: 1.0\r\n"+
		"Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\r\n\r\n--b\r\n\r\nSigned.\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n"), nil, time.Unix(1_600_000_000, 0))
	lost, err := graphsim.ParseFaults("lost-reply:0.05")
	if err != nil {
		t.Fatal(err)
	}
	failures := map[string]map[string]int{}
	for _, route := range []string{"auto", "importmime", "json"} {
		calm := s.graphTrial(t, graphsim.Options{}, route)
		run(t, calm)
		failures[route] = s.refusals(t, calm)
	}
	for _, test := range []struct {
		name, route string
		o           graphsim.Options
		want        position
	}{
		{"mailboxes out of scope", "auto", graphsim.Options{Denied: []string{"user0@example.org", "corpus@example.org"}}, position{stops: "Mail.ReadWrite"}},
		{"no right to import", "importmime", graphsim.Options{WithoutRoles: []string{"Mail-Advanced.ReadWrite.All"}}, position{stops: "Mail-Advanced"}},
		{"no mailboxes", "auto", graphsim.Options{NoMailbox: []string{"user0@example.org", "corpus@example.org"}}, position{stops: "no mailbox"}},
		{"no such users", "auto", graphsim.Options{Users: []string{"nobody@example.org"}}, position{stops: "no such user"}},
		{"an old folder is 400", "json", graphsim.Options{Status: map[string]int{"ErrorFolderExists": 400}}, position{}},
		{"4 MB are 4,000,000", "importmime", graphsim.Options{MaxRequest: 4_000_000}, position{}},
		{"4 MB are 4,000,000", "json", graphsim.Options{MaxRequest: 4_000_000}, position{}},
		{"imports of 100 kB only", "importmime", graphsim.Options{MaxImport: 100_000}, position{}},
		{"chunked requests", "json", graphsim.Options{Chunked: true}, position{}},
		{"messages of 200 kB only", "json", graphsim.Options{MaxMessage: 200_000}, position{refuses: "ErrorMessageSizeExceeded"}},
		{"mailbox full", "importmime", graphsim.Options{MaxMailbox: 50_000}, position{stops: "full"}},
		{"folders full", "importmime", graphsim.Options{MaxFolderMessages: 20}, position{refuses: "ErrorMessagePerFolderCount"}},
		{"import in v1.0", "auto", graphsim.Options{ImportV1: true}, position{}},
		{"import reads", "importmime", graphsim.Options{ImportRead: true}, position{}},
		{"import loses dates", "importmime", graphsim.Options{ImportNow: true, Faults: lost}, position{}},
		{"import refuses broken mail", "importmime", graphsim.Options{RefuseBroken: true}, position{}},
		{"odd recipients refused", "json", graphsim.Options{RefuseRecipients: true}, position{}},
		{"base64 in lines", "importmime", graphsim.Options{Base64Lines: true}, position{}},
		{"MIME in folders", "json", graphsim.Options{MIMEInFolder: true, MIMEInBatch: true}, position{}},
		{"flags 0 make drafts", "json", graphsim.Options{ZeroFlagsDraft: true}, position{}},
		{"flags are ignored", "json", graphsim.Options{FlagsIgnored: true}, position{stops: "drafts"}},
		{"dates may change", "json", graphsim.Options{PatchDates: true}, position{}},
		{"sent mail may change", "json", graphsim.Options{EditSent: true}, position{}},
		{"no attachments later", "json", graphsim.Options{SealedAttachments: true}, position{stops: "Mail.ReadWrite"}},
		{"header in the text", "json", graphsim.Options{TransportHeaders: true, Faults: lost}, position{}},
		{"ETags checked", "importmime", graphsim.Options{CheckETag: true}, position{}},
		{"expand drops select", "importmime", graphsim.Options{ExpandDropsSelect: true, Faults: lost}, position{}},
		{"expand drops select", "json", graphsim.Options{ExpandDropsSelect: true, Faults: lost}, position{}},
		{"property ids as sent", "importmime", graphsim.Options{PropertyIDsAsSent: true, Faults: lost}, position{}},
		{"property ids as sent", "json", graphsim.Options{PropertyIDsAsSent: true, Faults: lost}, position{}},
		{"filters lag by time", "importmime", graphsim.Options{FilterDelay: time.Hour, Faults: lost}, position{}},
		{"filters lag by time", "json", graphsim.Options{FilterDelay: time.Hour, Faults: lost}, position{}},
		{"filters lag by requests", "json", graphsim.Options{FilterDelayRequests: 50, FilterDelayDates: true, Faults: lost}, position{}},
		{"an archive from the start", "json", graphsim.Options{Archive: true}, position{}},
		{"folders in German", "json", graphsim.Options{Localised: true}, position{}},
		{"names differ by case", "json", graphsim.Options{CaseSensitiveNames: true}, position{}},
		{"names are trimmed", "json", graphsim.Options{TrimNames: true}, position{}},
		{"short names", "json", graphsim.Options{MaxName: 60}, position{}},
		{"characters forbidden", "json", graphsim.Options{ForbiddenInNames: `/\"`}, position{}},
		{"no upload sessions", "json", graphsim.Options{NoUploadSessions: true}, position{refuses: "attach"}},
		{"upload URLs ignore tokens", "json", graphsim.Options{UploadAuthIgnored: true}, position{}},
		{"slow pages", "importmime", graphsim.Options{SlowPage: 100, Faults: lost}, position{}},
		{"tokens end", "json", graphsim.Options{Tokens: []string{"other"}}, position{stops: "secret"}},
		{"two calls at a time", "json", graphsim.Options{Quota: graphsim.Quota{Concurrent: 2}}, position{}},
		{"two calls of all mailboxes at a time", "importmime", graphsim.Options{Quota: graphsim.Quota{Concurrent: 2, ConcurrentPerApp: true}}, position{}},
		{"fractions of seconds", "json", graphsim.Options{Quota: graphsim.Quota{Requests: 100, Per: time.Second, RetryAfter: graphsim.FractionalSeconds}}, position{}},
		{"Retry-After as a date", "json", graphsim.Options{Quota: graphsim.Quota{Requests: 100, Per: time.Second, RetryAfter: graphsim.RetryAfterDate}}, position{}},
		{"no import", "auto", graphsim.Options{NoImport: true}, position{refuses: "signed or encrypted"}},
		{"import loses fields", "auto", graphsim.Options{ImportDropsFields: true}, position{refuses: "signed or encrypted"}},
		{"import loses fields", "importmime", graphsim.Options{ImportDropsFields: true}, position{stops: "importMime"}},
		{"import loses dates", "auto", graphsim.Options{ImportNow: true}, position{refuses: "signed or encrypted"}},
	} {
		t.Run(test.name+" by "+test.route, func(t *testing.T) {
			tr := s.graphTrial(t, test.o, test.route)
			run(t, tr)
			s.settle(t, tr, failures[test.route], test.want)
		})
	}
}

// attached returns a message with an attachment of n octets.
func attached(n int) []byte {
	return []byte("From: Ann <ann@example.com>\r\nTo: bob@example.com\r\nSubject: large\r\nDate: Sun, 13 Sep 2020 12:26:40 +0000\r\n" +
		"Message-ID: <large@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\n\r\nSee below.\r\n--b\r\nContent-Type: application/octet-stream; name=large.bin\r\n\r\n" +
		strings.Repeat("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n", n/64) + "\r\n--b--\r\n")
}
