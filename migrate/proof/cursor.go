package proof

import "iter"

// A cursor reads what is in ascending order of UIDs in step with something else
// that is.
type cursor[T any] struct {
	next func() (T, error, bool)
	stop func()
	uid  func(T) int64
	head T // the next one, if held
	held bool
}

// newCursor returns one that is to be stopped.
func newCursor[T any](all iter.Seq2[T, error], uid func(T) int64) *cursor[T] {
	next, stop := iter.Pull2(all)
	return &cursor[T]{next: next, stop: stop, uid: uid}
}

// at returns what there is of uid, zero for nothing, and whether anything before
// it was passed over.
func (c *cursor[T]) at(uid int64) (at T, passed bool, err error) {
	for {
		if !c.held {
			head, err, ok := c.next()
			if err != nil || !ok {
				return at, passed, err
			}
			c.head, c.held = head, true
		}
		n := c.uid(c.head)
		if n > uid {
			return at, passed, nil
		}
		c.held = false
		if n == uid {
			return c.head, passed, nil
		}
		passed = true
	}
}
