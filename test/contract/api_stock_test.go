package contract

import (
	"fmt"
	"net/url"
	"testing"
	"time"
)

// docs/contract.md#stock.

func TestAStockItemIsStoredReadAndAdjusted(t *testing.T) {
	r := lease(t)
	made := r.call("PUT", "/api/stock/S1", `{"SKU":"SHOE-42","warehouseCode":"oslo","available":3.50}`).want(201)
	equals(t, "ETag", made.Header.Get("ETag"), `"1"`)
	r.get("/api/stock/S1").is("id", "S1").is("sku", "SHOE-42").is("warehouseCode", "oslo").is("available", number("3.50")).is("version", 1).is("created", "2026-11-21T09:00:00.000000Z")
	r.clock.Advance(time.Minute)
	r.call("POST", "/api/stock/S1/adjust", `{"By":-0.25}`).want(200).is("available", number("3.25")).is("version", 2).is("sku", "SHOE-42")
	again := r.call("PUT", "/api/stock/S1", `{"sku":"SHOE-43","available":1}`).want(200).is("version", 3).is("sku", "SHOE-43").is("warehouseCode", "")
	again.is("created", "2026-11-21T09:00:00.000000Z").is("modified", "2026-11-21T09:01:00.000000Z")
	equals(t, "ETag", again.Header.Get("ETag"), `"3"`)
	for _, call := range []string{"GET /api/stock/none", "POST /api/stock/none/adjust"} {
		r.callOf(call, `{"by":1}`).problem(404)
	}
}

func TestAStockItemOfAnotherVersionIsNotChanged(t *testing.T) {
	r := lease(t)
	r.call("PUT", "/api/stock/S1", `{"available":1}`, "If-Match", `"1"`).problem(412)
	r.call("PUT", "/api/stock/S1", `{"available":1}`).want(201)
	r.call("PUT", "/api/stock/S1", `{"available":2}`, "If-Match", `"1"`).want(200)
	r.call("PUT", "/api/stock/S1", `{"available":3}`, "If-Match", `"1"`).problem(412)
	r.call("POST", "/api/stock/S1/adjust", `{"by":3}`, "If-Match", `"1"`).problem(412)
	r.call("POST", "/api/stock/S1/adjust", `{"by":3}`, "If-Match", `"2"`).want(200).is("available", 5)
}

func TestAStockItemMayBeSentBackAsItWasRead(t *testing.T) {
	r := lease(t)
	r.call("PUT", "/api/stock/S1", `{"sku":"SHOE-42","available":3.50,"version":1}`).problem(422, "body.version")
	r.call("PUT", "/api/stock/S1", `{"sku":"SHOE-42","available":3.50,"id":"S1"}`).want(201)
	read := string(r.get("/api/stock/S1").Raw)
	r.call("PUT", "/api/stock/S1", read).want(200).is("version", 2).is("sku", "SHOE-42")
	r.call("PUT", "/api/stock/S1", read).problem(422, "body.version")
	r.call("PUT", "/api/stock/S2", read).problem(422, "body.id")
}

// docs/contract.md#event-types: the rows of the stock item.
func TestStockEvents(t *testing.T) {
	r := lease(t)
	r.call("PUT", "/api/stock/S1", `{"sku":"SHOE-42","available":0}`).want(201)
	r.call("PUT", "/api/stock/S2", `{"available":5}`).want(201)
	for _, call := range []struct{ method, body, want string }{
		{"PUT", `{"sku":"SHOE-42","available":2}`, "stock_item_back_in_stock 2"}, {"PUT", `{"sku":"SHOE-42","available":1}`, ""}, {"POST", `{"by":-1}`, "stock_item_out_of_stock 0"},
		{"POST", `{"by":-1}`, ""}, {"POST", `{"by":1}`, ""}, {"POST", `{"by":0.5}`, "stock_item_back_in_stock 0.5"}, {"PUT", `{"sku":"SHOE-42","available":-1}`, "stock_item_out_of_stock -1"},
	} {
		before := len(r.get("/api/events").ids("id"))
		path := "/api/stock/S1"
		if call.method == "POST" {
			path += "/adjust"
		}
		r.call(call.method, path, call.body).want(200)
		got := ""
		if list := r.get("/api/events"); len(list.ids("id")) > before {
			e := r.get("/api/events/"+list.text("items[0].id")).is("subject.kind", "stockItem").is("subject.id", "S1").is("stockItemId", "S1").is("data.sku", "SHOE-42")
			got = fmt.Sprint(e.text("type"), " ", e.at("data.available"))
		}
		equals(t, call.method+" "+call.body, got, call.want)
	}
	equals(t, "events of S1", len(r.get("/api/events?stockItemId=S1").ids("id")), 4)
	equals(t, "events of S2", len(r.get("/api/events?stockItemId=S2").ids("id")), 0)
}

func TestARepeatedAdjustmentCountsOnce(t *testing.T) {
	r := lease(t)
	r.call("PUT", "/api/stock/S1", `{"sku":"a","available":5}`).want(201)
	first := r.call("POST", "/api/stock/S1/adjust", `{"by":-2}`, "Idempotency-Key", "one").want(200).is("available", 3)
	r.call("PUT", "/api/stock/S1", `{"sku":"b","available":9}`).want(200)
	r.call("POST", "/api/stock/S1/adjust", `{"by":-2}`, "Idempotency-Key", "one").again(first)
	r.call("POST", "/api/stock/S1/adjust", `{"by":-3}`, "Idempotency-Key", "one").problem(409)
	r.get("/api/stock/S1").is("available", 9)
	together(20, func(int) {
		if _, err := r.try("POST", "/api/stock/S1/adjust", `{"by":1}`); err != nil {
			t.Error(err)
		}
	})
	r.get("/api/stock/S1").is("available", 29)
}

func TestWhatNoStockItemCanBe(t *testing.T) {
	r := lease(t)
	for body, places := range map[string][]string{
		`{}`: {"body.available"}, `{"available":"3"}`: {"body.available"}, `{"sku":7,"warehouseCode":[],"available":null}`: {"body.sku", "body.warehouseCode", "body.available"},
		`{"available":1,"colour":"red"}`: {"body.colour"}, `{"available":1,"AVAILABLE":2}`: {"body.available"},
	} {
		r.call("PUT", "/api/stock/S1", body).problem(422, places...)
	}
	r.call("PUT", "/api/stock/S1", `[]`).problem(422)
	r.call("PUT", "/api/stock/S1", ``).problem(400)
	r.call("GET", "/api/stock/S1", "").problem(404)
	r.call("PUT", "/api/stock/S1", `{"available":1}`).want(201)
	for body, place := range map[string]string{`{}`: "body.by", `{"by":"1"}`: "body.by", `{"by":1,"sku":"x"}`: "body.sku"} {
		r.call("POST", "/api/stock/S1/adjust", body).problem(422, place)
	}
	r.get("/api/stock/S1").is("version", 1)
	path := "/api/stock/" + url.PathEscape("oslo/1 ø")
	r.call("PUT", path, `{"available":1}`).want(201).is("id", "oslo/1 ø")
	r.get(path).is("id", "oslo/1 ø")
}
