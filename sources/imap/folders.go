package imap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/mailhaul/mailhaul/migrate"
)

// errNoFolder keeps a mailbox that is out of sight from passing for an empty
// one: every user has an INBOX (RFC 3501 section 5.1).
var errNoFolder = &migrate.Error{Op: "list", Class: migrate.Fatal, Err: errors.New("the server lists no folder of this user, not even INBOX"),
	Hint: "Log in as this user with a mail program: it is another user's login, or the server keeps the folders elsewhere."}

var errNotListed = errors.New("the server does not list it")

// Folders lists the folders of the user's own namespace, the inbox first, then
// by path. A folder whose state the server will not tell has UIDValidity 0;
// List says why.
func (s *Source) Folders(ctx context.Context) ([]migrate.Folder, error) {
	var fs []migrate.Folder
	err := s.use(ctx, "list", 5*s.config.patience(), func(ss *session) error {
		if err := ss.leave(); err != nil {
			return err
		}
		listed, err := ss.list()
		if err != nil {
			return err
		}
		for i := range listed {
			if err := ss.state(&listed[i]); err != nil {
				return err
			}
		}
		s.names = serverNames(listed)
		for _, l := range listed {
			fs = append(fs, l.folder)
		}
		return nil
	})
	return fs, err
}

// leave closes the folder that is open, since its STATUS may be as old as the
// last command in it (RFC 3501 section 6.3.10). CLOSE would do as well, but for
// a server that expunges messages of a folder that was opened read-only.
func (s *session) leave() error {
	if s.client.State() != imap.ConnStateSelected {
		return nil
	}
	if !s.caps.Has(imap.CapUnselect) {
		return s.client.Noop().Wait() // brings what it knows up to date
	}
	s.selected = ""
	return s.client.Unselect().Wait()
}

// listed is a folder and what the server calls it.
type listed struct {
	folder migrate.Folder
	name   string           // empty if the server did not list it, but folders in it
	status *imap.StatusData // nil if LIST did not bring it
}

func serverNames(ls []listed) map[string]string {
	names := make(map[string]string, len(ls))
	for _, l := range ls {
		if l.name != "" {
			names[key(l.folder.Path)] = l.name
		}
	}
	return names
}

// name returns what the server calls f.
func (s *Source) name(ss *session, f migrate.Folder) (string, error) {
	if s.names == nil {
		ls, err := ss.list()
		if err != nil {
			return "", err
		}
		s.names = serverNames(ls)
	}
	name, ok := s.names[key(f.Path)]
	if !ok {
		return "", gone(f, errNotListed)
	}
	return name, nil
}

// list sends LIST, which brings the states along if the server can (RFC 5819).
func (s *session) list() ([]listed, error) {
	var spaces imap.NamespaceData
	if s.caps.Has(imap.CapNamespace) {
		data, err := s.client.Namespace().Wait()
		if err != nil {
			return nil, err
		}
		spaces = *data
	}
	var options *imap.ListOptions
	if s.caps.Has(imap.CapListExtended) {
		options = &imap.ListOptions{ReturnSpecialUse: s.caps.Has(imap.CapSpecialUse)}
		if s.caps.Has(imap.CapListStatus) {
			options.ReturnStatus = s.statusItems()
		}
	}
	data, err := s.client.List("", "*", options).Collect()
	if refused(err) && options != nil && options.ReturnStatus != nil {
		options.ReturnStatus = nil // one folder, or one item, may be to blame
		data, err = s.client.List("", "*", options).Collect()
	}
	if err != nil {
		return nil, err
	}
	ls := tree(data, spaces)
	if !slices.ContainsFunc(ls, func(l listed) bool { return !l.folder.NoSelect }) {
		return nil, errNoFolder
	}
	return ls, nil
}

func (s *session) statusItems() *imap.StatusOptions {
	return &imap.StatusOptions{NumMessages: true, UIDNext: true, UIDValidity: true,
		Size: s.caps.Has(imap.CapStatusSize), HighestModSeq: s.caps.Has(imap.CapCondStore)}
}

