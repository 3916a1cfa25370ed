package contract

import (
	"fmt"
	"strings"
	"testing"
)

// docs/contract.md#conflicts: the order is changed while an
// endpoint holds the step's call.

// meanwhile runs an order through a step, then a second one, and does something
// to the order while the endpoint of the first holds the call.
func meanwhile(t *testing.T, s step, body string, do func(r *rig)) (*rig, answer, *sink) {
	t.Helper()
	g, second, r := holding(t), answering(t, ""), lease(t)
	s.Host = g.URL
	r.settings(config(status("New", s, step{Host: second.URL}), status("Review", step{Host: second.URL + "/review"})))
	finish := r.begin("/api/orders", order)
	g.wait()
	do(r)
	g.answer(body)
	return r, finish().want(201), second
}

// patched changes the order through the API.
func patched(patch string) func(*rig) {
	return func(r *rig) { r.t.Helper(); r.call("PATCH", theOrder, patch).want(200) }
}

// conflicts returns what the history holds of conflicts, as "path: was, ours, theirs".
func (r *rig) conflicts() []string {
	var out []string
	for _, e := range r.history("Conflict") {
		for _, c := range e.Changes {
			out = append(out, fmt.Sprintf("%s: %v, %v, %v", c.Path, c.Before, c.After, c.Theirs))
		}
	}
	return out
}

func TestBothChangesStandAndConflictsAreRecorded(t *testing.T) {
	for _, row := range []struct {
		name, theirs, ours string
		after              map[string]any
		conflicts          []string
	}{
		{"different fields", `{"customerPhone":"+47 99"}`, `{"CustomerEmail":"step@example.com"}`,
			map[string]any{"customerPhone": "+47 99", "customerEmail": "step@example.com"}, nil},
		{"the same field", `{"customerEmail":"api@example.com"}`, `{"CustomerEmail":"step@example.com"}`,
			map[string]any{"customerEmail": "step@example.com"}, []string{"customerEmail: kari@example.com, step@example.com, api@example.com"}},
		{"the same field, the same value", `{"customerEmail":"new@example.com"}`, `{"CustomerEmail":"new@example.com"}`,
			map[string]any{"customerEmail": "new@example.com"}, nil},
		{"different fields of one line", `{"orderForm":{"lineItems":[{"lineItemId":"L1","displayName":"Shoe"}]}}`, `{"OrderForm":{"LineItems":[{"LineItemId":"L1","Color":"red"}]}}`,
			map[string]any{"orderForm.lineItems[0].displayName": "Shoe", "orderForm.lineItems[0].color": "red"}, nil},
		{"the same field of one line", `{"orderForm":{"lineItems":[{"lineItemId":"L1","quantity":3}]}}`, `{"OrderForm":{"LineItems":[{"LineItemId":"L1","Quantity":1}]}}`,
			map[string]any{"orderForm.lineItems[0].quantity": 1, "orderForm.total": number("10.10")}, []string{"orderForm.lineItems[L1].quantity: 2, 1, 3"}},
		{"one property", `{"properties":[{"key":"Channel","value":"app"}]}`, `{"Properties":[{"Key":"Channel","Value":"store"}]}`,
			map[string]any{"properties[0].value": "store"}, []string{"properties[Channel].value: web, store, app"}},
		{"two properties", `{"properties":[{"key":"Carrier","value":"Bring"}]}`, `{"Properties":[{"Key":"Score","Value":"95"}]}`,
			map[string]any{"properties[1].value": "Bring", "properties[2].value": "95"}, nil},
		{"both add tags", `{"tags":["vip"]}`, `{"Tags":["checked"]}`, map[string]any{"tags": []string{"first", "vip", "checked"}}, nil},
		{"the step replaces the tags", `{"tags":["vip"]}`, `{"Tags":["checked"],"KeepExistingListItems":false}`,
			map[string]any{"tags": []string{"checked"}}, []string{"tags: [first], [checked], [first vip]"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, res, second := meanwhile(t, step{}, answerWith(row.ours), patched(row.theirs))
			equals(t, "conflicts", r.conflicts(), row.conflicts)
			for path, want := range row.after {
				res.is("order."+path, want)
			}
			res.is("isAborted", false).is("orderActionExecutionResults[0].actionStatus", "Success")
			equals(t, "calls of the next step", len(second.got()), 1)
			r.ended().is("items[0].status", "succeeded")
		})
	}
}

