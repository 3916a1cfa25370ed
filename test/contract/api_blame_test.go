package contract

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/store"
)

// blamedAt returns what a blame says of one path of the order.
func (r *rig) blamedAt(path, more string) answer {
	r.t.Helper()
	return r.get(theOrder + "/blame?path=" + url.QueryEscape(path) + more)
}

// TestBlameNamesWhoSetAField: the creation, the answer to a step's call, an edit through
// the API, a status; and what was there before.
func TestBlameNamesWhoSetAField(t *testing.T) {
	s := answering(t, answerWith(`{"customerName":"Ola Nes","storeId":"Bergen"}`))
	r := lease(t)
	r.settings(config(status("New"), status("Checked", step{Host: s.URL, More: `,"displayName":"ERP check"`})))
	created := r.post(order)
	r.enter("Checked")
	edited := r.call("PATCH", theOrder, `{"storeId":"Oslo"}`).want(200)
	equals(t, "the first field", r.get(theOrder+"/blame?limit=1").text("items[0].pointer"), "/"+r.get(theOrder).doc().Members()[0].Name)

	attempt := r.get("/api/attempts?kind=step")
	name := r.blamedAt("customerName", "").is("items[0].value", "Ola Nes").is("items[0].pointer", "/customerName").is("items[1]", nil)
	name.is("items[0].source.operation", "ExecuteExportOrder").is("items[0].source.step", "WebhookWorkflowStep").is("items[0].source.displayName", "ERP check")
	name.is("items[0].source.callId", attempt.text("items[0].callId")).is("items[0].source.attemptId", attempt.text("items[0].id")).is("items[0].source.requestId", nil)
	place := r.blamedAt("/storeId", "").is("items[0].value", "Oslo").is("items[0].before", "Bergen").is("items[0].unknown", nil)
	place.is("items[0].source.operation", "Patched").is("items[0].source.by", "key "+r.get("/api/me").text("id")).is("items[0].source.requestId", edited.Header.Get("X-Request-Id"))
	r.blamedAt("status", "").is("items[0].value", "Checked").is("items[0].before", "New").is("items[0].source.operation", "StatusChanged")
	id := r.blamedAt("id", "").is("items[0].version", 1).is("items[0].added", true).is("items[0].before", nil).is("items[0].source.operation", "Created")
	id.is("items[0].source.requestId", created.Header.Get("X-Request-Id"))

	all := r.blamedAt("storeId", "&all=true").is("items[0].value", "Oslo").is("items[1].value", "Bergen").is("items[1].source.step", "WebhookWorkflowStep").is("nextCursor", nil)
	equals(t, "values of the store", len(all.ids("value")) >= 2, true)
	r.get(theOrder+"/history").is("items[0].requestId", edited.Header.Get("X-Request-Id"))
}

// TestBlameIsRead page by page, and whole; nothing of it is of another tenant.
func TestBlameIsRead(t *testing.T) {
	r := lease(t)
	r.call("POST", "/api/orders", `{"id":"ORD-12345","x":[1.10,{"a":"b"}],"y":{}}`).want(201)
	whole := r.get(theOrder + "/blame?limit=1000").ids("pointer")
	same(t, "page by page", r.all(theOrder+"/blame?limit=3", "pointer", func() {}), whole)
	r.blamedAt("x", "").is("items[0].value", number("1.10")).is("items[0].path", "x[#0]").is("items[1].pointer", "/x/1/a").is("items[2]", nil)
	r.blamedAt("y", "").is("items[0].version", 1)
	r.blamedAt("nowhere", "").is("items", []string{})
	r.call("GET", theOrder+"/blame?all=true", "").problem(422, "query.path")
	r.call("GET", theOrder+"/blame?cursor=x", "").problem(422, "query.cursor")
	r.call("GET", theOrder+"/blame?limit=1001", "").problem(422, "query.limit")
	r.call("GET", "/api/orders/none/blame", "").problem(404)
	r.stranger().call("GET", theOrder+"/blame", "").problem(404)
}

