package migrate

import (
	"context"
	"slices"
)

// A copy at a target that labels may stand for several messages that are the
// same. It has the flags of all of them that the source has still.

// sharing returns the records of other messages that have the same copy.
func (p *pass) sharing(ctx context.Context, r Record) ([]Record, error) {
	if !p.target.Capabilities().Labels {
		return nil, nil
	}
	equal, err := p.ledger.ByDigest(ctx, r.Digest, true)
	return r.sharing(equal), Saved(err)
}

// sharing returns those of equal messages that have the copy of r too.
func (r Record) sharing(equal []Record) []Record {
	return slices.DeleteFunc(slices.Clone(equal), func(o Record) bool { return !o.Outcome.Arrived() || o.place() == r.place() || o.Target != r.Target })
}

// flagsOf returns the flags of messages that the source has still.
func flagsOf(rs []Record) (flags []Flag) {
	for _, r := range rs {
		if !r.Vanished {
			flags = append(flags, missing(r.Flags, flags)...)
		}
	}
	return flags
}
