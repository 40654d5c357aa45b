package sourcetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/mailhaul/mailhaul/migrate"
)

// A Mailbox is an empty mailbox on a server that the suite may change through
// a client of its own.
type Mailbox struct {
	Open      func(testing.TB) migrate.Source     // connects anew
	Dial      func(testing.TB) *imapclient.Client // logs in with the right to change everything
	Name      func(path []string) string          // what the server calls a folder
	Separator string                              // what no part of a path may hold
	Restart   func(testing.TB)                    // breaks every connection; the server comes back with all mail
}

// A Letter is a message that the suite stores.
type Letter struct {
	Content string // its lines end in CRLF
	ID      string // its Message-ID
	Flags   []migrate.Flag
	Date    time.Time
}

// letters makes n different messages.
func letters(n int) []Letter {
	ls := make([]Letter, n)
	for i := range ls {
		l := &ls[i]
		l.ID = fmt.Sprintf("<%d@example.org>", i)
		if i%10 == 9 {
			l.ID = ""
		} else {
			l.Content = "message-ID: " + l.ID + "\r\n"
		}
		l.Content += fmt.Sprintf("Subject: letter %d\r\n\r\n* %d FETCH (FLAGS ())\r\n\xfc\xe9 %*d\r\n", i, i, 1+i*i%4000, i)
		switch i % 4 {
		case 1:
			l.Content += "no end of line"
		case 2:
			l.Flags = []migrate.Flag{migrate.Seen, migrate.Flagged}
		case 3:
			l.Flags = []migrate.Flag{migrate.Answered, migrate.Forwarded}
		}
		l.Date = time.Date(1999, 12, 31, 23, 59, 59, 0, time.FixedZone("", 3600)).Add(time.Duration(i) * time.Hour)
	}
	return ls
}

// create makes a folder.
func (b *Mailbox) create(t testing.TB, path ...string) {
	t.Helper()
	c := b.Dial(t)
	defer c.Close()
	check(t, c.Create(b.Name(path), nil).Wait())
}

// delete takes a folder away.
func (b *Mailbox) delete(t testing.TB, path ...string) {
	t.Helper()
	c := b.Dial(t)
	defer c.Close()
	check(t, c.Delete(b.Name(path)).Wait())
}

// put stores letters in a folder that is there.
func (b *Mailbox) put(t testing.TB, path []string, ls ...Letter) {
	t.Helper()
	c := b.Dial(t)
	defer c.Close()
	for _, l := range ls {
		store(t, c, b.Name(path), l)
	}
}

// store appends a message and returns its UID, 0 if the server does not say.
func store(tb testing.TB, c *imapclient.Client, name string, l Letter) migrate.UID {
	tb.Helper()
	cmd := c.Append(name, int64(len(l.Content)), &imap.AppendOptions{Flags: imapFlags(l.Flags), Time: l.Date})
	_, err := cmd.Write([]byte(l.Content))
	check(tb, err)
	check(tb, cmd.Close())
	data, err := cmd.Wait()
	check(tb, err)
	return migrate.UID(data.UID)
}

func imapFlags(fs []migrate.Flag) (out []imap.Flag) {
	for _, f := range fs {
		out = append(out, imap.Flag(f))
	}
	return out
}

// expunge removes messages for good.
func (b *Mailbox) expunge(t testing.TB, path []string, uids ...migrate.UID) {
	t.Helper()
	c := b.Dial(t)
	defer c.Close()
	expunge(t, c, b.Name(path), uids)
}

func expunge(tb testing.TB, c *imapclient.Client, name string, uids []migrate.UID) {
	tb.Helper()
	flag(tb, c, name, imap.StoreFlagsAdd, []migrate.Flag{migrate.Deleted}, uids)
	check(tb, c.Expunge().Close())
}

// flag changes the flags of messages.
func (b *Mailbox) flag(t testing.TB, path []string, op imap.StoreFlagsOp, flags []migrate.Flag, uids ...migrate.UID) {
	t.Helper()
	c := b.Dial(t)
	defer c.Close()
	flag(t, c, b.Name(path), op, flags, uids)
}

// flag leaves the folder open.
func flag(tb testing.TB, c *imapclient.Client, name string, op imap.StoreFlagsOp, flags []migrate.Flag, uids []migrate.UID) {
	tb.Helper()
	_, err := c.Select(name, nil).Wait()
	check(tb, err)
	check(tb, c.Store(set(uids), &imap.StoreFlags{Op: op, Flags: imapFlags(flags), Silent: true}, nil).Close())
}

func set(uids []migrate.UID) (set imap.UIDSet) {
	for _, u := range uids {
		set.AddNum(imap.UID(u))
	}
	return set
}

// look describes every message of a folder, \Recent and all, without changing
// any.
func (b *Mailbox) look(t testing.TB, path []string) []string {
	t.Helper()
	c := b.Dial(t)
	defer c.Close()
	data, err := c.Select(b.Name(path), &imap.SelectOptions{ReadOnly: true}).Wait()
	check(t, err)
	state := []string{fmt.Sprintf("UIDVALIDITY %d, UIDNEXT %d, %d messages", data.UIDValidity, data.UIDNext, data.NumMessages)}
	if data.NumMessages == 0 {
		return state
	}
	ms, err := c.Fetch(imap.SeqSet{{Start: 1, Stop: data.NumMessages}}, &imap.FetchOptions{UID: true, Flags: true, InternalDate: true}).Collect()
	check(t, err)
	for _, m := range ms {
		slices.Sort(m.Flags)
		state = append(state, fmt.Sprintf("%d %s %s", m.UID, m.Flags, m.InternalDate))
	}
	return state
}
