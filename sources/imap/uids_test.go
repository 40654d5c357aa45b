package imap

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

// extended is a script of a server with ESEARCH.
func extended(search func(command string) reply) func(string) reply {
	return func(command string) reply {
		switch {
		case strings.HasPrefix(command, "CAPABILITY"):
			return "* CAPABILITY IMAP4rev1 ESEARCH\r\n" + ok
		case strings.HasPrefix(command, "UID SEARCH"):
			return search(command)
		}
		return ""
	}
}

func TestUIDsAreUnderstoodInWhateverFormTheyCome(t *testing.T) {
	for name, test := range map[string]struct {
		answer, plain reply // with RETURN and without
		want          string
	}{
		"runs":                      {"* ESEARCH (TAG \"TAG\") UID ALL 2:4,7,9:11\r\n" + ok, "", "[{2 4} {7 7} {9 11}]"},
		"in any order":              {"* ESEARCH (TAG \"TAG\") UID ALL 9:11,7,4:2\r\n" + ok, "", "[{2 4} {7 7} {9 11}]"},
		"runs that overlap":         {"* ESEARCH (TAG \"TAG\") UID ALL 2:8,5,4:9,10\r\n" + ok, "", "[{2 10}]"},
		"more than was asked for":   {"* ESEARCH (TAG \"TAG\") UID COUNT 3 MODSEQ 7 ALL 5\r\n" + ok, "", "[{5 5}]"},
		"nothing":                   {"* ESEARCH (TAG \"TAG\") UID\r\n" + ok, "* SEARCH 1\r\n" + ok, "[]"},
		"nothing, said shortly":     {"* ESEARCH (TAG \"TAG\")\r\n" + ok, "* SEARCH 1\r\n" + ok, "[]"},
		"beyond all that can be":    {"* ESEARCH (TAG \"TAG\") UID ALL 5,19:4294967295\r\n" + ok, "", "[{5 5} {19 19}]"},
		"all there could ever be":   {"* ESEARCH (TAG \"TAG\") UID ALL 1:4294967295\r\n" + ok, "", "[{1 19}]"},
		"only beyond":               {"* ESEARCH (TAG \"TAG\") UID ALL 20:4294967295\r\n" + ok, "", "[]"},
		"as an old server":          {"* SEARCH 3 4 6\r\n" + ok, "", "[{3 4} {6 6}]"},
		"as an old server, nothing": {"* SEARCH\r\n" + ok, "* SEARCH\r\n" + ok, "[]"},
		"as message numbers":        {"* ESEARCH (TAG \"TAG\") ALL 1:3\r\n" + ok, "* SEARCH 3 4 6\r\n" + ok, "[{3 4} {6 6}]"},
		"of another command":        {"* ESEARCH (TAG \"other\") UID ALL 1:3\r\n" + ok, "* SEARCH 3 4 6\r\n" + ok, "[{3 4} {6 6}]"},
		"not at all":                {ok, "* SEARCH 3 4 6\r\n" + ok, "[{3 4} {6 6}]"},
		"with other news":           {"* 5 EXPUNGE\r\n* VANISHED 3\r\n* ESEARCH (TAG \"TAG\") UID ALL 2:4\r\n* 9 EXISTS\r\n" + ok, "", "error"},
		"with news":                 {"* 5 EXPUNGE\r\n* ESEARCH (TAG \"TAG\") UID ALL 2:4\r\n* 9 EXISTS\r\n* 2 FETCH (UID 2 FLAGS ())\r\n" + ok, "", "[{2 4}]"},
	} {
		t.Run(name, func(t *testing.T) {
			s := opener(scripted(t, extended(func(command string) reply {
				if strings.Contains(command, "RETURN") {
					return test.answer
				}
				if test.plain == "" {
					t.Error(command)
				}
				return test.plain
			})))(t).(*Source)
			defer s.Close()
			var got []migrate.UIDRange
			var failed error
			for r, err := range s.UIDs(t.Context(), oneInbox, 20) {
				if failed = err; err == nil {
					got = append(got, r)
				}
			}
			if test.want == "error" {
				// go-imap knows no VANISHED, which no server sends before ENABLE QRESYNC.
				if failed == nil || class(t, failed) != migrate.Transient || len(got) > 0 {
					t.Errorf("%v, %v", got, failed)
				}
				return
			}
			if fmt.Sprint(got) != test.want || failed != nil {
				t.Errorf("%v, want %s, %v", got, test.want, failed)
			}
		})
	}
}

