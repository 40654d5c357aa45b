package proof

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mailhaul/mailhaul/migrate"
)

// compare checks what the report says against what its log says.
func (c *check) compare(a *account) {
	rows := c.folders(a)
	c.mailboxes(rows)
	c.exceptions(a)
	c.result.Folders = len(a.folders)
	for _, f := range a.folders {
		c.result.Messages += f.listed
		for o, n := range f.count {
			c.result.Count[o] += n
		}
	}
}

// folders compares the rows of folders, and returns the sums of each mailbox by
// its number.
func (c *check) folders(a *account) map[int64]sums {
	type mailbox struct{ source, target Digest }
	seen, owners, total := map[int64]bool{}, map[int64]mailbox{}, map[int64]sums{}
	numbers := map[mailbox]int64{}
	for _, row := range c.report.folders {
		f := a.folders[row.id]
		if f == nil || seen[row.id] {
			c.problems.add("folder %d is in the report, but not in the log, or twice", row.id)
			continue
		}
		seen[row.id] = true
		if more := difference(row.sums, f.sums); more != "" {
			c.problems.add("folder %d: the report has %s", row.id, more)
		}
		c.named(row, f.entry)
		owner := mailbox{f.entry.Source, f.entry.Target}
		if _, known := numbers[owner]; !known {
			numbers[owner] = row.mailbox
		}
		if _, known := owners[row.mailbox]; !known {
			owners[row.mailbox] = owner
		}
		if owners[row.mailbox] != owner || numbers[owner] != row.mailbox {
			c.problems.add("folder %d is of another mailbox in the log", row.id)
		}
		total[row.mailbox] = total[row.mailbox].plus(row.sums)
	}
	for _, id := range slices.Sorted(maps.Keys(a.folders)) {
		if !seen[id] {
			c.problems.add("folder %d is in the log, but not in the report", id)
		}
	}
	return total
}

// named checks the names that are shown of a folder.
func (c *check) named(row folderRow, entry Folder) {
	if !slices.Contains(row.shown[:], Digest{}) {
		c.result.Named++
	}
	for i, d := range entry.names() {
		if row.shown[i] != (Digest{}) && row.shown[i] != d {
			c.problems.add("folder %d: the log has another name as its %s", row.id, kinds[i])
		}
	}
}

// mailboxes compares the rows of mailboxes with the sums of their folders.
func (c *check) mailboxes(total map[int64]sums) {
	seen := map[int64]bool{}
	for _, row := range c.report.mailboxes {
		if seen[row.number] {
			c.problems.add("mailbox %d is in the report twice", row.number)
		}
		seen[row.number] = true
		if more := difference(row.sums, total[row.number]); more != "" {
			c.problems.add("mailbox %d: the report has %s, which are the sums of its folders", row.number, more)
		}
	}
	for _, number := range slices.Sorted(maps.Keys(total)) {
		if !seen[number] {
			c.problems.add("mailbox %d has folders in the report, but is not in it itself", number)
		}
	}
	c.result.Mailboxes = len(seen)
}

// exceptions checks that they are the messages that failed, one by one.
func (c *check) exceptions(a *account) {
	seen := make(map[messageID]bool, len(c.report.exceptions))
	for _, id := range c.report.exceptions {
		if a.latest[id] != migrate.Failed || seen[id] {
			c.problems.add("message %d in folder %d is an exception in the report, but has not failed in the log, or it is twice", id.uid, id.folder)
		}
		seen[id] = true
	}
	var left []messageID
	for id, outcome := range a.latest {
		if outcome == migrate.Failed && !seen[id] {
			left = append(left, id)
		}
	}
	slices.SortFunc(left, func(a, b messageID) int { return cmp.Or(cmp.Compare(a.folder, b.folder), cmp.Compare(a.uid, b.uid)) })
	for _, id := range left {
		c.problems.add("message %d in folder %d has failed in the log, but is no exception in the report", id.uid, id.folder)
	}
}

// plus returns the sums of both.
func (s sums) plus(t sums) sums {
	s.listed += t.listed
	for o, n := range t.count {
		s.count[o] += n
	}
	return s
}

// difference says how a differs from b, empty if it does not.
func difference(a, b sums) string {
	var all []string
	add := func(what string, a, b int64) {
		if a != b {
			all = append(all, fmt.Sprintf("%d %s instead of %d", a, what, b))
		}
	}
	add("listed", a.listed, b.listed)
	for o := range migrate.Outcomes {
		add(o.String(), a.count[o], b.count[o])
	}
	return strings.Join(all, ", ")
}
