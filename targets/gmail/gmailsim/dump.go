package gmailsim

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Dump writes everything into the folder dir: index.json, an array of users
// with their labels and messages, and user/n.eml with exactly what format=raw
// would give. In the index, size and sha256 are of the octets as received, and
// prepended is how many octets stand above them in the file; labels are names,
// without UNREAD and STARRED, which have members of their own.
func (s *Server) Dump(dir string) error {
	type labelEntry struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Type string `json:"type"`
	}
	type messageEntry struct {
		ID           string   `json:"id"`
		ThreadID     string   `json:"threadId"`
		Labels       []string `json:"labels"`
		Unread       bool     `json:"unread"`
		Starred      bool     `json:"starred"`
		InternalDate string   `json:"internalDate"` // RFC 3339
		Size         int64    `json:"size"`
		File         string   `json:"file"`
		SHA256       string   `json:"sha256"`
		Prepended    int      `json:"prepended"`
	}
	type userEntry struct {
		User     string         `json:"user"`
		Labels   []labelEntry   `json:"labels"`
		Messages []messageEntry `json:"messages"`
	}
	index := []userEntry{}
	for _, b := range s.sorted() {
		user := userEntry{User: b.user, Messages: []messageEntry{}}
		b.mu.Lock()
		for _, l := range b.labels {
			r := l.resource(true)
			user.Labels = append(user.Labels, labelEntry{r.ID, r.Name, r.Type})
		}
		b.mu.Unlock()
		if err := os.MkdirAll(filepath.Join(dir, b.user), 0o700); err != nil {
			return fmt.Errorf("dump: %w", err)
		}
		for i, m := range s.Messages(b.user) {
			file := fmt.Sprintf("%s/%d.eml", b.user, i+1)
			if err := writeFile(filepath.Join(dir, filepath.FromSlash(file)), m.Raw()); err != nil {
				return fmt.Errorf("dump: %w", err)
			}
			user.Messages = append(user.Messages, messageEntry{
				m.ID, m.ThreadID, m.Labels, m.Unread, m.Starred, m.InternalDate.Format(time.RFC3339Nano),
				m.Size, file, m.SHA256, m.Prepended,
			})
		}
		index = append(index, user)
	}
	text, err := json.MarshalIndent(index, "", "  ")
	if err != nil {
		return fmt.Errorf("dump: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("dump: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "index.json"), append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("dump: %w", err)
	}
	return nil
}

// sorted returns the mailboxes by address.
func (s *Server) sorted() []*mailbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	boxes := make([]*mailbox, 0, len(s.boxes))
	for _, b := range s.boxes {
		boxes = append(boxes, b)
	}
	slices.SortFunc(boxes, func(x, y *mailbox) int {
		if x.user < y.user {
			return -1
		}
		return 1
	})
	return boxes
}

func writeFile(name string, r io.Reader) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err = io.Copy(f, r); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
