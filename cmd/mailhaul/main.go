// Command mailhaul moves the mail of an organisation from its own IMAP server
// into Microsoft 365 or Google Workspace. This package reads the command line
// and the configuration, and is the only place that wires the others together.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/mailhaul/mailhaul/migrate"
)

// Exit codes. The help of every command states those that it uses.
const (
	exitDone        = 0   // all accounted for
	exitError       = 1   // fatal error
	exitUsage       = 2   // the command line is wrong
	exitPerson      = 3   // finished, but something needs a person
	exitStopped     = 4   // stopped early; run again to go on
	exitInterrupted = 130 // Ctrl-C or SIGTERM
)

// A codeError ends the program with a code. A nil err was reported already.
type codeError struct {
	code int
	err  error
}

func (e *codeError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *codeError) Unwrap() error { return e.err }

var errInterrupted = errors.New("interrupted")

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50) // most memory is that of messages on their way: little is worth keeping around
	}
	ctx, stop := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		fmt.Fprintln(os.Stderr, "\nmailhaul: stopping; a second Ctrl-C ends at once")
		stop(errInterrupted)
		<-signals
		os.Exit(exitInterrupted)
	}()
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// execute runs one command line and returns its exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(ctx)
	exit := exitOf(ctx, err)
	if exit.code == exitError && command == root { // it does nothing itself: the command is unknown
		exit = &codeError{exitUsage, fmt.Errorf("%w; see mailhaul --help", err)}
	}
	if exit.err != nil {
		fmt.Fprintln(stderr, "mailhaul:", exit.err)
	}
	return exit.code
}

// exitOf says how a command ends that returned err.
func exitOf(ctx context.Context, err error) *codeError {
	if exit, ok := errors.AsType[*codeError](err); ok {
		return exit
	}
	switch {
	case err == nil:
		return &codeError{exitDone, nil}
	case errors.Is(err, errInterrupted), errors.Is(err, context.Canceled) && errors.Is(context.Cause(ctx), errInterrupted):
		return &codeError{exitInterrupted, errInterrupted}
	}
	_, hint := migrate.Explain(err)
	return &codeError{exitError, withHint(err, hint)}
}

// withHint puts what a person can do on a line after err.
func withHint(err error, hint string) error {
	if hint == "" {
		return err
	}
	return fmt.Errorf("%w\n%s", err, hint)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "mailhaul",
		Short: "Move mailboxes from IMAP into Microsoft 365 or Google Workspace",
		Long: `mailhaul moves the mailboxes of an organisation from its own IMAP server into
Microsoft 365 (Microsoft Graph) or Google Workspace (Gmail API). It can be
stopped and started again at any time without losing or doubling a message.

Start with "mailhaul demo", which needs no credentials, or with
"mailhaul init --target gmail" in a new folder.

Human output goes to stderr, results go to stdout.

Exit codes of every command:
  0    all accounted for
  1    fatal error
  2    the command line is wrong
  3    finished, but something needs a person (each is listed)
  4    stopped early; run again to go on
  130  interrupted`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &codeError{exitUsage, fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
	})
	root.PersistentFlags().String("config", "mailhaul.toml", "configuration `file` of the migration")
	root.AddCommand(newInitCommand(), traced(newCheckCommand()), logged(traced(newRunCommand())), logged(traced(newVerifyCommand())), newStatusCommand(), newCutoverCommand(), logged(newRetryCommand()), traced(newPlanCommand()), newReportCommand(),
		newDemoCommand(), newSimulateCommand(), newManualCommand())
	checkArguments(root.Commands())
	return root
}

// checkArguments makes commands, and those below them, refuse arguments that
// they have no use for.
func checkArguments(commands []*cobra.Command) {
	for _, c := range commands {
		if c.Args == nil {
			c.Args = cobra.NoArgs
		}
		args := c.Args
		c.Args = func(c *cobra.Command, a []string) error {
			if err := args(c, a); err != nil {
				return &codeError{exitUsage, fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
			}
			return nil
		}
		checkArguments(c.Commands())
	}
}
