package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

const password = "correct horse"

func TestASecretShowsNowhere(t *testing.T) {
	v := password
	s := Secret{&v}
	type outer struct{ Exported, hidden Secret }
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%c"} {
		fmt.Fprintf(&out, verb+" "+verb+" "+verb+" "+verb+"\n", s, &s, outer{s, s}, []any{s, map[string]Secret{"k": s}})
	}
	fmt.Fprintln(&out, s, fmt.Errorf("login: %v", s))
	encoded, err := json.Marshal(map[string]any{"a": s, "b": &s, "c": outer{s, s}})
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(encoded), redacted); n != 3 {
		t.Errorf("shown as redacted %d times in %s", n, encoded)
	}
	out.Write(encoded)
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("login", "password", s, "in", outer{s, s})
	}
	for _, leak := range []string{password, fmt.Sprintf("%x", password), fmt.Sprintf("%X", password), fmt.Sprint([]byte(password))} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("%q shows in:\n%s", leak, out.String())
		}
	}
	if s.Reveal() != password {
		t.Error("Reveal does not return it")
	}
}

// answering returns a command that runs TestHelperProcess, which does what
// mode says with argument.
func answering(t *testing.T, mode, argument string) []string {
	t.Helper()
	t.Setenv("MAILHAUL_TEST_MODE", mode)
	return []string{os.Args[0], "-test.run=^TestHelperProcess$", argument}
}

// TestHelperProcess is no test but the program that secret commands run.
func TestHelperProcess(t *testing.T) {
	argument := os.Args[len(os.Args)-1]
	switch os.Getenv("MAILHAUL_TEST_MODE") {
	case "":
		t.Skip("runs as a process of its own")
	case "print":
		fmt.Fprintln(os.Stderr, "a warning")
		fmt.Print(argument)
		os.Exit(0)
	case "fail":
		fmt.Fprintln(os.Stderr, argument)
		fmt.Println(argument)
		os.Exit(3)
	case "flood":
		for range 1 << 10 {
			fmt.Print(strings.Repeat("x", 1<<10))
		}
		os.Exit(0)
	case "leave":
		os.Setenv("MAILHAUL_TEST_MODE", "hang")
		child := exec.Command(os.Args[0], "-test.run=^TestHelperProcess$", argument)
		child.Stdout = os.Stdout
		if child.Start() != nil {
			os.Exit(1)
		}
		fmt.Println(password)
		os.Exit(0)
	case "hang":
		c, err := net.Dial("tcp", argument)
		if err != nil {
			os.Exit(1)
		}
		io.Copy(io.Discard, c) // until the test ends it
		os.Exit(0)
	}
}

func TestASecretComesFromItsPlace(t *testing.T) {
	dir := t.TempDir()
	file := func(text string) SecretRef {
		path := filepath.Join(dir, "secret")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return SecretRef{File: path}
	}
	for text, want := range map[string]string{
		password:                     password,
		password + "\n":              password,
		password + "\r\n":            password,
		" " + password + " \n":       " " + password + " ",
		"\xef\xbb\xbf" + password:    password,
		"":                           "empty",
		"\n":                         "empty",
		password + "\n" + password:   "more than one line: it must hold the secret and nothing else",
		password + "\n\n":            "more than one line: it must hold the secret and nothing else",
		"\xff\xfec\x00o\x00":         "not UTF-8 text",
		"a\x00b":                     "not UTF-8 text",
		strings.Repeat("x", 100_000): "longer than 65536 octets",
	} {
		t.Run("file", func(t *testing.T) { resolves(t, file(text), text, want) })
		t.Run("command", func(t *testing.T) {
			if len(text) < 100 && !strings.ContainsRune(text, 0) { // it must fit into an argument
				resolves(t, SecretRef{Command: answering(t, "print", text)}, text, want)
			}
		})
		t.Run("environment", func(t *testing.T) {
			if !strings.ContainsRune(text, 0) {
				t.Setenv("MAILHAUL_TEST_SECRET", text)
				resolves(t, SecretRef{Env: "MAILHAUL_TEST_SECRET"}, text, want)
			}
		})
	}
}

// resolves checks that ref leads to want, a secret or the end of an error.
func resolves(t *testing.T, ref SecretRef, text, want string) {
	t.Helper()
	s, err := ref.Resolve(t.Context())
	if err == nil {
		if s.Reveal() != want {
			t.Errorf("%.40q gives %.40q, want %.40q", text, s.Reveal(), want)
		}
		return
	}
	if !strings.HasSuffix(err.Error(), ": "+want) {
		t.Errorf("%.40q gives %v, want %s", text, err, want)
	}
	if strings.Contains(err.Error(), password) {
		t.Errorf("the error holds the secret: %v", err)
	}
}

func TestAPlaceWithoutSecretIsNamed(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	failing := answering(t, "fail", password)
	for want, ref := range map[string]SecretRef{
		"secret file " + missing + ":":                                            {File: missing},
		"secret command mailhaul-no-such-program: no such program in PATH":        {Command: []string{"mailhaul-no-such-program", password}},
		"secret command " + missing + ":":                                         {Command: []string{missing}},
		"secret command " + failing[0] + ": exit status 3: run it by hand to see": {Command: failing},
		"environment variable MAILHAUL_TEST_UNSET: not set":                       {Env: "MAILHAUL_TEST_UNSET"},
		"no secret": {},
	} {
		_, err := ref.Resolve(t.Context())
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		} else if strings.Contains(err.Error(), password) {
			t.Errorf("the error holds the secret: %v", err)
		}
	}
}

func TestAFileThatEveryoneMayReadIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such mode")
	}
	path := written(t, "secret", password)
	for mode, refused := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o644: true, 0o602: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := SecretRef{File: path}.Resolve(t.Context())
		if (err != nil) != refused || refused && !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
}

func TestACommandThatFloodsIsCut(t *testing.T) {
	_, err := SecretRef{Command: answering(t, "flood", "")}.Resolve(t.Context())
	if err == nil || !strings.HasSuffix(err.Error(), "longer than 65536 octets") {
		t.Errorf("got %v", err)
	}
}

func TestOutputBeyondTheLimitIsDropped(t *testing.T) {
	var out bytes.Buffer
	w := &limitedWriter{&out, 5}
	for range 3 {
		if n, err := w.Write([]byte("abc")); n != 3 || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
	}
	if out.String() != "abcab" {
		t.Errorf("kept %q", out.String())
	}
}

func TestACommandMayLeaveAnAgentBehind(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := SecretRef{Command: answering(t, "leave", l.Addr().String())}.Resolve(t.Context())
	if err != nil || s.Reveal() != password {
		t.Errorf("got %v", err)
	}
	if c, err := l.Accept(); err == nil {
		c.Close() // which ends the agent
	}
	l.Close()
}

func TestACommandThatHangsIsStopped(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ref := SecretRef{Command: answering(t, "hang", l.Addr().String())}

	_, err = ref.resolve(t.Context(), time.Nanosecond)
	if err == nil || !strings.HasSuffix(err.Error(), "no answer within 1ns: it must not ask anything") {
		t.Errorf("after its time: %v", err)
	}

	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		c, err := l.Accept() // the command runs
		cancel(stopped)
		if err == nil {
			io.Copy(io.Discard, c) // until it is dead
			c.Close()
		}
	}()
	if _, err = ref.resolve(ctx, time.Hour); !errors.Is(err, stopped) {
		t.Errorf("after the run was stopped: %v", err)
	}
}
