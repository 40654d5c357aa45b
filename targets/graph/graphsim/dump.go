package graphsim

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A Message is a message in a mailbox, as a dump has it.
type Message struct {
	ID                string            `json:"id"`
	ImmutableID       string            `json:"immutableId"`
	Folder            []string          `json:"folder"` // path below the root
	Route             Route             `json:"route"`
	IsRead            bool              `json:"isRead"`
	IsDraft           bool              `json:"isDraft"`
	Flag              string            `json:"flag"` // flagStatus
	Importance        string            `json:"importance"`
	Categories        []string          `json:"categories"`
	ReceivedDateTime  time.Time         `json:"receivedDateTime"`
	SentDateTime      time.Time         `json:"sentDateTime"`
	InternetMessageID string            `json:"internetMessageId"`
	SingleValue       map[string]string `json:"singleValueExtendedProperties"` // by canonical id
	Attachments       []Attachment      `json:"attachments"`

	// Size and SHA256 are of the octets that Octets reads. File is where a dump
	// has them, relative to its index.
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	File   string `json:"file,omitempty"`

	octets func() ([]byte, error)
}

// Octets reads the message: routes A and D exactly as received, C as MIME that
// was rebuilt. The server must not be closed yet.
func (m Message) Octets() ([]byte, error) { return m.octets() }

// An Attachment is one of a message.
type Attachment struct {
	Name        string `json:"name"`
	ContentType string `json:"contentType"`
	IsInline    bool   `json:"isInline"`
	ContentID   string `json:"contentId,omitempty"`
	Size        int64  `json:"size"` // octets of the content
	SHA256      string `json:"sha256"`
}

// A Folder is a folder in a dump. Search folders hold nothing and are left out.
type Folder struct {
	ID            string   `json:"id"`
	Path          []string `json:"path"`
	WellKnownName string   `json:"wellKnownName,omitempty"`
	IsHidden      bool     `json:"isHidden"`
	Messages      int      `json:"totalItemCount"`
}

// dumpedUser is one entry of a dump's index.
type dumpedUser struct {
	User     string    `json:"user"`
	Folders  []Folder  `json:"folders"`
	Messages []Message `json:"messages"`
}

// Messages returns what the mailbox of user holds, in the order in which it was
// written, without what was deleted from Deleted Items too. It panics if the server's own file cannot be read.
func (s *Server) Messages(user string) []Message {
	u, _, err := s.export(user)
	if err != nil {
		panic(fmt.Sprintf("graphsim: messages of %s: %v", user, err))
	}
	return u.Messages
}

// Folders returns the folders of user below the root, parents first.
func (s *Server) Folders(user string) []Folder {
	folders := []Folder{}
	c, unlock := s.exporting(user)
	if c == nil {
		return folders
	}
	defer unlock()
	root := c.mb.root
	root.walk(func(f *folder) {
		if f != root {
			folders = append(folders, Folder{
				folderID.format(c.mb.tag, f.n), f.path(), f.wellKnown, f.hidden, len(f.messages),
			})
		}
	})
	return folders
}

// exporting locks the mailbox of user, if there is one.
func (s *Server) exporting(user string) (c *call, unlock func()) {
	user = s.address(user)
	s.mu.Lock()
	mb := s.mailboxes[user]
	s.mu.Unlock()
	if mb == nil {
		return nil, nil
	}
	mb.mu.Lock()
	return &call{s: s, r: &http.Request{URL: new(url.URL)}, mb: mb, now: s.now()}, mb.mu.Unlock
}

// export returns what a mailbox holds, and what was written for each message.
func (s *Server) export(user string) (dumpedUser, []span, error) {
	out := dumpedUser{User: s.address(user), Folders: s.Folders(user), Messages: []Message{}}
	c, unlock := s.exporting(user)
	if c == nil {
		return out, nil, nil
	}
	defer unlock()
	var spans []span
	for _, n := range slices.Sorted(maps.Keys(c.mb.items)) {
		if c.mb.items[n].recoverable() {
			continue
		}
		m, err := c.export(c.mb.items[n])
		if err != nil {
			return out, nil, err
		}
		out.Messages = append(out.Messages, m)
		spans = append(spans, c.mb.items[n].written)
	}
	return out, spans, nil
}

func (f *folder) walk(visit func(*folder)) {
	visit(f)
	for _, ch := range f.children {
		ch.walk(visit)
	}
}

func (c *call) export(m *message) (Message, error) {
	out := Message{
		ID: messageID.format(c.mb.tag, m.placement), ImmutableID: immutableID.format(c.mb.tag, m.item), Folder: m.folder.path(), Route: m.route,
		IsRead: m.read, IsDraft: m.draft, Flag: m.flagStatus(), Importance: m.importance, Categories: append([]string{}, m.categories...),
		ReceivedDateTime: m.received.UTC(), SentDateTime: m.sent.UTC(), InternetMessageID: m.messageID,
		SingleValue: map[string]string{}, Attachments: []Attachment{},
	}
	for id, p := range m.single {
		out.SingleValue[id] = p.value
	}
	list, err := (&view{c: c, m: m}).attachments()
	if err != nil {
		return out, err
	}
	for _, a := range list {
		b, err := c.s.attachmentOctets(a)
		if err != nil {
			return out, err
		}
		out.Attachments = append(out.Attachments, Attachment{a.name, a.contentType, a.inline, a.contentID, int64(len(b)), sum(b)})
	}
	frozen := *m
	out.octets = func() ([]byte, error) {
		if frozen.route == RouteJSON {
			return c.mime(&frozen)
		}
		return c.s.octets.read(frozen.written)
	}
	b, err := out.octets()
	if err != nil {
		return out, err
	}
	out.Size, out.SHA256 = int64(len(b)), sum(b)
	return out, nil
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// Dump writes dir/index.json, an array with one entry per user, and the octets
// of each message as dir/<user>/<n>.eml; for messages of route C also their
// create body as <n>.json. Files have mode 0600.
func (s *Server) Dump(dir string) error {
	s.mu.Lock()
	users := slices.Sorted(maps.Keys(s.mailboxes))
	s.mu.Unlock()
	index := []dumpedUser{}
	for _, user := range users {
		u, bodies, err := s.export(user)
		if err != nil {
			return fmt.Errorf("dump %s: %w", user, err)
		}
		sub := dirName(user)
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return err
		}
		for i := range u.Messages {
			m := &u.Messages[i]
			m.File = fmt.Sprintf("%s/%d.eml", sub, i+1)
			b, err := m.Octets()
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(m.File)), b, 0o600); err != nil {
				return err
			}
			if m.Route != RouteJSON {
				continue
			}
			if b, err = s.octets.read(bodies[i]); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, sub, fmt.Sprintf("%d.json", i+1)), b, 0o600); err != nil {
				return err
			}
		}
		index = append(index, u)
	}
	b, err := json.MarshalIndent(index, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "index.json"), append(b, '\n'), 0o600)
}

// dirName is a user's address as a file name on any system.
func dirName(user string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("@._-+", r) {
			return r
		}
		return '_'
	}, user)
	if name != user || strings.Trim(name, ".") == "" {
		name = "_" + name + "-" + tagOf(user) // not another user's
	}
	return name
}
