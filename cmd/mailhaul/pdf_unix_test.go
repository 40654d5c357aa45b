//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// browser writes a program that gets the arguments of a browser, with the file
// to print to in $pdf and its profile in $profile, and returns its folder.
func browser(t *testing.T, script string) string {
	t.Helper()
	dir := t.TempDir()
	text := "#!/bin/sh\nfor a; do case $a in --print-to-pdf=*) pdf=${a#*=};; --user-data-dir=*) profile=${a#*=};; esac; page=$a; done\n" + script
	if err := os.WriteFile(filepath.Join(dir, "chromium"), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

const prints = `echo x >"$profile/x"; echo "$@" >"${pdf%/*}/arguments"; printf '%%PDF-1.4\n a page that is long enough to be one\n%%%%EOF\n' >"$pdf"; `

func TestAPageIsPrintedWithoutTheNetworkAndWithoutTraces(t *testing.T) {
	dir := t.TempDir()
	page, pdf := filepath.Join(dir, "a page.html"), filepath.Join(dir, "page.pdf")
	if err := printPDF(t.Context(), filepath.Join(browser(t, prints), "chromium"), page, pdf, time.Minute); err != nil {
		t.Fatal(err)
	}
	arguments := string(read(t, dir, "arguments"))
	for _, want := range []string{"--headless ", "--no-pdf-header-footer", "--print-to-pdf=" + pdf, "MAP * ~NOTFOUND", "file://" + dir + "/a%20page.html\n"} {
		if !strings.Contains(arguments, want) {
			t.Errorf("%q is missing in %q", want, arguments)
		}
	}
	if strings.Contains(arguments, "--no-sandbox") != (os.Geteuid() == 0) {
		t.Errorf("the sandbox is for all but root: %q", arguments)
	}
	if got := files(t, dir); !slices.Equal(got, []string{"arguments", "page.pdf"}) {
		t.Errorf("there are %q", got)
	}
	if info, err := os.Stat(pdf); err != nil || private(info) != 0 {
		t.Errorf("others may read the PDF: %v, %v", info, err)
	}
}

func TestWhatABrowserDoesWrongIsSaid(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"fails":        {"echo noise >&2; printf 'no \\033[1mdisplay\\n' >&2; exit 3", `chromium: exit status 3: no \x1b[1mdisplay`},
		"says nothing": {"exit 1", "chromium: exit status 1"},
		"no file":      {"exit 0", "the browser ended without printing"},
		"no PDF":       {`echo "<html>an error page that is long enough</html>" >"$pdf"`, "what the browser printed is no PDF"},
		"empty":        {`: >"$pdf"`, "what the browser printed is no PDF"},
		"half":         {`printf '%%PDF-1.4\n a page of which the end is missing' >"$pdf"`, "what the browser printed is no PDF"},
		"much noise":   {"i=0; while [ $i -lt 2000 ]; do echo 0123456789012345678901234567890123456789012345678901234567890123456789 >&2; i=$((i+1)); done; exit 1", "chromium: exit status 1: 0"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			err := printPDF(t.Context(), filepath.Join(browser(t, c.script), "chromium"), "page.html", filepath.Join(dir, "page.pdf"), time.Minute)
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if got := files(t, dir); len(got) > 1 { // but what it printed
				t.Errorf("there are %q", got)
			}
		})
	}
	if err := printPDF(t.Context(), "/none/chromium", "page.html", filepath.Join(t.TempDir(), "page.pdf"), time.Minute); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a browser: %v", err)
	}
}

// A wire leads from a browser and all that it starts to a test.
type wire struct{ path string }

func newWire(t *testing.T) wire {
	t.Helper()
	path := filepath.Join(t.TempDir(), "line")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return wire{path}
}

// hangs is a script that starts a child, says so on the wire, and waits for
// ever.
func (l wire) hangs() string { return "exec 3>" + l.path + "; sleep 1000 & echo started >&3; wait" }

// follow calls started when the script has said so, and returns when all that
// the line leads from are dead.
func (l wire) follow(t *testing.T, started func()) {
	t.Helper()
	f, err := os.Open(l.path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(f, make([]byte, len("started\n"))); err != nil {
		t.Fatal(err)
	}
	started()
	if _, err := io.ReadAll(f); err != nil {
		t.Errorf("something lives on: %v", err)
	}
}

func TestABrowserThatHangsIsKilledWithItsChildren(t *testing.T) {
	l := newWire(t)
	dir := t.TempDir()
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error)
	go func() {
		ended <- printPDF(ctx, filepath.Join(browser(t, l.hangs()), "chromium"), "page.html", filepath.Join(dir, "page.pdf"), time.Minute)
	}()
	l.follow(t, func() { cancel(errInterrupted) })
	if err := <-ended; !errors.Is(err, errInterrupted) {
		t.Errorf("got %v", err)
	}
	if got := files(t, dir); len(got) > 0 {
		t.Errorf("there are %q", got)
	}
}

