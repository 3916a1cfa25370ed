package model

import (
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// compareResult compares the answer to a call of the API.
func compareResult(t *rapid.T, what string, want, got answer) {
	if got.code != want.code || got.aborted != want.aborted {
		t.Errorf("%s: answered %d, isAborted %t; the model says %d, %t", what, got.code, got.aborted, want.code, want.aborted)
	}
	same(t, what+": results", got.results, want.results)
	same(t, what+": order", []string{got.order}, []string{want.order})
}

func compareAll(t *rapid.T, m *oracle, got observed) {
	for _, err := range got.wrong {
		t.Error(err)
	}
	same(t, "calls", got.calls, m.calls)
	same(t, "history", got.history, m.history)
	same(t, "runs", got.runs, m.runTexts())
	same(t, "order", []string{got.order}, []string{m.order.view().String()})
	compareVersions(t, got.versions, m.trail)
	same(t, "events", got.events, m.events)
}

func (m *oracle) runTexts() []string {
	var out []string
	for _, r := range m.runs {
		results := []string{}
		for _, x := range r.results {
			results = append(results, x.String())
		}
		out = append(out, runText(r.entered, r.status, r.returned > 0, results))
	}
	return out
}

// compareVersions checks that the versions are states that the order went
// through, in their order, from the first to the last. The engine may make one
// version of several changes.
func compareVersions(t *rapid.T, versions, trail []string) {
	rest := trail
	for i, v := range versions {
		at := slices.Index(rest, v)
		if at < 0 || i == 0 && at > 0 {
			t.Errorf("version %d is none of the states that the order went through then:\n  %s\nof\n  %s", i+1, v, strings.Join(trail, "\n  "))
			return
		}
		rest = rest[at:]
	}
	if last := trail[len(trail)-1]; versions[len(versions)-1] != last {
		t.Errorf("the last version is %s\nthe model says %s", versions[len(versions)-1], last)
	}
}

// same compares two lists and shows them from where they part.
func same(t *rapid.T, what string, got, want []string) {
	if slices.Equal(got, want) {
		return
	}
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	t.Errorf("%s differ from entry %d on:\n  %s\nthe model says:\n  %s", what, i+1, strings.Join(got[i:], "\n  "), strings.Join(want[i:], "\n  "))
}
