package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long anything on a screen may take, on a busy machine too.
const patience = 30 * time.Second

// step is something that is done in a tab.
type step = chromedp.Action[chromedp.Void]

// tab is one person's browser: cookies of its own, and a watch on everything
// that our pages must not do. Methods fail the test if they do not succeed.
type tab struct {
	t        testing.TB
	ctx      context.Context
	hosts    []string // all that pages may ask
	setUp    []step
	reported map[string]bool // faults that need no second mention

	mu     sync.Mutex
	faults []string
}

// newTab opens a browser of its own for a person of the demo.
func newTab(t testing.TB, d *demoRun, setUp ...step) *tab {
	t.Helper()
	parent, err := startBrowser()
	if err != nil {
		t.Fatal(err)
	}
	b := &tab{t: t, hosts: d.hosts(), setUp: append(setUp, stillness("light")), reported: map[string]bool{}}
	b.start(parent, chromedp.WithNewBrowserContext())
	return b
}

// second opens another tab of the same browser: cookies are shared.
func (b *tab) second() *tab {
	b.t.Helper()
	second := &tab{t: b.t, hosts: b.hosts, setUp: b.setUp, reported: b.reported}
	second.start(b.ctx)
	return second
}

func (b *tab) start(parent context.Context, options ...chromedp.ContextOption) {
	b.t.Helper()
	b.ctx, _ = chromedp.NewContext(parent, append(options, chromedp.WithListener(b.watch))...)
	// Not in do: the tab would end with the first deadline.
	if err := chromedp.Do(b.ctx, b.setUp...); err != nil {
		b.t.Fatalf("open a tab: %v", err)
	}
	b.t.Cleanup(b.close)
}

// speaking is a browser whose user reads a language.
func speaking(lang string) step {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, network.SetExtraHTTPHeaders,
			network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": lang}})
		return chromedp.Void{}, err
	}
}

// withoutScripts is a browser that runs none.
func withoutScripts(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
	_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	return chromedp.Void{}, err
}

// watch notes what no page of ours may do: fail in a script, break its content
// policy, miss one of its files, or ask another host for anything.
func (b *tab) watch(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		b.fault("script failed: %s", text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			b.fault("console: %s", e.Args[0].Value)
		}
	case *log.EventEntryAdded:
		// The status of the page itself is the test's to judge.
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			b.fault("%s: %s", e.Entry.Source, e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		u, err := url.Parse(e.Request.URL)
		if err != nil || strings.HasPrefix(u.Scheme, "http") && !slices.Contains(b.hosts, u.Host) {
			b.fault("asked another host: %s", e.Request.URL)
		}
	case *network.EventResponseReceived:
		if e.Type != network.ResourceTypeDocument && e.Response.Status >= 400 {
			b.fault("%d for %s", e.Response.Status, e.Response.URL)
		}
	case *network.EventLoadingFailed:
		if !e.Canceled {
			b.fault("could not load a %s: %s %s", e.Type, e.ErrorText, e.BlockedReason)
		}
	}
}

func (b *tab) fault(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = append(b.faults, fmt.Sprintf(format, args...))
}