// state fills in the state of a folder. A folder that refuses STATUS keeps
// none, so that it does not lose the others.
func (s *session) state(l *listed) error {
	if l.folder.NoSelect {
		return nil
	}
	const size, modSeq = 1, 2 // what may be refused: alone, or together
	for without := 0; l.status == nil || l.status.UIDValidity == 0 || l.status.UIDNext == 0; without++ {
		items := s.statusItems()
		switch {
		case without > size|modSeq:
			return nil
		case without&size != 0 && !items.Size, without&modSeq != 0 && !items.HighestModSeq:
			continue
		}
		items.Size = items.Size && without&size == 0
		items.HighestModSeq = items.HighestModSeq && without&modSeq == 0
		status, err := s.client.Status(l.name, items).Wait()
		if err == nil {
			l.status = status
			break
		}
		if err = s.conn.cause(err); !refused(err) {
			return err
		}
	}
	f := &l.folder
	f.UIDValidity, f.UIDNext = l.status.UIDValidity, migrate.UID(l.status.UIDNext)
	if l.status.NumMessages != nil {
		f.Messages = int64(*l.status.NumMessages)
	}
	if l.status.Size != nil {
		f.Bytes = *l.status.Size
	}
	f.ModSeq = l.status.HighestModSeq // 0 says that it keeps none (RFC 7162 section 3.1.2.2)
	return nil
}

// tree turns the answer to LIST into folders in order, parents before their
// children, with the parents that the server left out.
func tree(data []*imap.ListData, spaces imap.NamespaceData) []listed {
	var ls []listed
	data = slices.Clone(data)
	slices.SortStableFunc(data, func(a, b *imap.ListData) int { return strings.Compare(a.Mailbox, b.Mailbox) })
	data = slices.CompactFunc(data, func(a, b *imap.ListData) bool { return a.Mailbox == b.Mailbox })
	seen := map[string]bool{}
	for _, d := range data {
		path := split(d, spaces)
		if path == nil {
			continue
		}
		last := &path[len(path)-1]
		for name, n := *last, 2; seen[key(path)]; n++ { // "INBOX.A" and "A" may both mean A
			*last = fmt.Sprintf("%s (%d)", name, n)
		}
		seen[key(path)] = true
		f := migrate.Folder{Path: path, Role: specialUse(d.Attrs), NoSelect: noSelect(d)}
		if d.Mailbox == inbox {
			f.Role = migrate.RoleInbox
		}
		ls = append(ls, listed{folder: f, name: d.Mailbox, status: d.Status})
	}
	for _, l := range ls[:len(ls):len(ls)] {
		for n := 1; n < len(l.folder.Path); n++ {
			if parent := l.folder.Path[:n:n]; !seen[key(parent)] {
				seen[key(parent)] = true
				ls = append(ls, listed{folder: migrate.Folder{Path: parent, NoSelect: true}})
			}
		}
	}
	slices.SortFunc(ls, func(a, b listed) int {
		if in := first(a) - first(b); in != 0 {
			return in
		}
		return slices.Compare(a.folder.Path, b.folder.Path)
	})
	guessRoles(ls)
	return ls
}

func noSelect(d *imap.ListData) bool {
	return slices.Contains(d.Attrs, imap.MailboxAttrNoSelect) || slices.Contains(d.Attrs, imap.MailboxAttrNonExistent)
}

func first(l listed) int {
	if l.folder.Role == migrate.RoleInbox {
		return 0
	}
	return 1
}

const inbox = "INBOX" // go-imap spells it so whatever the server does

// split returns the path of a mailbox without the prefix of the user's first
// namespace (RFC 2342), nil if the mailbox belongs to somebody else.
func split(d *imap.ListData, spaces imap.NamespaceData) []string {
	if d.Mailbox == inbox {
		return []string{inbox}
	}
	within := func(n imap.NamespaceDescriptor) bool {
		bare := n.Prefix // the namespace's own root is in it too: "shared" for "shared/"
		if n.Delim != 0 {
			bare = strings.TrimSuffix(bare, string(n.Delim))
		}
		return strings.HasPrefix(d.Mailbox, n.Prefix) || d.Mailbox == bare
	}
	longest, theirs := -1, false
	for i, group := range [][]imap.NamespaceDescriptor{spaces.Personal, spaces.Other, spaces.Shared} {
		for _, n := range group {
			if within(n) && len(n.Prefix) > longest {
				longest, theirs = len(n.Prefix), i > 0
			}
		}
	}
	if theirs {
		return nil
	}
	parts := func(name string) []string {
		if d.Delim == 0 {
			return []string{name}
		}
		path := strings.Split(strings.TrimSuffix(name, string(d.Delim)), string(d.Delim))
		if len(path) > 1 && strings.EqualFold(path[0], inbox) { // as the inbox itself
			path[0] = inbox
		}
		return path
	}
	if len(spaces.Personal) > 0 {
		name, ok := strings.CutPrefix(d.Mailbox, spaces.Personal[0].Prefix)
		// A folder INBOX.INBOX stays what it is: {"INBOX"} is the inbox.
		if path := parts(name); ok && name != "" && !(spaces.Personal[0].Prefix != "" && strings.EqualFold(path[0], inbox)) {
			return path
		}
	}
	if d.Mailbox == "" {
		return nil
	}
	return parts(d.Mailbox)
}
