package report

import (
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/privacy"
)

func TestAFailureIsSaidInPlainWords(t *testing.T) {
	const (
		spool   = "It is larger than the space that was set aside for messages on their way."
		space   = "Let the contractor set aside more space and have it copied again."
		look    = "Look for it in the new system by its date and subject. If it is not there, let the contractor have it copied again."
		refused = "One of the two systems refused it, in words of its own."
		again   = "Let the contractor have it copied again. If it is refused once more, keep it as a file."
		hint    = "Raise spool_max in the configuration above the size of the message."
		signed  = `It is signed or encrypted, which a change would break (from, nul): set signed = "change" in [transform] if that may be.`
		allowed = "What is odd about it may be changed in the copy if [transform] allows that: charset."
		break_  = " It is signed or encrypted; the contractor can have it repaired in the copy, which breaks the signature."
	)
	for _, c := range []struct {
		rec     migrate.Record
		key     string
		why, do string
		full    string // what to do, if words may be shown
	}{
		{rec: migrate.Record{Reason: "spool: too large", Hint: hint}, key: "spool", why: spool, do: space},
		{rec: migrate.Record{Reason: "spool: too large", Hint: hint + " " + signed}, key: "spool", why: spool, do: space + break_},
		{rec: migrate.Record{Reason: "spool: too large", Hint: hint, Doubt: true}, key: "spool", why: spool, do: space + " It may be in the new system all the same: look for it there first."},
		{rec: migrate.Record{Reason: "import: gave up after 12 attempts: HTTP 500: no\nhelp"}, key: "gave_up",
			why: "The new system failed at it several times, while it took others.", do: "Let the contractor have it copied again."},
		{rec: migrate.Record{Reason: "find: cannot tell", Doubt: true,
			Hint: "It may or may not be at the target. Look for it there by its Message-ID and date before you copy it by hand."}, key: "doubt",
			why: "When it was written the answer got lost, and it cannot be told whether it is in the new system.", do: look},
		{rec: migrate.Record{Reason: "import: no"}, key: "other", why: refused, do: again, full: again},
		{rec: migrate.Record{Reason: "import: no", Hint: "No. Gmail takes messages of 35 MiB and drafts of 25 MiB at most. Keep it as a file. Or not."}, key: "other", why: refused, do: again,
			full: again + " In the words of the programs: “No. Gmail takes messages of 35 MiB and drafts of 25 MiB at most. Keep it as a file. Or not.”"},
		{rec: migrate.Record{Reason: "import: no", Hint: allowed}, key: "other", why: refused,
			do:   again + " The contractor can have what is odd about it repaired in the copy.",
			full: again + " The contractor can have what is odd about it repaired in the copy."},
		{rec: migrate.Record{Reason: "import: no", Hint: "Do that."}, key: "other", why: refused, do: again, full: again + " In the words of the programs: “Do that.”"},
		{rec: migrate.Record{Reason: "a server says: spool: " + hint, Hint: "x" + hint}, key: "other", why: refused, do: again,
			full: again + " In the words of the programs: “x" + hint + "”"},
	} {
		if key := caseOf(c.rec.Reason, c.rec.Hint); key != c.key {
			t.Errorf("%q, %q: case %s, want %s", c.rec.Reason, c.rec.Hint, key, c.key)
		}
		r := &report{words: spoken(t, "en")}
		if why, do := r.explain(c.rec); why != c.why || do != c.do {
			t.Errorf("%q, %q:\n got %s %s\nwant %s %s", c.rec.Reason, c.rec.Hint, why, do, c.why, c.do)
		}
		if c.full != "" {
			c.why, c.do = c.why+" In the words of the programs: “"+c.rec.Reason+"”", c.full
		}
		r.Privacy.Level = privacy.Full
		if why, do := r.explain(c.rec); why != c.why || do != c.do {
			t.Errorf("%q, %q, in full:\n got %s %s\nwant %s %s", c.rec.Reason, c.rec.Hint, why, do, c.why, c.do)
		}
	}
}

func TestAFolderWithAnotherNameHasAReason(t *testing.T) {
	r := &report{words: spoken(t, "en")}
	for note, want := range map[string]string{
		"Gmail's own place for it":                                                          "The new system has a folder of its own for this.",
		"the mailbox's own folder Deleted Items":                                            "The new system has a folder of its own for this.",
		"Gmail nests labels at \"/\"; the path is longer than Gmail allows":                 "A “/” in a name would make a folder within a folder. The name is longer than the new system allows.",
		"the name holds control characters; characters that Exchange refused were replaced": "The name has characters that the new system does not take.",
		"placed as Old: there is a folder New; or not":                                      "Another folder has this name, or one that the new system takes for the same.",
		"placed as Old":             "It is placed elsewhere.",
		"something new":             "It is placed elsewhere.",
		"the name is empty; or new": "The name is empty. It is placed elsewhere.",
	} {
		if got := r.why(note); got != want {
			t.Errorf("%q: %q, want %q", note, got, want)
		}
	}
}