// TestBlameSaysWhatItDoesNotKnow: versions that retention removed set what is left.
func TestBlameSaysWhatItDoesNotKnow(t *testing.T) {
	r := lease(t)
	r.call("POST", "/api/orders", `{"id":"ORD-12345","a":1,"b":1}`).want(201)
	for n := range 3 {
		r.call("PATCH", theOrder, fmt.Sprintf(`{"b":%d}`, n+2)).want(200)
	}
	err := r.store.RemoveOld(t.Context(), r.tenant(), store.RetainedVersions, r.clock.Now().Add(time.Hour), func(context.Context) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	r.blamedAt("a", "").is("items[0].unknown", "olderThanKept").is("items[0].version", nil).is("items[0].before", nil).is("items[0].source", nil)
	r.blamedAt("b", "").is("items[0].unknown", "olderThanKept").is("items[0].value", 4)
	r.call("PATCH", theOrder, `{"b":9}`).want(200)
	r.blamedAt("b", "").is("items[0].version", 5).is("items[0].before", 4)
}

// TestBlameLooksBackSoFar: what is older than the versions that are looked at says so.
func TestBlameLooksBackSoFar(t *testing.T) {
	r := lease(t)
	r.call("POST", "/api/orders", `{"id":"ORD-12345","a":1,"b":1}`).want(201)
	const versions = 1005
	err := r.store.Write(t.Context(), func(tx store.Tx) error {
		o, err := tx.Order(t.Context(), r.tenant(), "ORD-12345")
		for n := 0; n < versions && err == nil; n++ {
			next := *o
			next.Version, next.Doc = o.Version+1, o.Doc.Clone()
			if n == 1 || n == versions-1 {
				next.Doc.Set("b", jsondoc.Number(fmt.Sprint(n)))
			}
			o, err = &next, tx.UpdateOrder(t.Context(), r.tenant(), &next)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	r.blamedAt("a", "").is("items[0].unknown", "notLookedAt").is("items[0].version", nil)
	r.blamedAt("b", "").is("items[0].version", versions+1).is("items[0].before", 1).is("items[0].source", nil)
	r.blamedAt("b", "&all=true").is("items[0].version", versions+1).is("items[1].value", 1).is("items[1].unknown", "notLookedAt").is("items[2]", nil)
}

// TestBlameOfLargeOrdersEndsEarly: of an order of 9 MiB a page of fields looks at a few
// versions, so that it is answered soon; the values of one field are looked for twice as far.
func TestBlameOfLargeOrdersEndsEarly(t *testing.T) {
	r := start(t)
	r.call("POST", "/api/orders", `{"id":"ORD-12345","a":1,"large":"`+strings.Repeat("x", 9<<20)+`"}`).want(201)
	for n := range 5 {
		r.call("PATCH", theOrder, fmt.Sprintf(`{"b":%d}`, n)).want(200)
	}
	r.blamedAt("a", "").is("items[0].unknown", "notLookedAt").is("items[0].version", nil)
	r.blamedAt("b", "").is("items[0].version", 6)
	r.blamedAt("a", "&all=true").is("items[0].version", 1)
}

// TestBlameReadsTheHistoryFarBack: the entry of a version is found behind many others.
func TestBlameReadsTheHistoryFarBack(t *testing.T) {
	r := lease(t)
	r.call("POST", "/api/orders", `{"id":"ORD-12345","a":1}`).want(201)
	for n := range 210 { // more than a page of the history has
		r.call("PATCH", theOrder, fmt.Sprintf(`{"b":%d}`, n)).want(200)
	}
	r.blamedAt("a", "").is("items[0].version", 1).is("items[0].source.operation", "Created")
	r.blamedAt("b", "").is("items[0].version", 211).is("items[0].source.operation", "Patched")
}