func TestRunsThatGoOnInTheNextWindowAreOne(t *testing.T) {
	s := opener(scripted(t, extended(func(command string) reply {
		var lo, hi int
		if _, err := fmt.Sscanf(command, "UID SEARCH RETURN (ALL) UID %d:%d", &lo, &hi); err != nil {
			t.Error(command)
		}
		if lo > 3*window {
			return reply("* ESEARCH (TAG \"TAG\") UID\r\n") + ok
		}
		return reply(fmt.Sprintf("* ESEARCH (TAG \"TAG\") UID ALL %d:%d\r\n", lo, hi)) + ok
	})))(t).(*Source)
	defer s.Close()
	if got := runs(t, s, oneInbox, 5*window); fmt.Sprint(got) != fmt.Sprintf("[{1 %d}]", 3*window) {
		t.Error(got)
	}
}

func TestUIDsOfAFolderThatIsReplacedMeanwhileEndWithAnError(t *testing.T) {
	for name, examine := range map[string]reply{
		"made anew": "* OK [UIDVALIDITY 8] other\r\nTAG OK [READ-ONLY] open\r\n",
		"deleted":   "TAG NO [NONEXISTENT] no such folder\r\n",
	} {
		replaced := false
		s := opener(scripted(t, func(command string) reply {
			switch {
			case strings.HasPrefix(command, "UID SEARCH"):
				replaced = true
				return "* SEARCH\r\n" + ok
			case strings.HasPrefix(command, "EXAMINE") && replaced:
				return examine
			case strings.HasPrefix(command, "LIST") && replaced:
				return ok
			}
			return ""
		}))(t).(*Source)
		defer s.Close()
		steps := 0
		var failed error
		for _, failed = range s.UIDs(t.Context(), oneInbox, 20) {
			steps++
		}
		if steps != 1 || !errors.Is(failed, migrate.ErrFolderGone) {
			t.Errorf("%s: %d steps, %v", name, steps, failed)
		}
	}
}

func TestMessagesThatASearchDoesNotFindDoNotPassForDeleted(t *testing.T) {
	for name, test := range map[string]struct {
		exists, next int // as EXAMINE tells
		below        migrate.UID
		found        string
		fine         bool
	}{
		"all are found":                 {5, 20, 20, " 1 2 3 4 19", true},
		"no answer":                     {5, 20, 20, "", false},
		"one is missing":                {5, 20, 20, " 1 2 3 4", false},
		"it may be above":               {5, 20, 19, " 1 2 3 4", true},
		"two are, and one may be":       {5, 20, 19, " 1 2 3", false},
		"mail came meanwhile":           {7, 22, 20, " 1 2 3 4 19", true},
		"asked for more than there is":  {7, 22, 4_000_000_000, " 1 2 3 4 19", true},
		"one vanished meanwhile":        {4, 20, 20, " 1 2 3 4 19", true},
		"an empty folder":               {0, 20, 20, "", true},
		"a server that says no UIDNEXT": {5, 0, 20, " 1", true},
	} {
		s := opener(scripted(t, func(command string) reply {
			switch {
			case strings.HasPrefix(command, "UID SEARCH") && test.found != "":
				return reply("* SEARCH"+test.found+"\r\n") + ok
			case strings.HasPrefix(command, "UID SEARCH"):
				return ok
			case strings.HasPrefix(command, "EXAMINE"):
				answer := fmt.Sprintf("* %d EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n", test.exists)
				if test.next > 0 {
					answer += fmt.Sprintf("* OK [UIDNEXT %d] next\r\n", test.next)
				}
				return reply(answer) + ok
			}
			return ""
		}))(t).(*Source)
		defer s.Close()
		f := oneInbox
		f.UIDNext = 20
		var failed error
		for _, failed = range s.UIDs(t.Context(), f, test.below) {
		}
		if (failed == nil) != test.fine || failed != nil && class(t, failed) != migrate.Permanent {
			t.Errorf("%s: %v", name, failed)
		}
	}
}

func TestACallerMayStopAskingForUIDs(t *testing.T) {
	s := opener(scripted(t, extended(func(string) reply {
		return "* ESEARCH (TAG \"TAG\") UID ALL 1,3,5\r\n" + ok
	})))(t).(*Source)
	defer s.Close()
	for stop := range 3 {
		n := 0
		for range s.UIDs(t.Context(), oneInbox, 20) {
			if n++; n > stop {
				break
			}
		}
		if n != stop+1 {
			t.Errorf("%d runs, want %d", n, stop+1)
		}
	}
}
