package contract

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// docs/contract.md#unread-members: an answer that is the document
// itself says in a header what of the request nobody reads, or was not applied.

func TestAnAnswerWithADocumentNamesWhatWasNotApplied(t *testing.T) {
	const noArray = `"discounts":"ten percent"`
	r := lease(t)
	r.misshapen = true
	r.call("POST", "/api/orders?runWorkflow=false", order).want(201)
	r.call("PUT", theCart, cart).want(201).hasNoWarnings()
	for _, row := range []struct {
		name, method, path, body string
		status                   int
		at, says                 string // "" where there is nothing to say
	}{
		{"a field in another shape, patched", "PATCH", theOrder, `{"orderForm":{` + noArray + `}}`, 200, "body.orderForm.discounts", "list"},
		{"forceUpdate of a field that is not there, and no change", "PATCH", theOrder, `{"forceUpdate":["customerPhoen"]}`, 200, "body.forceUpdate", "customerPhoen"},
		{"a condition that picks nothing", "PATCH", theOrder, `{"propertiesRemovalConditions":[{"value":"web"}]}`, 200, "body.propertiesRemovalConditions", "no key"},
		{"forceUpdate of the id", "PATCH", theOrder, `{"id":null,"forceUpdate":["id"]}`, 200, "body.id", "never changes"},
		{"nothing to say", "PATCH", theOrder, `{"customerPhone":"+47 900 00 000"}`, 200, "", ""},
		{"a shipment that is made", "POST", theOrder + "/shipments", `{"shipmentId":"S-9","packages":"one"}`, 201, "body.packages", "list"},
		{"a shipment that is patched", "PATCH", theOrder + "/shipments/S-9", `{"packages":"two"}`, 200, "body.packages", "list"},
		{"a cart that is stored", "PUT", theCart, strings.Replace(cart, "{", `{"customerName":["Kari"],`, 1), 200, "body.customerName", "text"},
		{"a cart that is patched", "PATCH", theCart, `{"orderForm":{` + noArray + `}}`, 200, "body.orderForm.discounts", "list"},
		{"a cart that nothing changes in", "PATCH", theCart, `{"forceUpdate":["customerPhoen"]}`, 200, "body.forceUpdate", "customerPhoen"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r.t = t
			a := r.call(row.method, row.path, row.body).want(row.status)
			if row.at == "" {
				a.hasNoWarnings()
				return
			}
			w := a.warnings()
			if len(w) != 1 || w[0].Path != row.at || !strings.Contains(w[0].Message, row.says) {
				t.Errorf("warnings %q, want one at %s that has %q", w, row.at, row.says)
			}
		})
	}
}

func TestWarningsInAHeaderAreBoundedAndASCII(t *testing.T) {
	r := lease(t)
	r.call("POST", "/api/orders?runWorkflow=false", order).want(201)
	var names []string
	for i := range 200 {
		names = append(names, fmt.Sprintf("blåbær🫐%d", i))
	}
	forced, err := json.Marshal(names)
	if err != nil {
		t.Fatal(err)
	}
	a := r.call("PATCH", theOrder, `{"forceUpdate":`+string(forced)+`}`).want(200)
	header := a.Header.Get("X-Warnings")
	if len(header) > 5<<10 || strings.ContainsFunc(header, func(c rune) bool { return c < ' ' || c > '~' }) {
		t.Errorf("a header of %d bytes: %.200s", len(header), header)
	}
	w := a.warnings()
	if first, last := w[0], w[len(w)-1]; !strings.Contains(first.Message, "blåbær🫐0") || last.Message != "and more" {
		t.Errorf("%d warnings, from %q to %q", len(w), first, last)
	}
}

type headerWarning struct{ Path, Message string }

func (a answer) warnings() []headerWarning {
	a.t.Helper()
	var w []headerWarning
	if err := json.Unmarshal([]byte(a.Header.Get("X-Warnings")), &w); err != nil || len(w) == 0 {
		a.t.Fatalf("X-Warnings %q: %v", a.Header.Get("X-Warnings"), err)
	}
	return w
}

func (a answer) hasNoWarnings() {
	a.t.Helper()
	if got := a.Header.Values("X-Warnings"); got != nil {
		a.t.Errorf("X-Warnings %q", got)
	}
}
