package browser

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// patience bounds every wait; no test needs a fraction of it.
const patience = 30 * time.Second

// look is how a page is looked at.
type look struct {
	width, height int64
	dark          bool
	noScript      bool
}

var (
	wide   = look{width: 1400, height: 900}
	narrow = look{width: 400, height: 800}
)

// looks are those that every page is looked at in: one wide and dark, one narrow and
// light. With BROWSER_LOOKS=all, as in `make test-long`, the other two come as well.
func looks() []look {
	some := []look{wide.inDark(), narrow}
	if os.Getenv("BROWSER_LOOKS") == "all" {
		some = append(some, wide, narrow.inDark())
	}
	return some
}

func (l look) inDark() look { l.dark = true; return l }

func (l look) withoutScript() look { l.noScript = true; return l }

func (l look) String() string {
	name := "1400"
	if l.width == narrow.width {
		name = "400"
	}
	if l.dark {
		name += "-dark"
	}
	if l.noScript {
		name += "-noscript"
	}
	return name
}

// tab is a page of a browser that nobody has signed in with.
type tab struct {
	t   *testing.T
	ctx context.Context
	url string // of the server
	l   look

	mu     sync.Mutex
	faults []string // what the browser complained about
}

// open opens an empty tab with cookies of its own. When the test ends, the browser must
// have had nothing to complain about: no script that failed, nothing that the policy
// refused.
func open(t *testing.T, server string, l look) *tab {
	t.Helper()
	if browser == nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	p := &tab{t: t, url: server, l: l}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.note))
	p.ctx = ctx
	t.Cleanup(func() {
		closed := make(chan struct{})
		go func() {
			cancel()
			close(closed)
		}()
		select {
		case <-closed:
		case <-time.After(patience):
			t.Error("the browser does not close the tab")
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, f := range p.faults {
			t.Errorf("the browser complains: %s", f)
		}
	})
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as the context that it began with
		t.Fatal(err)
	}
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	p.do(chromedp.EmulateViewport(l.width, l.height))
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: l.noScript})
	call(p, log.Enable, cdp.Empty{})
	return p
}

// call has the browser do something that no action is there for.
func call[P, R any](p *tab, command cdp.Command[P, R], params P) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if _, err := chromedp.Call(ctx, command, params); err != nil {
		p.t.Fatal(err)
	}
}

// note collects what the browser complains about. That a page of an error has the
// status of an error is no complaint.
func (p *tab) note(event any) {
	var fault string
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.Text, "the server responded with a status of") {
			fault = e.Entry.Text
		}
	case *cdpruntime.EventExceptionThrown:
		fault = e.ExceptionDetails.Text
	}
	if fault != "" {
		p.mu.Lock()
		p.faults = append(p.faults, fault)
		p.mu.Unlock()
	}
}

// run has the browser do something, and returns what came of it.
func run[T any](p *tab, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		p.t.Fatalf("at %s: %v", p.at(), err)
	}
	return value
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	run(p, chromedp.Steps(actions...))
}

// visit opens a path of the server's.
func (p *tab) visit(path string) {
	p.t.Helper()
	p.do(chromedp.Navigate(p.url + path))
}

// signIn signs in with a key, by the form.
func (p *tab) signIn(key string) {
	p.t.Helper()
	p.visit("/sign-in")
	p.fill("key", key)
	p.click("form.stack button")
	p.waitFor(".who")
}

// fill writes into a field of a form.
func (p *tab) fill(name, text string) {
	p.t.Helper()
	p.do(chromedp.SetValue(`main [name="`+name+`"]`, text))
}

// click clicks a link or a button, and waits for the page that comes.
func (p *tab) click(selector string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	_, err := chromedp.RunResponse(ctx, chromedp.Click(selector))
	for err != nil && strings.Contains(err.Error(), "Could not find node") { // what is live was replaced at this very moment
		_, err = chromedp.RunResponse(ctx, chromedp.Click(selector))
	}
	if err != nil {
		p.t.Fatalf("at %s: click %s: %v", p.at(), selector, err)
	}
}

// waitFor waits until an element is there.
func (p *tab) waitFor(selector string) {
	p.t.Helper()
	p.do(chromedp.WaitReady(selector))
}

// at is the path and the query of the page.
func (p *tab) at() string {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	at, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		return "a page that does not answer"
	}
	return strings.TrimPrefix(at, p.url)
}

// text is the text of the first such element, as it is seen.
func (p *tab) text(selector string) string {
	p.t.Helper()
	return run(p, chromedp.Text(selector))
}

