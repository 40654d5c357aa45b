//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// killWithChildren makes cmd end with all that it started when its context
// does. The function that it returns ends what is left once cmd has ended.
func killWithChildren(cmd *exec.Cmd) (end func() error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return func() error {
		if cmd.Process == nil {
			return nil
		}
		return cmd.Cancel()
	}
}
