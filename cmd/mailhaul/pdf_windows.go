package main

import (
	"os/exec"
	"strconv"
)

// killWithChildren makes cmd end with all that it started when its context
// does. The function that it returns ends what is left once cmd has ended.
func killWithChildren(cmd *exec.Cmd) (end func() error) {
	cmd.Cancel = func() error {
		return exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(cmd.Process.Pid)).Run()
	}
	return func() error { return nil } // Chrome's children end with it
}
