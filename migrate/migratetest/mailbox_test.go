package migratetest_test

import (
	"crypto/sha256"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/migratetest"
)

// A survey is what a mailbox amounts to.
type survey struct {
	messages, bytes, copies, over1MiB int
	kinds                             map[migratetest.Kind]int
	flags                             map[migrate.Flag]int
	sum                               [sha256.Size]byte // of everything in order
}

func surveyOf(t *testing.T, b migratetest.Mailbox) survey {
	t.Helper()
	s := survey{kinds: map[migratetest.Kind]int{}, flags: map[migrate.Flag]int{}}
	digests := map[[sha256.Size]byte]bool{}
	all := sha256.New()
	for i, f := range b.Folders {
		n := 0
		var last time.Time
		for m := range b.All(i) {
			n++
			d := sha256.Sum256(m.Octets)
			if digests[d] {
				s.copies++
			} else if m.Date.Before(last) {
				t.Errorf("%q: message %d is older than the one before", f.Path, n)
			} else {
				last = m.Date
			}
			digests[d] = true
			all.Write(d[:])
			s.bytes += len(m.Octets)
			s.kinds[m.Kind]++
			if len(m.Octets) > 1<<20 {
				s.over1MiB++
			}
			for _, flag := range m.Flags {
				s.flags[flag]++
				all.Write([]byte(flag))
			}
			if late := m.InternalDate.Sub(m.Date); late < 0 || late > time.Hour {
				t.Errorf("%q: internal date %v after the date", f.Path, late)
			}
			all.Write([]byte(m.InternalDate.Format(time.RFC3339)))
		}
		if n != f.Messages {
			t.Errorf("%q yields %d messages, says %d", f.Path, n, f.Messages)
		}
		s.messages += n
	}
	all.Sum(s.sum[:0])
	return s
}

func TestAMailboxIsTheSameEachTime(t *testing.T) {
	spec := migratetest.Spec{Seed: 4, Messages: 300}
	a, b := surveyOf(t, migratetest.Large(spec)), surveyOf(t, migratetest.Large(spec))
	if a.sum != b.sum {
		t.Error("two mailboxes of one spec differ")
	}
	spec.Seed++
	if surveyOf(t, migratetest.Large(spec)).sum == a.sum {
		t.Error("the seed changes nothing")
	}
}

func TestTheLargeMailboxIsAsLargeAsItSays(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 319 MB of mail")
	}
	b := migratetest.Large(migratetest.Spec{Messages: 20_000})
	sizes := map[int]int{}
	for _, f := range b.Folders {
		sizes[f.Messages]++
	}
	if sizes[0] == 0 || sizes[1] != 1 || sizes[8_000] != 1 {
		t.Errorf("folders of 0, 1 and 8,000 messages: %d, %d, %d", sizes[0], sizes[1], sizes[8_000])
	}
	s := surveyOf(t, b)
	if s.messages != 20_000 || s.bytes < 314e6 || s.bytes > 324e6 {
		t.Errorf("%d messages of %d octets in all, want 20,000 of 319 MB", s.messages, s.bytes)
	}
	for _, k := range migratetest.Kinds() {
		if s.kinds[k] == 0 {
			t.Errorf("no %s", k)
		}
	}
	for what, share := range map[string]struct{ got, low, high int }{
		"with the content of another": {s.copies, 400, 800},
		"over 1 MiB":                  {s.over1MiB, 10, 60},
		"unread":                      {s.messages - s.flags[migrate.Seen], 2_500, 3_500},
		"flagged":                     {s.flags[migrate.Flagged], 600, 1_000},
		"answered":                    {s.flags[migrate.Answered], 2_000, 2_800},
		"deleted":                     {s.flags[migrate.Deleted], 50, 200},
		"drafts":                      {s.flags[migrate.Draft], 40, 40},
		"with a keyword":              {s.flags["$Label1"], 250, 550},
		"over 4 MB":                   {s.kinds[migratetest.Huge], 2, 8},
		"plain":                       {s.kinds[migratetest.Plain], 3_000, 4_000},
		"attachments":                 {s.kinds[migratetest.Attachment], 500, 1_000},
	} {
		if share.got < share.low || share.got > share.high {
			t.Errorf("%d messages %s, want %d to %d", share.got, what, share.low, share.high)
		}
	}
}

func TestASmallMailboxHasTheSameFolders(t *testing.T) {
	large := migratetest.Large(migratetest.Spec{Messages: 20_000})
	for _, n := range []int{0, 1, 10, 100, 400} {
		small := migratetest.Large(migratetest.Spec{Messages: n})
		if got := surveyOf(t, small).messages; got != n {
			t.Errorf("%d messages, want %d", got, n)
		}
		if !slices.EqualFunc(large.Folders, small.Folders, func(a, b migratetest.Folder) bool { return slices.Equal(a.Path, b.Path) }) {
			t.Errorf("%d messages: other folders", n)
		}
	}
}

func TestNoFolderNameHasTheSeparator(t *testing.T) {
	for _, sep := range []string{".", "/"} {
		had := false
		for _, f := range migratetest.Large(migratetest.Spec{}).Folders {
			had = had || strings.Contains(strings.Join(f.Path, ""), sep)
		}
		for _, f := range migratetest.Large(migratetest.Spec{Separator: sep}).Folders {
			if strings.Contains(strings.Join(f.Path, ""), sep) {
				t.Errorf("%q holds %q", f.Path, sep)
			}
		}
		if !had {
			t.Errorf("no folder has %q in its name without a separator", sep)
		}
	}
}

func TestTheDemoShowsEveryKind(t *testing.T) {
	messages := 0
	for _, b := range migratetest.Demo() {
		s := surveyOf(t, b)
		messages += s.messages
		for _, k := range migratetest.Kinds()[1:] {
			if s.kinds[k] == 0 {
				t.Errorf("%s has no %s", b.User, k)
			}
		}
		if s.bytes > 20e6 {
			t.Errorf("%s has %d octets", b.User, s.bytes)
		}
	}
	if messages != 460 {
		t.Errorf("%d messages, want 460", messages)
	}
}

func BenchmarkLarge(b *testing.B) {
	box := migratetest.Large(migratetest.Spec{Messages: 20_000})
	n, size := 0, 0
	for b.Loop() {
		for i := range box.Folders {
			for m := range box.All(i) {
				n++
				size += len(m.Octets)
			}
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(float64(size)/b.Elapsed().Seconds()/1e6, "MB/s")
}
