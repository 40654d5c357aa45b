package migrate

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrNotFound is wrapped by Target.Find when the message is not there.
	ErrNotFound = errors.New("message not found at the target")

	// ErrUndecided is wrapped by Target.Find when it cannot tell.
	ErrUndecided = errors.New("cannot tell whether the message is at the target")

	// ErrUnmovable is wrapped by Target.Update when the target cannot take a
	// message from one folder to another.
	ErrUnmovable = errors.New("the target cannot move the message there")

	// ErrFolderGone is wrapped by Source.List and Read when the folder was
	// deleted, renamed or made anew since it was listed.
	ErrFolderGone = errors.New("folder vanished from the source")

	// ErrUnreachable is wrapped by a Source when it cannot connect, log in or
	// open the folder, so that no single message is to blame.
	ErrUnreachable = errors.New("source unreachable")
)

// A Class says what the engine does about an error.
type Class int

const (
	Transient Class = iota // wait, then try again; also the class of errors without one
	Permanent              // give up on this message, go on with the others
	Fatal                  // stop this mailbox and tell a person
)

// Error is an error that a Source or Target has classified. The leaf that
// speaks the protocol makes it; the engine acts on it in one place.
type Error struct {
	Op      string        // what was tried: "import", "login"
	Class   Class         // what to do about it
	Delay   time.Duration // Transient: how long the server asked to wait; 0 if it did not
	Refused bool          // the server answered that it did nothing: a write is not in doubt
	Hint    string        // what the operator can do, in plain language; may be empty
	Err     error         // what happened; never holds secrets or message content

	// Content says that a write was refused for what is in the message, so that
	// the target may take it when it is changed.
	Content bool

	// Rebuild says so of a message that was to be stored whole: the target would
	// store its content otherwise.
	Rebuild bool

	// Throttled says that a limit on calls or octets was exceeded, so that the
	// call would have done at another time: it counts as no failure.
	Throttled bool

	// Advanced says that the call got further than any before it, as a large
	// upload may that goes on where it was cut off: what failed before it does
	// not count any more.
	Advanced bool
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Op, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// classify returns the Error inside err, or one that says Transient. What
// trying again cannot mend is Fatal.
func classify(err error) *Error {
	if local := (*localError)(nil); errors.As(err, &local) || errors.Is(err, ErrFolderGone) {
		return &Error{Op: "call", Class: Fatal, Err: err}
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Op: "call", Class: Transient, Err: err}
}
