package gmail

import (
	"errors"
	"fmt"
	"sync"

	"github.com/mailhaul/mailhaul/migrate"
)

// maxStreak is how many messages Gmail may refuse one after the other with
// answers that are not known.
const maxStreak = 50

// unexplained is a refusal of a message that no report and no document
// mentions.
type unexplained struct{ text string }

func (e *unexplained) Error() string { return e.text }

// A streak stops a mailbox whose messages are all refused for a reason that is
// not known. What Gmail answers when a mailbox is full is not: without it each
// message would be given up for what is not its fault.
type streak struct {
	mu sync.Mutex
	n  int
}

// judge returns err, the outcome of a write, or what it means after those
// before it.
func (s *streak) judge(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.n = 0
		return nil
	}
	if _, ok := errors.AsType[*unexplained](err); !ok {
		return err
	}
	if s.n++; s.n < maxStreak {
		return err
	}
	return &migrate.Error{
		Op: "write", Class: migrate.Fatal, Refused: true,
		Err:  fmt.Errorf("the last %d messages were all refused: %w", s.n, err),
		Hint: "Gmail gives an answer that mailhaul does not know. The mailbox, or the storage of the organisation, may be full: Admin console, Storage. When that is mended, let the failed messages be tried again and run again.",
	}
}
