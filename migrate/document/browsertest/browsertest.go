// Package browsertest opens pages in a headless Chromium, for tests of what
// people are given to read.
package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long one step of a test may take on a busy machine.
const patience = 3 * time.Minute

// A Browser is a Chromium with one tab. A step that fails ends the test.
type Browser struct {
	tb  testing.TB
	ctx context.Context

	mu       sync.Mutex
	console  []string
	requests []string
}

// Open starts a Chromium with a fresh profile, which ends with the test.
// Without an installed one the test is skipped, or fails if MAILHAUL_REQUIRE
// names chromium. Short tests do without.
func Open(tb testing.TB) *Browser {
	tb.Helper()
	if testing.Short() {
		tb.Skip("a browser takes seconds")
	}
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		Missing(tb, "chromium", "neither Chromium nor Google Chrome is installed")
	}
	b := &Browser{tb: tb}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-component-update", true))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	tb.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator, chromedp.WithListener(b.hear))
	tb.Cleanup(cancel)
	b.ctx = ctx
	b.check(chromedp.Do(ctx)) // starts it, for as long as ctx lives
	return b
}

// Missing skips a test for want of what, or fails it if the comma-separated
// list in MAILHAUL_REQUIRE says that what must be there.
func Missing(tb testing.TB, what, reason string) {
	tb.Helper()
	if slices.Contains(strings.Split(os.Getenv("MAILHAUL_REQUIRE"), ","), what) {
		tb.Fatal(reason)
	}
	tb.Skip(reason)
}

func (b *Browser) check(err error) {
	b.tb.Helper()
	if err != nil {
		b.tb.Fatal(err)
	}
}

// hear notes what the page says and asks for.
func (b *Browser) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		b.console = append(b.console, e.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		for _, a := range e.Args {
			b.console = append(b.console, string(a.Value)+a.Description)
		}
	case *runtime.EventExceptionThrown:
		b.console = append(b.console, e.ExceptionDetails.Text)
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	}
}

// A Visit is what happened while a page was loaded.
type Visit struct {
	Console  []string      // messages, those on what its policy forbade among them
	Requests []string      // for anything but the page itself and what it holds in data: URLs
	Took     time.Duration // from the request to the end of the load event
}

// Load opens a file.
func (b *Browser) Load(path string) Visit {
	b.tb.Helper()
	path, err := filepath.Abs(path)
	b.check(err)
	page := (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
	b.mu.Lock()
	b.console, b.requests = nil, nil
	b.mu.Unlock()
	do(b, chromedp.Navigate(page))
	took := Evaluate[float64](b, `performance.getEntriesByType("navigation")[0].loadEventEnd`)

	b.mu.Lock()
	defer b.mu.Unlock()
	own := func(u string) bool { return u == page || strings.HasPrefix(u, "data:") }
	return Visit{slices.Clone(b.console), slices.DeleteFunc(slices.Clone(b.requests), own), time.Duration(took * float64(time.Millisecond))}
}

// Resize makes the window so many pixels wide, and 800 high.
func (b *Browser) Resize(width int64) {
	b.tb.Helper()
	do(b, chromedp.EmulateViewport(width, 800))
}

// Screenshot returns a picture in PNG of the whole page at a width.
func (b *Browser) Screenshot(width int64) []byte {
	b.tb.Helper()
	b.Resize(width)
	return do(b, chromedp.FullScreenshot(100))
}

// Press presses a key: "\t", "\r".
func (b *Browser) Press(key string) {
	b.tb.Helper()
	do(b, chromedp.KeyEvent(key))
}

// Evaluate returns the value of an expression in JavaScript.
func Evaluate[T any](b *Browser, expression string) T {
	b.tb.Helper()
	return do(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// Axe returns what axe-core has against the page at its present width. It is at
// the path MAILHAUL_AXE (axe.min.js, of npm's axe-core); without it the test is
// skipped, or fails if MAILHAUL_REQUIRE names axe.
func (b *Browser) Axe() []string {
	b.tb.Helper()
	path := os.Getenv("MAILHAUL_AXE")
	if path == "" {
		Missing(b.tb, "axe", "MAILHAUL_AXE does not say where axe.min.js is")
	}
	script, err := os.ReadFile(path)
	b.check(err)
	do(b, chromedp.Evaluate[chromedp.Void](string(script)))
	var found []struct{ ID, Help, Where string }
	b.check(json.Unmarshal([]byte(Evaluate[string](b, `axe.run(document, {resultTypes: ["violations"], preload: false}).then(r => JSON.stringify(
		r.violations.map(v => ({ID: v.id, Help: v.help, Where: v.nodes.slice(0, 3).map(n => n.html.slice(0, 300)).join(" and ")}))))`)), &found))
	var all []string
	for _, v := range found {
		all = append(all, fmt.Sprintf("%s: %s: %s", v.ID, v.Help, v.Where))
	}
	return all
}

// do takes a step of a test.
func do[T any](b *Browser, action chromedp.Action[T]) T {
	b.tb.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	b.check(err)
	return v
}
