package proof

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Proven is what a proof shows that was found good.
type Proven struct {
	Head    Head
	Key     Key // that signed it
	Index   int64
	Message Message
	Folder  Folder
	Names   *Names // of Folder, nil if they are not shown
}

// maxProof is how many octets a proof has at most.
const maxProof = 1 << 20

// CheckProof checks a proof of one message against public keys that came by a
// way of their own. It needs nothing else, and cannot know whether a later entry
// of the log is about the same message: [Check] can, which has the whole log.
func CheckProof(proof []byte, keys []Key) (*Proven, error) {
	p, err := readProof(proof)
	if err != nil {
		return nil, fmt.Errorf("the proof is damaged, or none of mailhaul: %w", err)
	}
	if p.Format != ProofFormat || p.Version != ProofVersion {
		return nil, fmt.Errorf("this is no proof of version %d", ProofVersion)
	}
	v := &Proven{Index: p.Index}
	if v.Head, v.Key, err = OpenHead(p.Head, keys...); err != nil {
		return nil, fmt.Errorf("the head of the proof: %w", err)
	}
	if v.Message, err = ParseMessage(p.Entry); err != nil {
		return nil, fmt.Errorf("what is proven %w", err)
	}
	if v.Folder, err = ParseFolder(p.Folder.Entry); err != nil {
		return nil, fmt.Errorf("the entry of the folder %w", err)
	}
	if p.Size != v.Head.Tree.N || p.leaf.check(v.Head.Tree) != nil {
		return nil, errors.New("what is proven is not in the log that was signed")
	}
	if v.Folder.ID != v.Message.Folder || p.Folder.check(v.Head.Tree) != nil {
		return nil, errors.New("the entry of the folder is not in the log that was signed, or it is of another folder")
	}
	if n := p.Folder.Names; n != nil {
		if other := n.other(v.Folder); other != "" {
			return nil, fmt.Errorf("the log has another name as the %s of the folder", other)
		}
		v.Names = &Names{n.Source, n.Target, n.Path}
	}
	return v, nil
}

func (l leaf) check(tree tlog.Tree) error {
	return tlog.CheckRecord(l.Hashes, tree.N, tree.Hash, l.Index, tlog.RecordHash([]byte(l.Entry)))
}

// readProof reads a proof that has no members but its own, and each once.
func readProof(proof []byte) (p messageProof, err error) {
	if len(proof) > maxProof {
		return p, errors.New("it is too large")
	}
	s := newScanner(bytes.NewReader(proof))
	err = s.object(func(key string) (err error) {
		switch key {
		case "format":
			p.Format, err = s.text()
		case "version":
			p.Version, err = s.number()
		case "size":
			p.Size, err = s.number()
		case "head":
			p.Head, err = s.text()
		case "folder_entry":
			err = s.object(func(key string) error {
				if key == "names" {
					p.Folder.Names, err = s.names()
					return err
				}
				return s.leaf(&p.Folder.leaf, key)
			})
		default:
			err = s.leaf(&p.leaf, key)
		}
		return err
	})
	if err != nil {
		return p, err
	}
	return p, s.end()
}

// leaf reads a member of a leaf.
func (s *scanner) leaf(l *leaf, key string) (err error) {
	switch key {
	case "entry":
		l.Entry, err = s.text()
	case "index":
		l.Index, err = s.number()
	case "hashes":
		err = s.array(func() error {
			text, err := s.text()
			if err != nil {
				return err
			}
			h, err := parseHash(text)
			l.Hashes = append(l.Hashes, h)
			return err
		})
	default:
		err = fmt.Errorf("it has a %.100q", key)
	}
	return err
}

func (s *scanner) names() (*shownNames, error) {
	n := &shownNames{}
	return n, s.object(func(key string) (err error) {
		switch key {
		case "source_name":
			n.Source, err = s.text()
		case "source_nonce":
			n.SourceNonce, err = s.text()
		case "target_name":
			n.Target, err = s.text()
		case "target_nonce":
			n.TargetNonce, err = s.text()
		case "path_name":
			n.Path, err = s.texts()
		case "path_nonce":
			n.PathNonce, err = s.text()
		default:
			err = fmt.Errorf("it has a %.100q", key)
		}
		return err
	})
}

// parseHash reads a hash that is spelled as this package would.
func parseHash(text string) (tlog.Hash, error) {
	h, err := tlog.ParseHash(text)
	if err == nil && h.String() != text {
		err = errors.New("a hash is in another spelling than its own")
	}
	return h, err
}
