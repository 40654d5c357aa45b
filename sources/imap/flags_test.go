package imap

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

// counting is INBOX of a scripted server with n messages that counts changes.
func counting(n int) migrate.Folder {
	f := oneInbox
	f.UIDNext, f.ModSeq = migrate.UID(n+1), 90
	return f
}

// told is what Flags yielded before it ended, and the error it ended with.
func told(t *testing.T, s *Source, f migrate.Folder, since uint64) (ms []string, err error) {
	t.Helper()
	last := migrate.UID(0)
	for batch, e := range s.Flags(t.Context(), f, f.UIDNext, since) {
		if err != nil {
			t.Error("a step after the error")
		}
		for _, m := range batch {
			if m.UID <= last || m.UID >= f.UIDNext {
				t.Errorf("UID %d comes after %d", m.UID, last)
			}
			last = m.UID
			ms = append(ms, fmt.Sprint(m.UID)+fmt.Sprint(m.Flags))
		}
		err = e
	}
	return ms, err
}

// searched is a script that answers a SEARCH, and a FETCH that asks for flags
// and nothing else.
func searched(answer reply, fetch func(set string) reply) func(string) reply {
	return searchedBy(func(string) reply { return answer }, fetch)
}

func searchedBy(search, fetch func(string) reply) func(string) reply {
	return func(command string) reply {
		switch {
		case strings.HasPrefix(command, "UID SEARCH"):
			return search(command)
		case strings.HasPrefix(command, "UID FETCH") && strings.HasSuffix(command, " (UID FLAGS)"):
			return fetch(strings.Fields(command)[2])
		}
		return ""
	}
}

func TestAFolderTellsItsCountOfChangesIfTheServerKeepsOne(t *testing.T) {
	for name, test := range map[string]struct {
		caps   string
		status reply
		want   uint64
	}{
		"it does":            {"CONDSTORE", "* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7 HIGHESTMODSEQ 9223372036854775807)\r\n" + ok, 1<<63 - 1},
		"QRESYNC says so":    {"QRESYNC", "* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7 HIGHESTMODSEQ 5)\r\n" + ok, 5},
		"not in this folder": {"CONDSTORE", "* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7 HIGHESTMODSEQ 0)\r\n" + ok, 0},
		"it forgets to":      {"CONDSTORE", "* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7)\r\n" + ok, 0},
		"it does not":        {"", "", 0},
	} {
		s := opener(scripted(t, func(command string) reply {
			switch {
			case strings.HasPrefix(command, "CAPABILITY"):
				return reply("* CAPABILITY IMAP4rev1 "+test.caps+"\r\n") + ok
			case strings.HasPrefix(command, "STATUS"):
				if strings.Contains(command, "HIGHESTMODSEQ") != (test.caps != "") {
					t.Errorf("%s: %s", name, command)
				}
				return test.status
			}
			return ""
		}))(t).(*Source)
		defer s.Close()
		fs, err := s.Folders(t.Context())
		if err != nil || len(fs) != 1 || fs[0].ModSeq != test.want || fs[0].Messages != 1 {
			t.Errorf("%s: %+v, %v", name, fs, err)
		}
	}
}

func TestAnItemThatIsRefusedDoesNotCostAFolderTheOthers(t *testing.T) {
	for _, refused := range [][]string{{"HIGHESTMODSEQ"}, {"SIZE"}, {"HIGHESTMODSEQ", "SIZE"}} {
		for _, caps := range []string{"", " LIST-EXTENDED LIST-STATUS"} {
			s := opener(scripted(t, func(command string) reply {
				switch verb := strings.Fields(command)[0]; {
				case verb == "CAPABILITY":
					return reply("* CAPABILITY IMAP4rev1 CONDSTORE STATUS=SIZE"+caps+"\r\n") + ok
				case verb != "STATUS" && verb != "LIST":
				case slices.ContainsFunc(refused, func(item string) bool { return strings.Contains(command, item) }):
					return "TAG BAD what is that?\r\n"
				case verb == "STATUS":
					answer := "* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7"
					if strings.Contains(command, "HIGHESTMODSEQ") {
						answer += " HIGHESTMODSEQ 3"
					}
					if strings.Contains(command, "SIZE") {
						answer += " SIZE 4"
					}
					return reply(answer+")\r\n") + ok
				}
				return ""
			}))(t).(*Source)
			defer s.Close()
			want := migrate.Folder{Path: []string{"INBOX"}, Role: migrate.RoleInbox, UIDValidity: 7, UIDNext: 2, Messages: 1, ModSeq: 3, Bytes: 4}
			if slices.Contains(refused, "HIGHESTMODSEQ") {
				want.ModSeq = 0
			}
			if slices.Contains(refused, "SIZE") {
				want.Bytes = 0
			}
			fs, err := s.Folders(t.Context())
			if err != nil || len(fs) != 1 || fmt.Sprint(fs[0].Path, fs[0].UIDNext, fs[0].Messages, fs[0].ModSeq, fs[0].Bytes) !=
				fmt.Sprint(want.Path, want.UIDNext, want.Messages, want.ModSeq, want.Bytes) {
				t.Errorf("%v refused,%s: %+v, %v", refused, caps, fs, err)
			}
		}
	}
}