func TestAConflictBelongsToItsCall(t *testing.T) {
	r, res, _ := meanwhile(t, step{}, answerWith(`{"CustomerEmail":"step@example.com"}`), patched(`{"customerEmail":"api@example.com"}`))
	e := r.entry("Conflict")
	equals(t, "callId", e.CallID, res.at("orderActionExecutionResults[0].callId"))
	equals(t, "runId", e.RunID, res.at("runId"))
	equals(t, "step", e.Step, "WebhookWorkflowStep")
}

// What another writer removed stays removed, whatever the step wanted of it.
func TestWhatSomeoneElseRemovedStaysRemoved(t *testing.T) {
	r, _, _ := meanwhile(t, step{}, answerWith(`{"CustomerEmail":"step@example.com","Properties":[{"Key":"Channel","Value":"store"}]}`),
		patched(`{"propertiesRemovalConditions":[{"key":"Channel"}]}`))
	r.ended().is("items[0].status", "succeeded")
	r.get(theOrder).is("properties", []string{}).is("customerEmail", "step@example.com")
	e := r.entry("Conflict")
	if len(e.Changes) != 1 || e.Changes[0].Path != "properties[Channel]" || e.Changes[0].Theirs != nil || !strings.Contains(fmt.Sprint(e.Changes[0].After), "store") {
		t.Errorf("the conflict is %+v", e.Changes)
	}
}

// A line without an id makes no conflict of the others.
func TestLinesBesideOneWithoutAnIDDoNotConflict(t *testing.T) {
	for ours, want := range map[string][]string{
		`{"OrderForm":{"LineItems":[{"LineItemId":"L1","PlacedPrice":1.5}]}}`: nil,
		`{"OrderForm":{"LineItems":[{"LineItemId":"L2","Comment":"y"}]}}`:     {"orderForm.lineItems[L2].comment: <nil>, y, x"},
	} {
		g, r := holding(t), lease(t)
		r.settings(config(status("New", step{Host: g.URL})))
		finish := r.begin("/api/orders", strings.Replace(order, `"lineItems":[`, `"lineItems":[{"code":"GIFT","quantity":1,"placedPrice":0},{"lineItemId":"L2"},`, 1))
		g.wait()
		patched(`{"orderForm":{"lineItems":[{"lineItemId":"L2","comment":"x"}]}}`)(r)
		g.answer(answerWith(ours))
		finish().want(201)
		equals(t, "conflicts", r.conflicts(), want)
	}
}

// Only what the step changes comes back of an object that another writer cleared.
func TestAnObjectThatSomeoneElseClearedStaysCleared(t *testing.T) {
	for _, row := range []struct {
		name, theirs, ours string
		after              map[string]any
		conflicts          int
	}{
		{"a field of an address", `{"billingAddress":null,"forceUpdate":["billingAddress"]}`, `{"BillingAddress":{"Name":"Kari Nordmann","City":"Bergen"}}`,
			map[string]any{"billingAddress": map[string]any{"city": "Bergen"}}, 1},
		{"a line of the form", `{"orderForm":null,"forceUpdate":["orderForm"]}`, `{"OrderForm":{"LineItems":[{"LineItemId":"L1","PlacedPrice":1.5}]}}`,
			map[string]any{"orderForm": null}, 1},
		{"an object of a line", `{"orderForm":{"lineItems":[{"lineItemId":"L1","meta":null,"forceUpdate":["meta"]}]}}`, `{"OrderForm":{"LineItems":[{"LineItemId":"L1","Meta":{"A":1,"B":3}}]}}`,
			map[string]any{"orderForm.lineItems[0].meta": map[string]any{"b": 3}}, 1},
		{"an echo of all of it", `{"billingAddress":null,"forceUpdate":["billingAddress"]}`, `{"BillingAddress":{"Name":"Kari Nordmann","City":"Oslo"}}`, map[string]any{"billingAddress": null}, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			g, r := holding(t), lease(t)
			r.settings(config(status("New", step{Host: g.URL})))
			with := strings.Replace(order, "{", `{"billingAddress":{"name":"Kari Nordmann","city":"Oslo"},`, 1)
			finish := r.begin("/api/orders", strings.Replace(with, `"lineItemId":"L1"`, `"lineItemId":"L1","meta":{"a":1,"b":2}`, 1))
			g.wait()
			patched(row.theirs)(r)
			g.answer(answerWith(row.ours))
			finish().want(201)
			stored := r.get(theOrder)
			for path, want := range row.after {
				stored.is(path, want)
			}
			equals(t, "conflicts", len(r.conflicts()), row.conflicts)
		})
	}
}
