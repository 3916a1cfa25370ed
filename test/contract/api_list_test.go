package contract

import (
	"fmt"
	"net/url"
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

// TestACursorIsOfItsList: in another list it would name a place as well, behind all that is
// there, and the answer would look like the end.
func TestACursorIsOfItsList(t *testing.T) {
	r := start(t)
	r.manyOrders("o", 3)
	for i := range 3 {
		r.call("POST", "/api/orders/o000/status", fmt.Sprintf(`{"status":"s%d"}`, i)).want(200)
		r.call("POST", "/api/orders/o001/status", fmt.Sprintf(`{"status":"s%d"}`, i)).want(200)
		r.call("PATCH", "/api/orders/o000", fmt.Sprintf(`{"a%d":1,"b%d":2}`, i, i)).want(200)
		r.call("PUT", fmt.Sprint("/api/carts/c", i), `{}`).want(201)
		r.call("POST", "/api/keys", `{"role":"reader"}`).want(201)
		r.call("POST", "/api/endpoints", `{"url":"https://example.com/hook","eventTypes":["furniture"]}`).want(201)
		r.settings(config(status("New", step{Host: answering(t, "").URL})))
		r.post(fmt.Sprintf(`{"id":"called%d"}`, i))
	}
	lists := []string{"/api/orders", "/api/runs", "/api/events", "/api/attempts", "/api/carts", "/api/keys", "/api/endpoints", "/api/audit", "/api/settings/history",
		"/api/orders/o000/history", "/api/orders/o001/history", "/api/orders/o000/blame"}
	cursors := make([]string, len(lists))
	for i, list := range lists {
		cursors[i] = url.QueryEscape(r.get(list + "?limit=1").text("nextCursor"))
		if cursors[i] == "" {
			t.Errorf("%s has no second page", list)
		}
	}
	for i, of := range lists {
		for j, list := range lists {
			if a := r.call("GET", list+"?limit=1&cursor="+cursors[i], ""); i == j {
				a.want(200)
			} else {
				a.problem(422, "query.cursor")
			}
		}
		// One of an earlier version, or of nobody.
		for _, cursor := range []string{cursors[i][8:], cursors[i][:8], cursors[i][:7], "x" + cursors[i], cursors[i] + "!"} {
			r.call("GET", of+"?cursor="+cursor, "").problem(422, "query.cursor")
		}
		r.call("GET", "/api/deliveries?cursor="+cursors[i], "").problem(422, "query.cursor")
		r.call("GET", "/api/jobs?cursor="+cursors[i], "").problem(422, "query.cursor")
	}
	// Another filter is the same list.
	equals(t, "filtered", r.get("/api/orders?status=s2&cursor="+cursors[0]).ids("id"), []string{"o001", "o000"})
	r.call("GET", "/api/attempts?endpointId=none&cursor="+cursors[0], "").problem(422, "query.cursor") // nor where nothing is looked for
	r.get("/api/orders?cursor=").is("items[0].id", "o002")
}

// TestTheDeliveriesOfAnEventGoOnInTheirList: an event has the first 200 of its deliveries.
func TestTheDeliveriesOfAnEventGoOnInTheirList(t *testing.T) {
	r, s := start(t), answering(t, "")
	for range 203 {
		r.call("POST", "/api/endpoints", `{"url":"`+s.URL+`","eventTypes":["furniture"]}`).want(201)
	}
	id := r.call("POST", "/api/events", `{"type":"furniture","data":{}}`).want(202).text("id")
	e := r.get("/api/events/" + id)
	equals(t, "deliveries", len(e.doc().Objects("deliveries")), 200)
	equals(t, "the others", len(r.get("/api/deliveries?eventId="+id+"&cursor="+url.QueryEscape(e.text("nextCursor"))).is("nextCursor", nil).ids("id")), 3)
}
