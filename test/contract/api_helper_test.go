package contract

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
)

// insideWords are what no answer may say to its caller.
var insideWords = []string{"goroutine", ".go:", "sqlite", "SELECT ", "json:", "panic", "huma", "Go struct", "Go value", "strconv", "unmarshal", "s3cret", "context"}

// problem fails the test unless the answer is a problem of that status that
// names each of the places, and says nothing of the inside.
func (a answer) problem(status int, places ...string) answer {
	a.t.Helper()
	a.want(status)
	if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
		a.t.Errorf("a problem of type %q: %s", got, a.Raw)
	}
	var p struct {
		Type, Title, Detail, Instance string
		Status                        int
		Errors                        []apierr.FieldError
	}
	if err := json.Unmarshal(a.Raw, &p); err != nil {
		a.t.Fatalf("%v in %s", err, a.Raw)
	}
	if p.Type != "about:blank" || p.Title != http.StatusText(status) || p.Status != status || p.Detail == "" {
		a.t.Errorf("an incomplete problem: %s", a.Raw)
	}
	if p.Instance != a.Header.Get("X-Request-Id") {
		a.t.Errorf("the instance is not the request's id %q: %s", a.Header.Get("X-Request-Id"), a.Raw)
	}
	var at []string
	for _, e := range p.Errors {
		at = append(at, e.Location)
		if e.Location == "" || e.Message == "" {
			a.t.Errorf("an error without a place or a message: %s", a.Raw)
		}
	}
	for _, place := range places {
		if !slices.Contains(at, place) {
			a.t.Errorf("%s is not named in %s", place, a.Raw)
		}
	}
	return a.says(insideWords...)
}

// says fails the test if the answer holds one of the words.
func (a answer) says(never ...string) answer {
	a.t.Helper()
	for _, word := range never {
		if strings.Contains(string(a.Raw), word) {
			a.t.Errorf("the answer says %q: %s", word, a.Raw)
		}
	}
	return a
}

// in is the rig within a subtest.
func (r *rig) in(t *testing.T) *rig {
	other := *r
	other.t = t
	return &other
}

// callOf is call of "METHOD /path".
func (r *rig) callOf(call, body string) answer {
	r.t.Helper()
	method, path, _ := strings.Cut(call, " ")
	return r.call(method, path, body)
}

func (a answer) text(path string) string { a.t.Helper(); s, _ := a.at(path).(string); return s }

// ids returns the named field of all items of a list.
func (a answer) ids(field string) []string {
	a.t.Helper()
	out := []string{}
	for _, item := range a.doc().Objects("items") {
		v, _ := item.Get(field)
		out = append(out, fmt.Sprint(v))
	}
	return out
}

// all follows a list's cursors from a path with a limit to its end. between is
// called after every page.
func (r *rig) all(path, field string, between func()) (ids []string) {
	r.t.Helper()
	for cursor := ""; ; {
		page := r.get(path + cursor)
		ids = append(ids, page.ids(field)...)
		next := page.text("nextCursor")
		if next == "" {
			return ids
		}
		cursor = "&cursor=" + url.QueryEscape(next)
		between()
	}
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// together calls do n times at once and waits for all of them.
func together(n int, do func(i int)) {
	var started, done sync.WaitGroup
	started.Add(1)
	for i := range n {
		done.Go(func() {
			started.Wait()
			do(i)
		})
	}
	started.Done()
	done.Wait()
}
