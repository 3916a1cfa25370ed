// Package browser looks at the dashboard of the real binary with a real browser.
package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

var (
	binary  string          // the orderhook that the tests run, built once
	browser context.Context // the Chromium that they share; nil: there is none here
	missing string          // why there is none
)

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) int {
	dir, err := os.MkdirTemp("", "orderhook-browser-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "orderhook")
	build := exec.Command("go", "build", "-o", binary, "./cmd/orderhook")
	build.Dir = "../.." // the product's module, which says what it is built of
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the binary:", err)
		return 1
	}
	stop := startBrowser(dir)
	defer stop()
	return m.Run()
}

// startBrowser starts Chromium, with nothing of this machine's user.
func startBrowser(dir string) (stop func()) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		if path, err = exec.LookPath("google-chrome"); err != nil {
			missing = "there is no chromium here; install Debian's package chromium"
			return func() {}
		}
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(filepath.Join(dir, "chromium")),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses root with it
	}
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stopBrowser := chromedp.NewContext(allocator)
	stop = func() { stopBrowser(); stopAllocator() }
	if err := chromedp.Do(ctx); err != nil {
		missing = "chromium does not start: " + err.Error()
		return stop
	}
	browser = ctx
	return stop
}
