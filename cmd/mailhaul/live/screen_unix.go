//go:build unix

package live

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// jobControl are the signals by which a shell stops and continues a process.
var jobControl = []os.Signal{syscall.SIGTSTP, syscall.SIGCONT}

func stops(s os.Signal) bool { return s == syscall.SIGTSTP }

// stopSelf stops this process as Ctrl-Z does by default, and says whether it
// did: not where no shell could continue it (an orphaned process group).
func stopSelf() bool {
	parent := os.Getppid()
	session, err := unix.Getsid(parent)
	if err != nil {
		return false
	}
	if own, err := unix.Getsid(0); err != nil || own != session {
		return false
	}
	if group, err := unix.Getpgid(parent); err != nil || group == unix.Getpgrp() && parent == session {
		return false
	}
	// A SIGTSTP that was once asked for with signal.Notify does not stop a
	// process of Go any more.
	return syscall.Kill(syscall.Getpid(), syscall.SIGSTOP) == nil
}

// inForeground says whether this process may draw on its terminal. One in the
// background may write there, over what its user is doing.
func inForeground(w *os.File) bool {
	group, err := unix.IoctlGetInt(int(w.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp() // an error: it is not the terminal of this session
}

// understands says whether w takes control sequences.
func understands(*os.File) bool { return true }
