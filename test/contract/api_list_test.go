package contract

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// manyOrders posts orders a second apart and returns their ids, the newest first.
func (r *rig) manyOrders(prefix string, n int) (ids []string) {
	r.t.Helper()
	for i := range n {
		r.clock.Advance(time.Second)
		ids = append(ids, fmt.Sprintf("%s%03d", prefix, i))
		r.call("POST", "/api/orders?runWorkflow=false", fmt.Sprintf(`{"id":%q,"tags":["%d"]}`, ids[i], i%3)).want(201)
	}
	slices.Reverse(ids)
	return ids
}

func TestPagesHaveNoGapsAndNoRepeatsWhileOrdersArrive(t *testing.T) {
	r := start(t)
	old := r.manyOrders("old-", 120)
	late := 0
	got := r.all("/api/orders?limit=7", "id", func() {
		late++
		r.manyOrders(fmt.Sprintf("late-%d-", late), 2)
		r.post(fmt.Sprintf(`{"id":"a-past-%d","created":"2020-01-01T00:00:00Z"}`, late)) // sorts behind all: found, once
	})
	equals(t, "pages", late >= 17, true)
	same(t, "orders", got[:120], old)
	seen := map[string]bool{}
	for _, id := range got {
		if seen[id] {
			t.Errorf("%s comes twice", id)
		}
		seen[id] = true
	}
	same(t, "filtered", r.all("/api/orders?limit=7&tag=1&to=2026-11-21T09:02:01Z&from=2026-11-21T09:00:00Z", "id", func() {}), everyThird(old, 1))
}

func everyThird(ids []string, rest int) (out []string) {
	for i, id := range ids {
		if (len(ids)-1-i)%3 == rest {
			out = append(out, id)
		}
	}
	return out
}

func TestOrdersOfOneInstantAreAllListed(t *testing.T) {
	r := start(t)
	want := []string{}
	for i := range 25 {
		want = append(want, fmt.Sprintf("o%02d", i))
		r.post(fmt.Sprintf(`{"id":"o%02d","created":"2026-01-01T00:00:00Z"}`, i))
	}
	slices.Reverse(want)
	same(t, "orders", r.all("/api/orders?limit=1", "id", func() {}), want)
	same(t, "orders", r.all("/api/orders?limit=25", "id", func() {}), want)
}

func TestLimits(t *testing.T) {
	r := start(t)
	r.manyOrders("o", 60)
	equals(t, "by default", len(r.get("/api/orders").ids("id")), 50)
	equals(t, "at most", len(r.get("/api/orders?limit=200").is("nextCursor", nil).ids("id")), 60)
	equals(t, "limit", len(r.get("/api/orders?limit=60").is("nextCursor", nil).ids("id")), 60)
	equals(t, "limit", len(r.get("/api/orders?limit=59").ids("id")), 59)
	r.get("/api/orders?status=None").is("items", []string{}).is("nextCursor", nil)
}

func TestRunsHistoryKeysAndSettingsArePagedToo(t *testing.T) {
	r := start(t)
	r.post(`{"id":"a","status":"s0"}`)
	for i := range 9 {
		r.clock.Advance(time.Second)
		r.call("POST", "/api/orders/a/status", fmt.Sprintf(`{"status":"s%d"}`, i+1)).want(200)
		r.settings(fmt.Sprintf(`{"markets":[{"marketId":"%d"}]}`, i))
		r.call("POST", "/api/keys", fmt.Sprintf(`{"role":"reader","name":"s%d"}`, i+1)).want(201)
	}
	statuses := []string{"s9", "s8", "s7", "s6", "s5", "s4", "s3", "s2", "s1", "s0"}
	none := func() {}
	same(t, "runs", r.all("/api/runs?limit=3", "enteredStatus", none), statuses)
	same(t, "runs", r.all("/api/runs?limit=4&orderId=a&status=succeeded", "enteredStatus", none), statuses)
	same(t, "history", r.all("/api/orders/a/history?limit=3", "status", func() {
		r.call("POST", "/api/orders/a/status", `{"status":"late"}`).want(200)
	}), statuses)
	same(t, "keys", r.all("/api/keys?limit=2", "name", none)[:9], statuses[:9])
	same(t, "settings", r.all("/api/settings/history?limit=4", "version", none), []string{"9", "8", "7", "6", "5", "4", "3", "2", "1"})
	r.get("/api/settings/history").is("items[8].created", "2026-11-21T09:00:01Z").says("markets")
}
