package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/chromedp/chromedp"
)

// browserPrograms are where a Chromium may be; $CHROME comes first.
var browserPrograms = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium"}

// chromium is the one browser of the test process. It starts with the first tab.
var chromium struct {
	once sync.Once
	ctx  context.Context
	err  error
	stop func()
}

// startBrowser returns the context that every tab is opened in.
func startBrowser() (context.Context, error) {
	chromium.once.Do(func() {
		var program string
		if program, chromium.err = findBrowser(); chromium.err != nil {
			return
		}
		options := append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(program),
			chromedp.DisableGPU,
			chromedp.WindowSize(1440, 900),
			chromedp.Flag("disable-quic", true),
			chromedp.Flag("disable-component-update", true),
			chromedp.CombinedOutput(io.Discard))
		if os.Geteuid() == 0 { // the sandbox refuses root
			options = append(options, chromedp.NoSandbox)
		}
		allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, _ := chromedp.NewContext(allocator)
		chromium.stop = func() {
			ctx, giveUp := context.WithTimeout(ctx, 10*time.Second)
			defer giveUp()
			_ = chromedp.Cancel(ctx) // it may have gone already
			cancel()
		}
		if chromium.err = chromedp.Do(ctx); chromium.err != nil {
			chromium.err = fmt.Errorf("start %s: %w", program, chromium.err)
			return
		}
		chromium.ctx = ctx
	})
	return chromium.ctx, chromium.err
}

// stopBrowser ends the browser, if a test has started it.
func stopBrowser() {
	if chromium.stop != nil {
		chromium.stop()
	}
}

func findBrowser() (string, error) {
	if program := os.Getenv("CHROME"); program != "" {
		return program, nil
	}
	for _, program := range browserPrograms {
		if path, err := exec.LookPath(program); err == nil {
			return filepath.Clean(path), nil
		}
	}
	return "", errors.New("these tests need a browser: install Chromium or Google Chrome, or name its program in CHROME")
}
