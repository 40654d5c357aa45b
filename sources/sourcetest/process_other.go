//go:build !unix

package sourcetest

import "os/exec"

// There is no Dovecot to start here.
func group(*exec.Cmd) {}

func kill(c *exec.Cmd) { c.Process.Kill() }