// eval is the value of an expression in the page.
func eval[T any](p *tab, expression string) T {
	p.t.Helper()
	return run(p, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// says fails if the page does not hold the texts.
func (p *tab) says(texts ...string) {
	p.t.Helper()
	text := p.text("body")
	for _, want := range texts {
		if !strings.Contains(text, want) {
			p.t.Errorf("%s does not say %q: %s", p.at(), want, text)
		}
	}
}

// fits fails if the page is wider than the window: then one has to scroll sideways.
func (p *tab) fits() {
	p.t.Helper()
	if eval[bool](p, `document.documentElement.scrollWidth > document.body.clientWidth`) { // the window without the room of its scroll bar
		wide := eval[[]string](p, `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > document.body.clientWidth + 1 && !e.closest(".scroll, .json, pre, nav")).slice(0, 5).map(e => e.tagName + "." + e.className)`)
		p.t.Errorf("%s is wider than its window: %v", p.at(), wide)
	}
}

// saysWhere fails if one does not see in the navigation which page one is on.
func (p *tab) saysWhere() {
	p.t.Helper()
	if !eval[bool](p, `[...document.querySelectorAll(".top [aria-current]")].every(e => e.getBoundingClientRect().left >= 0 && e.getBoundingClientRect().right <= innerWidth)`) {
		p.t.Errorf("%s: its entry in the navigation is out of sight", p.at())
	}
}

// shot keeps a picture of the whole page in ORDERHOOK_SCREENSHOTS, if that is set.
func (p *tab) shot(name string) {
	p.t.Helper()
	dir := os.Getenv("ORDERHOOK_SCREENSHOTS")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), run(p, chromedp.FullScreenshot(100)), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// axe fails if axe-core finds a serious violation on the page. The page must allow
// scripts.
func (p *tab) axe() {
	p.t.Helper()
	source, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if err != nil {
		if os.Getenv("CI") == "true" {
			p.t.Fatal(err)
		}
		p.t.Run("axe-core", func(t *testing.T) { t.Skip("axe-core is not there: run npm ci in test/browser") }) // the other checks go on
		return
	}
	run(p, chromedp.Evaluate[chromedp.Void](string(source)+"; undefined"))
	result := eval[string](p, `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations.map(v => ({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 3).map(n => n.html.slice(0, 200) + " " + n.failureSummary)}))))`)
	var violations []struct {
		ID, Impact, Help string
		Nodes            []string
	}
	if err := json.Unmarshal([]byte(result), &violations); err != nil {
		p.t.Fatal(err)
	}
	for _, v := range violations {
		if v.Impact == "serious" || v.Impact == "critical" {
			p.t.Errorf("axe, at %s: %s (%s): %s", p.at(), v.Help, v.ID, strings.Join(v.Nodes, "\n"))
		}
	}
}

// check looks at a page as a whole: it says what it is about, and nothing is wrong with
// how it is shown.
func (p *tab) check(name, says string) {
	p.t.Helper()
	p.shot(name)
	p.says(says)
	p.fits()
	p.saysWhere()
	if eval[bool](p, `document.querySelector("img[onerror], script:not([src])") !== null`) {
		p.t.Errorf("%s has markup of somebody else's", p.at())
	}
	if !p.l.noScript && p.l != narrow.inDark() { // axe-core is a script; of the other look the others have the faults: the colours, the places
		p.axe()
	}
}

// focus gives an element the focus, in one go: by two, what is live may be replaced between
// finding it and that.
func (p *tab) focus(selector string) {
	p.t.Helper()
	p.waitFor(selector)
	eval[bool](p, `document.querySelector(`+quoted(selector)+`).focus(), true`)
}

// press presses keys, as one does who has no mouse.
func (p *tab) press(keys ...string) {
	p.t.Helper()
	for _, k := range keys {
		p.do(chromedp.KeyEvent(k))
	}
}

// tabTo presses the tab key until an element has the focus, which must be seen.
func (p *tab) tabTo(selector string) {
	p.t.Helper()
	const most = 150
	for range most {
		if eval[bool](p, `document.activeElement.matches(`+quoted(selector)+`)`) {
			if !eval[bool](p, `document.activeElement.matches(":focus-visible")`) {
				p.t.Errorf("at %s one does not see that %s has the focus", p.at(), selector)
			}
			return
		}
		p.press(kb.Tab)
	}
	p.t.Fatalf("at %s no tab leads to %s", p.at(), selector)
}

// enter presses the key that follows a link, or pushes a button, and waits for the page
// that comes.
func (p *tab) enter() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.KeyEvent(kb.Enter)); err != nil {
		p.t.Fatalf("at %s: enter: %v", p.at(), err)
	}
}

// quoted is a text in a script.
func quoted(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}
