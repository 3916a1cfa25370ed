package contract

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// 64 clients change one order while its workflow of three steps runs.

func TestNoUpdateIsLostWhileAWorkflowRuns(t *testing.T) {
	g, r := holding(t), lease(t)
	r.settings(config(status("New", step{Host: g.URL}, step{Host: g.URL}, step{Host: g.URL})))
	finish := r.begin("/api/orders", order)
	c := r.crowd()
	tags := []string{"first"}
	for n := range 3 {
		g.wait()
		tags = append(tags, c.wait()...)
		g.answer(answerWith(fmt.Sprintf(`{"Tags":["s%d"],"Properties":[{"Key":"s%d","Value":"v"}],"CustomerPhone":"s%d"}`, n, n, n)))
		tags = append(tags, fmt.Sprint("s", n))
	}
	res := finish().want(201).is("isAborted", false)
	tags = append(tags, c.leave()...)
	for n := range 3 {
		res.is(fmt.Sprintf("orderActionExecutionResults[%d].actionStatus", n), "Success")
	}
	r.ended().is("items[0].status", "succeeded").is("items[1]", nil)
	checkAllStored(t, r, tags)
	checkConflicts(t, r)
	t.Logf("%d patches", len(tags)-4)
}

// checkAllStored checks that the order holds what every patch added, and that
// each made one version, on top of the one before it.
func checkAllStored(t *testing.T, r *rig, tags []string) {
	t.Helper()
	last := r.get(theOrder).is("version", len(tags)).doc()
	slices.Sort(tags)
	same(t, "tags of the order", slices.Sorted(slices.Values(last.Texts("tags"))), tags)
	var keys []string
	for _, p := range last.Objects("properties") {
		keys = append(keys, strings.Replace(p.Text("key"), "Channel", "first", 1))
	}
	same(t, "properties of the order", slices.Sorted(slices.Values(keys)), tags)
	var before []string
	for v := range len(tags) {
		doc := r.get(fmt.Sprintf("%s/versions/%d", theOrder, v+1)).doc()
		is(t, doc.JSON(), "version", v+1)
		have := doc.Texts("tags")
		if len(have) != v+1 || !slices.Equal(have[:v], before) {
			t.Fatalf("version %d has the tags %q, the one before %q", v+1, have, before)
		}
		if phone := doc.Text("customerPhone"); v > 0 && phone != have[v] {
			t.Errorf("version %d was made by %s and has the phone of %s", v+1, have[v], phone)
		}
		before = have
	}
	versions := r.all(theOrder+"/history?limit=200", "version", func() {})
	equals(t, "versions in the history", len(slices.Compact(versions)), len(tags))
}

// checkConflicts checks that each step's conflict is recorded with both values:
// the steps are sent the order of some version, and some client's phone of a
// later one is what they replaced.
func checkConflicts(t *testing.T, r *rig) {
	t.Helper()
	var found []entry
	cursor := ""
	for {
		page := r.get(theOrder + "/history?limit=200" + cursor)
		var list struct{ Items []entry }
		decode(t, page.Raw, &list)
		for _, e := range list.Items {
			if e.Operation == "Conflict" {
				found = append(found, e)
			}
		}
		if cursor = page.text("nextCursor"); cursor == "" {
			break
		}
		cursor = "&cursor=" + url.QueryEscape(cursor)
	}
	equals(t, "conflicts", len(found), 3)
	for i, e := range found {
		theirs, _ := e.Changes[0].Theirs.(string)
		equals(t, "conflict", fmt.Sprintf("%s %v", e.Changes[0].Path, e.Changes[0].After), fmt.Sprintf("customerPhone s%d", 2-i))
		if !strings.HasPrefix(theirs, "c") {
			t.Errorf("theirs is %q, which no client set", theirs)
		}
	}
}