func TestABrowserThatDoesNotEndIsKilledInTheEnd(t *testing.T) {
	dir := t.TempDir()
	err := printPDF(t.Context(), filepath.Join(browser(t, "exec sleep 1000"), "chromium"), "page.html", filepath.Join(dir, "page.pdf"), 50*time.Millisecond)
	if err == nil || err.Error() != "chromium did not print within 0 s" {
		t.Errorf("got %v", err)
	}
}

func TestWhatABrowserLeavesRunningIsKilled(t *testing.T) {
	l := newWire(t)
	ended := make(chan error)
	script := "exec 3>" + l.path + "; sleep 1000 >/dev/null 2>&1 & echo started >&3; " + prints
	go func() {
		ended <- printPDF(t.Context(), filepath.Join(browser(t, script), "chromium"), "page.html", filepath.Join(t.TempDir(), "page.pdf"), time.Minute)
	}()
	l.follow(t, func() {})
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAReportIsPrintedIfThereIsABrowser(t *testing.T) {
	h := newHandover(t)
	for name, c := range map[string]struct {
		script string
		code   int
		want   []string
	}{
		"prints": {prints + `rm "${pdf%/*}/arguments"`, exitDone, nil},
		"fails":  {`echo half >"$pdf"; exit 1`, exitPerson, []string{"mailhaul: the report is written; report.pdf is not: chromium: exit status 1", "Open report.html in a browser and print it there"}},
		"none":   {"", exitPerson, []string{"mailhaul: the report is written; report.pdf is not: no Chromium or Chrome is installed. Open report.html in a browser and print it there"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if c.script != "" {
				dir = browser(t, c.script)
			}
			t.Setenv("PATH", dir+":/bin:/none")
			if c.script == "" {
				t.Setenv("PATH", dir)
			}
			out := filepath.Join(h.dir, name)
			ends(t, c.code, []string{"report", "--config", h.config, "--out", out, "--pdf"}, c.want...)
			has := slices.Contains(files(t, out), reportPDF)
			if has != (c.code == exitDone) || len(files(t, out)) > 6 {
				t.Errorf("there are %q", files(t, out))
			}
			text := ends(t, exitDone, []string{"report", "check", filepath.Join(out, reportJSON)})
			if strings.Contains(text, reportPDF) != has {
				t.Errorf("check says\n%s", text)
			}
			if has {
				overwrite(t, filepath.Join(out, reportPDF), "%PDF-another\n%%EOF\n")
				ends(t, exitError, []string{"report", "check", filepath.Join(out, reportJSON)}, "report.pdf was changed")
			}
		})
	}
}

func TestAReportThatIsInterruptedAtItsPrinterLeavesNothing(t *testing.T) {
	h := newHandover(t)
	l := newWire(t)
	t.Setenv("PATH", browser(t, l.hangs())+":/bin:/usr/bin")
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		code, stdout, stderr := mailhaul(ctx, "report", "--config", h.config, "--out", filepath.Join(h.dir, "out"), "--pdf")
		ended(t, "report", code, exitInterrupted, stdout+stderr, "mailhaul: interrupted")
	}()
	l.follow(t, func() { cancel(errInterrupted) })
	<-done
	for _, name := range files(t, h.dir) {
		if name == "out" || strings.HasPrefix(name, "unfinished") {
			t.Errorf("there is %s", name)
		}
	}
	if n := heads(t, filepath.Join(h.dir, "mailhaul.db")); n != 0 {
		t.Errorf("%d heads were signed", n)
	}
	h.report(t, "out")
}

func TestChromiumPrintsAReport(t *testing.T) {
	t.Parallel()
	if _, err := findBrowser(); err != nil {
		if slices.Contains(strings.Split(os.Getenv("MAILHAUL_REQUIRE"), ","), "chromium") {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	h := newHandover(t)
	out := h.report(t, "out", "--pdf")
	if text, err := exec.Command("pdftotext", filepath.Join(out, reportPDF), "-").Output(); err != nil {
		t.Log("the text of the PDF was not looked at: ", err)
	} else if !bytes.Contains(text, []byte("10 messages were in the old system")) {
		t.Errorf("the PDF says\n%s", text)
	}
	ends(t, exitDone, []string{"report", "check", filepath.Join(out, reportJSON)}, "Unchanged:    report.log.gz, report.html, report.pdf, report.xlsx")
}
