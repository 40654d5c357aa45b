package live

import (
	"os"

	"golang.org/x/sys/windows"
)

var jobControl []os.Signal

func stops(os.Signal) bool { return false }

func stopSelf() bool { return false }

func inForeground(*os.File) bool { return true }

// understands has the console take control sequences, and says whether it can.
func understands(w *os.File) bool {
	var mode uint32
	console := windows.Handle(w.Fd())
	return windows.GetConsoleMode(console, &mode) == nil &&
		windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
