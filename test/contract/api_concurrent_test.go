package contract

import (
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
)

const clients = 64

func TestPatchesAtOnceAreAllStored(t *testing.T) {
	r := start(t)
	r.post(order)
	together(clients, func(i int) {
		a, err := r.try("PATCH", theOrder, fmt.Sprintf(`{"field%d":%d.10,"tags":["t%d"],"properties":[{"key":"p%d","value":"v"}]}`, i, i, i, i))
		if err != nil || a.Status != 200 {
			t.Errorf("%v, %d %s", err, a.Status, a.Raw)
		}
	})
	a := r.get(theOrder).is("version", clients+1)
	for i := range clients {
		a.is(fmt.Sprintf("field%d", i), number(fmt.Sprintf("%d.10", i)))
	}
	o := a.doc()
	tags := o.Texts("tags")
	slices.Sort(tags)
	equals(t, "tags", len(slices.Compact(tags)), clients+1)
	equals(t, "properties", len(o.Objects("properties")), clients+1)
	before := 0
	for v := 1; v <= clients+1; v++ {
		doc := r.get(theOrder+"/versions/"+strconv.Itoa(v)).is("version", v).doc()
		if n := len(doc.Texts("tags")); n != before+1 {
			t.Errorf("version %d has %d tags, the one before %d", v, n, before)
		} else {
			before = n
		}
	}
	versions := r.all(theOrder+"/history?limit=50", "version", func() {})
	slices.Reverse(versions)
	for i, v := range versions {
		equals(t, "version of the history's entry", v, strconv.Itoa(i+1))
	}
}

func TestPatchesWithIfMatchAtOnceLetOneThrough(t *testing.T) {
	r := start(t)
	r.post(order)
	var through, refused atomic.Int32
	together(clients, func(i int) {
		a, err := r.try("PATCH", theOrder, fmt.Sprintf(`{"winner":%d}`, i), "If-Match", `"1"`)
		switch {
		case err == nil && a.Status == 200:
			through.Add(1)
		case err == nil && a.Status == 412:
			refused.Add(1)
		default:
			t.Errorf("%v, %d %s", err, a.Status, a.Raw)
		}
	})
	equals(t, "through and refused", fmt.Sprint(through.Load(), refused.Load()), fmt.Sprint(1, clients-1))
	r.get(theOrder).is("version", 2)
}

func TestPostsOfOneIDAtOnceMakeOneOrder(t *testing.T) {
	r := start(t)
	s := answering(t, success)
	r.settings(config(status("New", step{Host: s.URL})))
	var codes [clients]int
	together(clients, func(i int) {
		a, err := r.try("POST", "/api/orders", fmt.Sprintf(`{"id":"one","by":%d}`, i))
		if err != nil {
			t.Error(err)
		}
		codes[i] = a.Status
	})
	slices.Sort(codes[:])
	if codes[0] != 201 || codes[1] != 409 || codes[clients-1] != 409 {
		t.Errorf("answers %v", codes)
	}
	equals(t, "calls", len(s.got()), 1)
	r.get("/api/orders/one/history?limit=200").is("items[1].operation", "Created").is("items[2]", nil)
}

func TestSettingsAtOnceAreWholeAndCounted(t *testing.T) {
	r := start(t)
	together(16, func(i int) {
		a, err := r.try("PUT", "/api/settings", fmt.Sprintf(`{"markets":[{"marketId":"a%d"},{"marketId":"b%d"}]}`, i, i))
		if err != nil || a.Status != 200 {
			t.Errorf("%v, %d %s", err, a.Status, a.Raw)
		}
	})
	seen := map[string]bool{}
	for v := range 16 {
		markets := r.get("/api/settings/" + strconv.Itoa(v+1)).doc().Objects("markets")
		seen[markets[0].Text("marketId")] = true
		equals(t, "the second market", markets[1].Text("marketId")[1:], markets[0].Text("marketId")[1:])
	}
	equals(t, "documents kept", len(seen), 16)
	equals(t, "ETag", r.get("/api/settings").Header.Get("ETag"), `"16"`)
}
