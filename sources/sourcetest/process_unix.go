//go:build unix

package sourcetest

import (
	"os/exec"
	"syscall"
)

// group makes a process and its children one that kill ends at once.
func group(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func kill(c *exec.Cmd) { syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
