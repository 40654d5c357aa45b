package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mailhaul/mailhaul/cmd/mailhaul/logs"
)

// A Secret is a password or token. However it is printed, logged or encoded,
// it does not show; only [Secret.Reveal] returns it.
type Secret struct {
	value *string // a pointer, so that printing a struct around it shows an address
}

const redacted = logs.Hidden

// secrets are those that this process came to know, each until it ends: none
// gets into a log or a trace, wherever it turns up.
var secrets logs.Secrets

// Reveal returns the secret itself, for the server that it is meant for.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

func (s Secret) String() string               { return redacted }
func (s Secret) GoString() string             { return redacted }
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }

// A SecretRef says where a secret is. At most one of its fields is set.
type SecretRef struct {
	File    string   // its only line is the secret
	Command []string // its output is the secret; a program and its arguments, no shell
	Env     string   // the environment variable that holds it
}

// IsZero says whether r leads nowhere.
func (r SecretRef) IsZero() bool { return r.ways() == 0 }

func (r SecretRef) ways() int {
	n := 0
	for _, set := range []bool{r.File != "", len(r.Command) > 0, r.Env != ""} {
		if set {
			n++
		}
	}
	return n
}

const (
	secretLimit   = 64 << 10         // octets; tokens are long
	secretTimeout = 30 * time.Second // a person may have to touch a key
)

// Resolve gets the secret, anew at each call. Errors name the place and never
// hold what was found there. A file that others on the machine may read is
// refused, except on Windows.
func (r SecretRef) Resolve(ctx context.Context) (Secret, error) {
	return r.resolve(ctx, secretTimeout)
}

func (r SecretRef) resolve(ctx context.Context, timeout time.Duration) (Secret, error) {
	var text []byte
	var err error
	var from string
	switch {
	case r.File != "":
		from = "secret file " + r.File
		text, err = readSecret(r.File)
	case len(r.Command) > 0:
		from = "secret command " + r.Command[0] // its arguments may be secrets
		text, err = runForSecret(ctx, r.Command, timeout)
	case r.Env != "":
		from = "environment variable " + r.Env
		value, ok := os.LookupEnv(r.Env)
		if !ok {
			err = errors.New("not set")
		}
		text = []byte(value)
	default:
		return Secret{}, errors.New("no secret: none of file, command and environment variable is set")
	}
	if err == nil {
		text, err = onlyLine(text)
	}
	if err != nil {
		return Secret{}, fmt.Errorf("%s: %w", from, err)
	}
	s := string(text)
	secrets.Add(s)
	return Secret{&s}, nil
}

// onlyLine returns the secret in text without the line end after it.
func onlyLine(text []byte) ([]byte, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
	switch {
	case len(text) == 0:
		return nil, errors.New("empty")
	case len(text) > secretLimit:
		return nil, fmt.Errorf("longer than %d octets", secretLimit)
	case bytes.ContainsAny(text, "\r\n"):
		return nil, errors.New("more than one line: it must hold the secret and nothing else")
	case !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0:
		return nil, errors.New("not UTF-8 text")
	}
	return text, nil
}

func readSecret(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.Unwrap(err) // the caller names the file
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	if mode := info.Mode(); mode.IsRegular() && mode.Perm()&0o006 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("everyone on this machine may read or change it (mode %04o): run chmod 600 on it", mode.Perm())
	}
	return io.ReadAll(io.LimitReader(f, secretLimit+8))
}

// runForSecret returns what a program writes to its standard output. Its
// standard error is dropped, since it may hold the secret too.
func runForSecret(ctx context.Context, argv []string, timeout time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout = &limitedWriter{&out, secretLimit + 8}
	cmd.WaitDelay = time.Second // a child that it leaves behind keeps the pipe open
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("no answer within %v: it must not ask anything", timeout)
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.As(err, &exit):
		return nil, fmt.Errorf("%v: run it by hand to see why", exit)
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("no such program in PATH")
	case errors.Is(err, exec.ErrWaitDelay):
		err = nil // it ended well, and left an agent behind
	}
	return out.Bytes(), err
}

// A limitedWriter drops what goes beyond its limit, so that the program can end.
type limitedWriter struct {
	w    *bytes.Buffer
	room int
}

func (l *limitedWriter) Write(p []byte) (int, error) {
	n := min(len(p), l.room)
	l.room -= n
	l.w.Write(p[:n])
	return len(p), nil
}

// commandPath makes a program that is named with a relative path relative to
// dir. One that is named without a path is looked up in PATH.
func commandPath(name, dir string) string {
	if filepath.IsAbs(name) || !strings.ContainsAny(name, `/`+string(filepath.Separator)) {
		return name
	}
	return filepath.Join(dir, name)
}
