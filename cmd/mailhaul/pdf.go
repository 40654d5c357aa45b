package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// errNoBrowser says that there is nothing to print with.
var errNoBrowser = errors.New("no Chromium or Chrome is installed")

// browsers are the names of Chromium, Chrome and Edge, which is one too, in
// PATH, and where they are on macOS and Windows.
var browsers = []string{
	"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge", "microsoft-edge",
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	"/Applications/Chromium.app/Contents/MacOS/Chromium",
	"/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
	`${ProgramFiles}\Google\Chrome\Application\chrome.exe`,
	`${ProgramFiles(x86)}\Google\Chrome\Application\chrome.exe`,
	`${LocalAppData}\Google\Chrome\Application\chrome.exe`,
	`${ProgramFiles(x86)}\Microsoft\Edge\Application\msedge.exe`,
	`${ProgramFiles}\Microsoft\Edge\Application\msedge.exe`,
}

// findBrowser returns the path of a browser that can print.
func findBrowser() (string, error) {
	for _, name := range browsers {
		if path, err := exec.LookPath(os.ExpandEnv(name)); err == nil {
			return path, nil
		}
	}
	return "", errNoBrowser
}

const (
	printTimeout = 2 * time.Minute
	printNoise   = 64 << 10 // octets of what a browser says about itself
)

// printPDF prints a page without the network into a file beside it, which must
// not exist. The browser has a profile of its own, which is removed again: one
// that is packaged as a snap can write in no other folder.
func printPDF(ctx context.Context, browser, page, pdf string, timeout time.Duration) (err error) {
	if page, err = filepath.Abs(page); err != nil {
		return err
	}
	if pdf, err = filepath.Abs(pdf); err != nil {
		return err
	}
	profile, err := os.MkdirTemp(filepath.Dir(pdf), "browser-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(profile)) }()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, printArguments(page, pdf, profile)...)
	var said bytes.Buffer
	cmd.Stderr = &limitedWriter{&said, printNoise}
	cmd.WaitDelay = time.Second
	end := killWithChildren(cmd)
	err = cmd.Run()
	end() // what it left behind would go on to write into the profile
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("%s did not print within %s", filepath.Base(browser), span(timeout))
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		return fmt.Errorf("%s: %w: %s", filepath.Base(browser), err, printable(lastLine(said.String())))
	}
	return checkPDF(pdf)
}

func printArguments(page, pdf, profile string) []string {
	slashed := filepath.ToSlash(page)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // file:///C:/...
	}
	args := []string{
		"--headless", "--disable-gpu", "--no-first-run", "--no-default-browser-check", "--disable-extensions",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND",
		"--user-data-dir=" + profile, "--no-pdf-header-footer", "--print-to-pdf=" + pdf,
	}
	if os.Geteuid() == 0 { // whom Chromium's sandbox does not serve
		args = append(args, "--no-sandbox")
	}
	return append(args, (&url.URL{Scheme: "file", Path: slashed}).String())
}

// checkPDF returns an error unless the file is a PDF to its end. It makes it
// private.
func checkPDF(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return errors.New("the browser ended without printing")
	}
	defer f.Close()
	head, tail := make([]byte, 5), make([]byte, 32)
	_, err = io.ReadFull(f, head)
	if err == nil {
		_, err = f.Seek(-int64(len(tail)), io.SeekEnd)
	}
	if err == nil {
		_, err = io.ReadFull(f, tail)
	}
	if err != nil || string(head) != "%PDF-" || !bytes.Contains(tail, []byte("%%EOF")) {
		return errors.New("what the browser printed is no PDF")
	}
	return os.Chmod(path, 0o600)
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}