func TestAFolderIsClosedBeforeItsStateIsAskedFor(t *testing.T) {
	for _, caps := range []string{"", " UNSELECT"} {
		var commands []string
		s := opener(scripted(t, func(command string) reply {
			if strings.HasPrefix(command, "CAPABILITY") {
				return reply("* CAPABILITY IMAP4rev1"+caps+"\r\n") + ok
			}
			commands = append(commands, strings.Fields(command)[0])
			return ""
		}))(t).(*Source)
		defer s.Close()
		for range 2 {
			if _, err := s.Folders(t.Context()); err != nil {
				t.Fatal(err)
			}
			if content, _, err := readOne(s, one); content != "hello" || err != nil {
				t.Fatal(content, err)
			}
		}
		got := strings.Join(commands[1:], " ")
		if want := map[string]string{
			"":          "LIST STATUS EXAMINE UID NOOP LIST STATUS UID",
			" UNSELECT": "LIST STATUS EXAMINE UID UNSELECT LIST STATUS EXAMINE UID",
		}[caps]; got != want {
			t.Errorf("%q: %s, want %s", caps, got, want)
		}
	}
}

func TestAFolderWithoutCountIsScannedWhole(t *testing.T) {
	for name, refusal := range map[string]reply{
		"BAD":          "TAG BAD [NOMODSEQ] no such thing here\r\n",
		"NO":           "TAG NO cannot search so\r\n",
		"later than 0": "",
	} {
		s := opener(scripted(t, searchedBy(func(command string) reply {
			if strings.Contains(command, "MODSEQ") {
				return refusal
			}
			return "* SEARCH 1 2\r\n" + ok
		}, func(string) reply {
			return "* 1 FETCH (UID 1 FLAGS ())\r\n* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n" + ok
		})))(t).(*Source)
		defer s.Close()
		f := counting(2)
		if refusal == "" {
			f.ModSeq = 0
		}
		if got, err := told(t, s, f, 8); fmt.Sprint(got) != `[1[] 2[\Seen]]` || err != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestNewsAmongTheAnswersMisleadNobody(t *testing.T) {
	for name, test := range map[string]struct {
		answer reply // to the first FETCH
		want   string
	}{
		"flags of another one":           {"* 9 FETCH (UID 9 FLAGS (\\Deleted))\r\n* 4 FETCH (UID 4 FLAGS (\\Flagged))\r\n" + usualFlags, "[2[] 3[\\Seen]]"},
		"without a UID":                  {"* 2 FETCH (FLAGS (\\Draft))\r\n" + usualFlags, "[2[] 3[\\Seen]]"},
		"without flags, before":          {"* 3 FETCH (UID 3 MODSEQ (95))\r\n" + usualFlags, "[2[] 3[\\Seen]]"},
		"a body, before":                 {"* 3 FETCH (UID 3 BODY[] {3}\r\nabc)\r\n" + usualFlags, "[2[] 3[\\Seen]]"},
		"twice":                          {"* 2 FETCH (UID 2 FLAGS ())\r\n" + usualFlags, "[2[] 3[\\Seen]]"},
		"in descending order":            {"* 3 FETCH (UID 3 FLAGS (\\Seen))\r\n* 2 FETCH (UID 2 FLAGS (\\RECENT))\r\n" + ok, "[2[] 3[\\Seen]]"},
		"the flags first":                {"* 2 FETCH (FLAGS () UID 2)\r\n* 3 FETCH (FLAGS (\\Seen \\Recent) MODSEQ (94) UID 3)\r\n" + ok, "[2[] 3[\\Seen]]"},
		"expunged, arrived, and so on":   {"* 1 EXPUNGE\r\n* 7 EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen New)\r\n* OK [HIGHESTMODSEQ 96] on\r\n" + usualFlags, "[2[] 3[\\Seen]]"},
		"one of them is missing":         {"* 2 FETCH (UID 2 FLAGS ())\r\n" + ok, "[2[] 3[\\Seen]]"},
		"all of them are missing":        {ok, "[2[] 3[\\Seen]]"},
		"UIDs that cannot be":            {"* 4294967295 FETCH (UID 4294967295 FLAGS ())\r\n" + usualFlags, "[2[] 3[\\Seen]]"},
		"refused as a whole, first time": {"TAG NO not now\r\n", "[2[] 3[\\Seen]]"},
	} {
		t.Run(name, func(t *testing.T) {
			fetches := 0
			s := opener(scripted(t, searched("* SEARCH 2 3 (MODSEQ 93)\r\n"+ok, func(set string) reply {
				if fetches++; fetches == 1 {
					return test.answer
				}
				return usualFlags
			})))(t).(*Source)
			defer s.Close()
			if got, err := told(t, s, counting(3), 90); fmt.Sprint(got) != test.want || err != nil {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

const usualFlags reply = "* 2 FETCH (UID 2 FLAGS ())\r\n* 3 FETCH (UID 3 FLAGS (\\Seen))\r\n" + ok

// What a session knows of a folder may be as old as its EXAMINE.
func TestAMessageThatVanishesDuringTheScanIsNoError(t *testing.T) {
	examined := 0
	usual := searchedBy(func(string) reply {
		if examined == 1 {
			return "* SEARCH 2 3\r\n" + ok
		}
		return "* SEARCH\r\n" + ok
	}, func(string) reply { return "* 2 FETCH (UID 2 FLAGS ())\r\n" + ok })
	s := opener(scripted(t, func(command string) reply {
		if strings.HasPrefix(command, "EXAMINE") {
			examined++
		}
		return usual(command)
	}))(t).(*Source)
	defer s.Close()
	if got, err := told(t, s, counting(3), 90); fmt.Sprint(got) != "[2[]]" || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestAMessageWhoseFlagsBreakTheConnectionDoesNotHideTheOthers(t *testing.T) {
	for name, breakage := range map[string]reply{
		"hangs up":              "* 3 FETCH (UID 3 FLA" + hangUp,
		"an impossible keyword": "* 3 FETCH (UID 3 FLAGS (a]b))\r\n" + ok,
		"refuses":               "TAG NO [SERVERBUG] cannot\r\n",
		"says nothing of it":    ok,
	} {
		t.Run(name, func(t *testing.T) {
			s := opener(scripted(t, searched("* SEARCH 1 2 3 4 5\r\n"+ok, func(set string) reply {
				answer := reply("")
				for uid := range 6 {
					switch whole := set == "1:5"; {
					case uid == 3 && (whole || set == "3"):
						if breakage == ok {
							continue
						}
						return answer + breakage
					case uid > 0 && (whole || set == fmt.Sprint(uid)):
						answer += reply(fmt.Sprintf("* %d FETCH (UID %d FLAGS ())\r\n", uid, uid))
					}
				}
				return answer + ok
			})))(t).(*Source)
			defer s.Close()
			f := counting(5)
			got, err := told(t, s, f, 0)
			if e, _ := errors.AsType[*migrate.Error](err); e != nil && e.Class == migrate.Transient {
				if len(got) != 0 {
					t.Errorf("%v before %v", got, err)
				}
				got, err = told(t, s, f, 0)
			}
			if fmt.Sprint(got) != "[1[] 2[] 4[] 5[]]" || err == nil || class(t, err) != migrate.Permanent ||
				!strings.Contains(err.Error(), "1, beginning with UID 3") {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

func TestMessagesFarApartWhoseFlagsBreakTheConnectionAreEachPassedOver(t *testing.T) {
	bad, numbers := []int{1, 2999, 5999}, "" // in a batch each: no two of these UIDs make a run
	for uid := 1; uid < 6000; uid += 2 {
		numbers += fmt.Sprint(" ", uid)
	}
	s := opener(scripted(t, searched(reply("* SEARCH"+numbers+"\r\n")+ok, func(set string) reply {
		var answer strings.Builder
		for text := range strings.SplitSeq(set, ",") {
			uid, err := strconv.Atoi(text)
			if err != nil {
				t.Error(set)
			}
			if slices.Contains(bad, uid) {
				return hangUp
			}
			fmt.Fprintf(&answer, "* %d FETCH (UID %d FLAGS ())\r\n", uid, uid)
		}
		return reply(answer.String()) + ok
	})))(t).(*Source)
	defer s.Close()
	var got []string
	err := error(&migrate.Error{Class: migrate.Transient})
	for calls := 0; calls <= len(bad) && class(t, err) == migrate.Transient; calls++ {
		got, err = told(t, s, counting(5999), 0)
	}
	if len(got) != 3000-len(bad) || err == nil || class(t, err) != migrate.Permanent {
		t.Errorf("%d messages, %v", len(got), err)
	}
}

func TestAConnectionThatBreaksByChanceCostsNoMessageItsFlags(t *testing.T) {
	broken := map[string]bool{}
	s := opener(scripted(t, searched("* SEARCH 2 3\r\n"+ok, func(set string) reply {
		if !broken[set] { // the two at once, and then each alone
			broken[set] = true
			return hangUp
		}
		return reply(fmt.Sprintf("* %s FETCH (UID %s FLAGS ())\r\n", set, set)) + ok
	})))(t).(*Source)
	defer s.Close()
	if got, err := told(t, s, counting(3), 90); len(got) != 0 || err == nil || class(t, err) != migrate.Transient {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := told(t, s, counting(3), 90); fmt.Sprint(got) != "[2[] 3[]]" || err != nil || len(broken) != 3 {
		t.Errorf("then %v, %v", got, err)
	}
}

func TestAScanThatBreaksOffOnceGoesOnInTheNextCall(t *testing.T) {
	for _, verb := range []string{"EXAMINE", "UID SEARCH", "UID FETCH"} {
		broken := false
		usual := searched("* SEARCH 2 3\r\n"+ok, func(set string) reply {
			if set == "2" {
				return "* 2 FETCH (UID 2 FLAGS ())\r\n" + ok
			}
			return usualFlags
		})
		s := opener(scripted(t, func(command string) reply {
			if !broken && strings.HasPrefix(command, verb) {
				broken = true
				return "* BYE restarting\r\n" + hangUp
			}
			return usual(command)
		}))(t).(*Source)
		defer s.Close()
		if got, err := told(t, s, counting(3), 90); len(got) != 0 || err == nil || class(t, err) != migrate.Transient {
			t.Errorf("%s: %v, %v", verb, got, err)
		}
		if got, err := told(t, s, counting(3), 90); fmt.Sprint(got) != "[2[] 3[\\Seen]]" || err != nil {
			t.Errorf("%s: then %v, %v", verb, got, err)
		}
	}
}

func TestACommandIsNoLongerThanServersHaveToTake(t *testing.T) {
	f := counting(4_294_000_000)
	var numbers strings.Builder
	for uid := f.UIDNext - 3000; uid < f.UIDNext; uid += 3 { // runs of two
		fmt.Fprint(&numbers, " ", uid, " ", uid+1)
	}
	s := opener(scripted(t, searched(reply("* SEARCH"+numbers.String()+"\r\n")+ok, func(set string) reply {
		if len("T1000 UID FETCH "+set+" (UID FLAGS)\r\n") > 8192 { // RFC 7162 section 4
			t.Errorf("a set of %d octets", len(set))
		}
		var answer strings.Builder
		for run := range strings.SplitSeq(set, ",") {
			for uid := range strings.SplitSeq(run, ":") {
				fmt.Fprintf(&answer, "* 1 FETCH (UID %s FLAGS ())\r\n", uid)
			}
		}
		return reply(answer.String()) + ok
	})))(t).(*Source)
	defer s.Close()
	if got, err := told(t, s, f, 0); len(got) != 2000 || err != nil {
		t.Errorf("%d messages, %v", len(got), err)
	}
}

func TestAServerThatTellsNoFlagsAtAllIsNotAskedForEver(t *testing.T) {
	fetches, numbers := 0, ""
	for uid := range 1000 {
		numbers += fmt.Sprint(" ", uid+1)
	}
	s := opener(scripted(t, searched(reply("* SEARCH"+numbers+"\r\n")+ok, func(string) reply {
		fetches++
		return "TAG NO never\r\n"
	})))(t).(*Source)
	defer s.Close()
	if got, err := told(t, s, counting(1000), 90); len(got) != 0 || err == nil || fetches > 3*maxUntold {
		t.Errorf("%d fetches, %v, %v", fetches, got, err)
	}
}