// close reports what the watch saw, and keeps the screen of a failed test.
func (b *tab) close() {
	b.mu.Lock()
	faults := b.faults
	b.mu.Unlock()
	for _, fault := range faults {
		b.t.Error(fault)
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if b.t.Failed() {
		b.keep(ctx)
	}
	if err := chromedp.Cancel(ctx); err != nil {
		b.t.Errorf("close the tab: %v", err)
	}
}

// keep writes the screen as it is now to files.
func (b *tab) keep(ctx context.Context) {
	dir := artifactDir(b.t)
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Logf("no screenshot: %v", err)
		return
	}
	html, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.documentElement.outerHTML`))
	if err != nil {
		b.t.Logf("no HTML: %v", err)
	}
	name := filepath.Join(dir, fmt.Sprintf("screen-%p", b))
	for file, content := range map[string][]byte{name + ".png": picture, name + ".html": []byte(html)} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			b.t.Log(err)
		}
	}
	b.t.Logf("the screen is kept in %s.png and .html", name)
}

// artifactDir is a folder that outlives the test, with or without -artifacts.
func artifactDir(t testing.TB) string {
	if f := flag.Lookup("test.artifacts"); f != nil && f.Value.String() == "true" {
		return t.ArtifactDir()
	}
	dir, err := os.MkdirTemp("", "portico-test-")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func (b *tab) do(what string, s step) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, s); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

// eval returns what a JavaScript expression is worth on the page.
func eval[T any](b *tab, expression string, options ...chromedp.EvaluateOption) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, options...))
	if err != nil {
		b.t.Fatalf("evaluate %.200s: %v", expression, err)
	}
	return v
}

// loads does something that loads a page, and checks the page's status.
func (b *tab) loads(status int, what string, s step) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, s)
	switch {
	case err != nil:
		b.t.Fatalf("%s: %v", what, err)
	case response == nil:
		b.t.Fatalf("%s: no page was loaded", what)
	case response.Status != int64(status):
		b.t.Fatalf("%s: status %d at %s, want %d; the page says:\n%s", what, response.Status, response.URL, status, b.text("body"))
	}
}

// visible selects the first element that a person sees. What a closed <details>
// holds has a box and is not seen.
func visible(selector string) chromedp.JSPath {
	return chromedp.JSPath(fmt.Sprintf("[...document.querySelectorAll(%q)].find(e => e.checkVisibility({visibilityProperty: true}))", selector))
}

// open goes to an address.
func (b *tab) open(address string) {
	b.t.Helper()
	b.openFor(200, address)
}

func (b *tab) openFor(status int, address string) {
	b.t.Helper()
	b.loads(status, "open "+address, chromedp.Navigate(address))
}

// press clicks on what loads a page.
func (b *tab) press(selector string) {
	b.t.Helper()
	b.pressFor(200, selector)
}

func (b *tab) pressFor(status int, selector string) {
	b.t.Helper()
	b.loads(status, "press "+selector, chromedp.Click(visible(selector)))
}

// click clicks on what changes the page that is there.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.do("click "+selector, chromedp.Click(visible(selector)))
}

// write types into an input.
func (b *tab) write(selector, text string) {
	b.t.Helper()
	b.do("write into "+selector, chromedp.SendKeys(visible(selector), text))
}

// has reports whether the page has an element now.
func (b *tab) has(selector string) bool {
	b.t.Helper()
	return eval[bool](b, fmt.Sprintf("document.querySelector(%q) !== null", selector))
}

// sees waits until an element is visible.
func (b *tab) sees(selector string) {
	b.t.Helper()
	b.do("see "+selector, chromedp.WaitVisible(visible(selector)))
}

// text returns what an element says to its reader.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector))
}

// reads checks that the page says each of the texts.
func (b *tab) reads(texts ...string) {
	b.t.Helper()
	page := b.text("body")
	for _, text := range texts {
		if !strings.Contains(page, text) {
			b.t.Fatalf("the page does not say %q, but:\n%s", text, page)
		}
	}
}

// attach chooses pictures of one pixel, by name, for an input of files.
func (b *tab) attach(selector string, names ...string) {
	b.t.Helper()
	folder := b.t.TempDir()
	var paths []string
	for _, name := range names {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, pixel, 0o600); err != nil {
			b.t.Fatal(err)
		}
		paths = append(paths, path)
	}
	b.do("choose files", chromedp.SetUploadFiles(chromedp.CSS(selector), paths))
}

// watches waits until an element says something, without doing anything.
func (b *tab) watches(selector, text string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	said := chromedp.Poll[bool](fmt.Sprintf("document.querySelector(%q)?.innerText.includes(%q)", selector, text))
	if _, err := chromedp.Run(ctx, said); err != nil {
		b.t.Fatalf("wait for %q in %s: %v; it says:\n%s", text, selector, err, b.text(selector))
	}
}

// reopens opens an address again and again until the page has an element.
func (b *tab) reopens(address, selector string) {
	b.t.Helper()
	for started := time.Now(); ; {
		b.open(address)
		if b.has(selector) {
			return
		}
		if time.Since(started) > patience {
			b.t.Fatalf("%s has no %s after %s, but says:\n%s", address, selector, patience, b.text("body"))
		}
	}
}

// download clicks on a link and returns the file that came down.
func (b *tab) download(selector string) []byte {
	b.t.Helper()
	dir := b.t.TempDir()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	_, err := chromedp.CallBrowser(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllowAndName, DownloadPath: dir, EventsEnabled: new(true),
		BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID})
	if err != nil {
		b.t.Fatalf("allow downloads: %v", err)
	}
	progress := chromedp.BrowserEvents(ctx, browser.DownloadProgress)
	b.click(selector)
	for e, err := range progress {
		switch {
		case err != nil:
			b.t.Fatalf("download %s: %v", selector, err)
		case e.State == browser.DownloadProgressStateCanceled:
			b.t.Fatalf("download %s: the browser gave up", selector)
		case e.State == browser.DownloadProgressStateCompleted:
			file, err := os.ReadFile(filepath.Join(dir, e.GUID))
			if errors.Is(err, fs.ErrNotExist) {
				continue // another tab's
			}
			if err != nil {
				b.t.Fatal(err)
			}
			return file
		}
	}
	return nil
}
