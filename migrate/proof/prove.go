package proof

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/mailhaul/mailhaul/migrate"
)

// The format and version of proofs.
const (
	ProofFormat  = "mailhaul-proof"
	ProofVersion = 1
)

// Names say whose a folder is and what it is called.
type Names struct {
	Source string
	Target string
	Path   []string
}

// A leaf is an entry, and how one gets from it to the root.
type leaf struct {
	Entry  string           `json:"entry"`
	Index  int64            `json:"index"`
	Hashes tlog.RecordProof `json:"hashes"`
}

type shownNames struct {
	Source      string   `json:"source_name"`
	SourceNonce string   `json:"source_nonce"`
	Target      string   `json:"target_name"`
	TargetNonce string   `json:"target_nonce"`
	Path        []string `json:"path_name"`
	PathNonce   string   `json:"path_nonce"`
}

type folderLeaf struct {
	leaf
	Names *shownNames `json:"names,omitempty"`
}

type messageProof struct {
	Format  string `json:"format"`
	Version int64  `json:"version"`
	leaf
	Size   int64      `json:"size"`
	Head   string     `json:"head"`
	Folder folderLeaf `json:"folder_entry"`
}

// Prove returns a proof, for [CheckProof], that the latest report says what the
// log does of a message. With names it also shows whose the message is. It is an
// error if the log, or a name, is another since that report.
func Prove(ctx context.Context, log Log, folder int64, uid migrate.UID, names *Names) ([]byte, error) {
	signed, err := log.Heads(ctx)
	if err != nil {
		return nil, err
	}
	if len(signed) == 0 {
		return nil, errReport("there is no report yet")
	}
	p := messageProof{Format: ProofFormat, Version: ProofVersion, Head: signed[len(signed)-1]}
	head, err := readHead(p.Head)
	if err != nil {
		return nil, err
	}
	p.Size = head.Tree.N
	if p.leaf, err = find(ctx, log, fmt.Sprintf("message %d %d ", folder, uid)); err != nil {
		return nil, err
	}
	if p.Folder.leaf, err = find(ctx, log, fmt.Sprintf("folder %d ", folder)); err != nil {
		return nil, err
	}
	if p.Entry == "" || p.Index >= p.Size || p.Folder.Index >= p.Size {
		return nil, errReport("what became of the message is not in the latest report")
	}
	if names != nil {
		if p.Folder.Names, err = show(ctx, log, p.Folder.Entry, *names); err != nil {
			return nil, err
		}
	}
	prove := func(r tlog.HashReader) (err error) {
		if p.Hashes, err = tlog.ProveRecord(p.Size, p.Index, r); err == nil {
			p.Folder.Hashes, err = tlog.ProveRecord(p.Size, p.Folder.Index, r)
		}
		return err
	}
	r, tree, err := nodes(ctx, log, p.Size, prove)
	if err == nil && tree != head.Tree {
		err = errOther(len(signed))
	}
	if err == nil {
		err = prove(r)
	}
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err = e.Encode(p)
	return b.Bytes(), err
}

func errReport(what string) error {
	return &migrate.Error{Op: "prove", Class: migrate.Fatal, Err: errors.New(what), Hint: "Run mailhaul report first."}
}

// find returns the latest entry that begins so, without its hashes.
func find(ctx context.Context, log Log, begins string) (l leaf, err error) {
	size, err := log.Size(ctx)
	if err != nil {
		return l, err
	}
	n := int64(0)
	for text, err := range log.Entries(ctx, 0, size) {
		if err != nil {
			return l, err
		}
		if strings.HasPrefix(text, begins) {
			l.Entry, l.Index = text, n
		}
		n++
	}
	return l, nil
}

// show returns the names with their nonces, if the entry of a folder is about
// them.
func show(ctx context.Context, log Log, entry string, names Names) (*shownNames, error) {
	secret, err := log.Secret(ctx)
	if err != nil {
		return nil, err
	}
	f, err := ParseFolder(entry)
	if err != nil {
		return nil, err
	}
	s := &shownNames{Source: names.Source, SourceNonce: Nonce(secret, KindSource, names.Source),
		Target: names.Target, TargetNonce: Nonce(secret, KindTarget, names.Target),
		Path: names.Path, PathNonce: Nonce(secret, KindPath, Path(names.Path))}
	if s.other(f) != "" {
		return nil, errReport("the folder or its mailbox had another name in the latest report")
	}
	return s, nil
}

// other says which name is none of the folder; empty if all are.
func (s *shownNames) other(f Folder) string {
	shown := [...]Digest{commit(s.SourceNonce, s.Source), commit(s.TargetNonce, s.Target), commit(s.PathNonce, Path(s.Path))}
	for i, d := range f.names() {
		if shown[i] == (Digest{}) || shown[i] != d {
			return kinds[i]
		}
	}
	return ""
}
