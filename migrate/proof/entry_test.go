package proof

import (
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

var someDigest = Digest(digestOf("some"))

func TestEntriesAreReadAsTheyWereWritten(t *testing.T) {
	settled := time.Date(2026, 2, 28, 21, 4, 5, 0, time.UTC)
	for text, m := range map[string]Message{
		"message 1 2 pending 0 0 - - -": {Folder: 1, UID: 2},
		"message 7 4294967295 copied 1772312645 1024 a6b46dd0d1ae5e86cbc8f37e75ceeb6760230c1ca4ffbcb0c97b96dd7d9c464b - 18c%2518%2F":            {},
		"message 7 4294967295 copied 1772312645 1024 - a6b46dd0d1ae5e86cbc8f37e75ceeb6760230c1ca4ffbcb0c97b96dd7d9c464b AAMk=/%25%20%C3%BC%00-": {Folder: 7, UID: 1<<32 - 1, Outcome: migrate.Copied, Settled: settled, Size: 1024, Replica: someDigest, Target: "AAMk=/% ü\x00-"},
		"message 9 1 failed 0 5 a6b46dd0d1ae5e86cbc8f37e75ceeb6760230c1ca4ffbcb0c97b96dd7d9c464b - %2D":                                         {Folder: 9, UID: 1, Outcome: migrate.Failed, Size: 5, Source: someDigest, Target: "-"},
	} {
		got, err := ParseMessage(text)
		if m == (Message{}) {
			if err == nil {
				t.Errorf("%s is read as %+v", text, got)
			}
			continue
		}
		if err != nil || got != m {
			t.Errorf("%s is read as %+v: %v", text, got, err)
		}
		if m.String() != text {
			t.Errorf("%s\nis written instead of\n%s", m, text)
		}
	}
	f := Folder{ID: 3, UIDValidity: 1<<32 - 1, Epoch: 2, Source: someDigest, Target: digestOf("b"), Path: digestOf("c")}
	if got, err := ParseFolder(f.String()); err != nil || got != f {
		t.Errorf("%v is read as %v: %v", f, got, err)
	}
	for o := range migrate.Outcomes {
		if got, err := ParseMessage(Message{Folder: 1, UID: 1, Outcome: o}.String()); err != nil || got.Outcome != o {
			t.Errorf("%v is read as %v: %v", o, got.Outcome, err)
		}
	}
}

func TestAnEntryHasOneSpelling(t *testing.T) {
	for _, text := range append(otherSpellings, Message{Folder: 1, UID: 1, Target: migrate.MessageID(strings.Repeat("x", maxEntry))}.String()) {
		if f, err := ParseFolder(text); err == nil {
			t.Errorf("%q is read as %+v", text, f)
		}
		if m, err := ParseMessage(text); err == nil {
			t.Errorf("%q is read as %+v", text, m)
		}
	}
}

// FuzzEntry checks that what is read of any text is written as that text.
func FuzzEntry(f *testing.F) {
	for _, text := range append(otherSpellings, Message{Folder: 1, UID: 2, Target: "a%-ü"}.String(), Folder{ID: 1}.String()) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if m, err := ParseMessage(text); err == nil && (m.String() != text || m.Folder < 1 || m.UID < 1 || m.Size < 0 || m.Outcome >= migrate.Outcomes) {
			t.Errorf("%q is read as %+v", text, m)
		}
		if f, err := ParseFolder(text); err == nil && (f.String() != text || f.ID < 1) {
			t.Errorf("%q is read as %+v", text, f)
		}
	})
}
