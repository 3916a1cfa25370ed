package contract

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// docs/contract.md#conflicts: the status is theirs.

func entering(status string) func(*rig) {
	return func(r *rig) {
		r.t.Helper()
		r.call("POST", theOrder+"/status?wait=false", fmt.Sprintf(`{"status":%q}`, status)).want(202)
	}
}

func TestAStatusThatSomeoneElseChangedStays(t *testing.T) {
	const changed = `{"CustomerEmail":"step@example.com","Status":"Validated"}`
	for _, row := range []struct {
		name   string
		body   string
		stop   bool
		do     func(*rig)
		status string // of the order
		email  string
		result string // of the first step
		wanted any    // what the step would have set
	}{
		{"answered", success, false, patched(`{"status":"Canceled"}`), "Canceled", "kari", "Success", nil},
		{"a patch with a status", answerWith(changed), false, patched(`{"status":"Canceled"}`), "Canceled", "step", "Success", "Validated"},
		{"a patch with the status that was sent", answerWith(`{"CustomerEmail":"step@example.com","Status":"new"}`), false, patched(`{"status":"Canceled"}`), "Canceled", "step", "Success", nil},
		{"no TriggerNewStatus", triggering("Review"), false, patched(`{"status":"Canceled"}`), "Canceled", "kari", "Success", nil},
		{"no ErrorStatus after CancelWorkflow", strings.TrimSuffix(canceled, "}") + `,"OrderPatch":` + changed + "}", true, patched(`{"status":"Canceled"}`), "Canceled", "step", "Error", "Failed"},
		{"no ErrorStatus after a failure", "garbage", true, patched(`{"status":"Canceled"}`), "Canceled", "kari", "Error", "Failed"},
		{"deleted", answerWith(changed), false, func(r *rig) { r.call("DELETE", theOrder+"?wait=false", "").want(202) }, "Deleted", "step", "Success", "Validated"},
		{"another status entered", answerWith(changed), false, entering("Review"), "Review", "step", "Success", "Validated"},
		{"changed there and back", answerWith(changed), false, func(r *rig) {
			patched(`{"status":"Canceled"}`)(r)
			patched(`{"status":"New"}`)(r)
		}, "New", "step", "Success", "Validated"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, res, second := meanwhile(t, step{Stop: row.stop, ErrorStatus: "Failed"}, row.body, row.do)
			res.is("isAborted", false).is("orderActionExecutionResults[0].actionStatus", row.result).is("orderActionExecutionResults[1]", nil)
			runs := r.ended()
			r.get(theOrder).is("status", row.status).is("customerEmail", row.email+"@example.com")
			last := map[bool]string{true: "1", false: "0"}[row.status == "Review" || row.status == "Deleted"]
			runs.is("items["+last+"].status", "superseded")
			equals(t, "further calls", second.paths(), map[bool][]string{true: []string{"/review"}, false: []string{}}[row.status == "Review"])
			equals(t, "conflicts", r.conflicts(), []string{fmt.Sprintf("status: New, %v, %s", row.wanted, row.status)})
		})
	}
}

func TestAPatchThatChangesNothingOfTheStatusIsNoConflict(t *testing.T) {
	r, _, second := meanwhile(t, step{}, success, patched(`{"status":"NEW","customerPhone":"+47 99"}`))
	r.ended().is("items[0].status", "succeeded")
	equals(t, "calls of the next step", len(second.got()), 1)
}

func TestAFailureOfASupersededRunIsNotRetried(t *testing.T) {
	r := lease(t)
	s := endpoint(t, func(w http.ResponseWriter, _ int) {
		if _, err := r.try("PATCH", theOrder, `{"status":"Canceled"}`); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	r.settings(config(status("New", step{Host: s.URL, Stop: true, ErrorStatus: "Failed"})))
	r.post(order).is("isAborted", false).is("order.status", "Canceled").is("orderActionExecutionResults[0].attempts", 1)
	r.ended().is("items[0].status", "superseded")
	equals(t, "waits", len(r.clock.Waits()), 0)
}

func TestAStatusChangedInARetryDelayStays(t *testing.T) {
	r := lease(t)
	r.settings(config(status("New", step{Host: failing(t, 9, http.StatusServiceUnavailable).URL, Stop: true, ErrorStatus: "Failed"})))
	r.clock.Hold()
	finish := r.begin("/api/orders", order)
	r.until("the run waits", func() bool { return len(r.clock.Waits()) == 1 })
	patched(`{"status":"Canceled"}`)(r)
	r.clock.Release()
	finish().want(201).is("order.status", "Canceled").is("isAborted", false)
	r.ended().is("items[0].status", "superseded")
	equals(t, "waits", len(r.clock.Waits()), 1)
}

// The conflict says which status the run knew, which it wanted, and which is there.
func TestTheConflictOfAStatusHasAllThreeOfThem(t *testing.T) {
	g := holding(t)
	r := ordered(t, config(status("Parked", step{Host: g.URL})))
	finish := r.begin(theOrder+"/status", `{"status":"Parked"}`)
	g.wait()
	r.call("PATCH", theOrder, `{"status":"Held"}`).want(200)
	g.answer(answerWith(`{"Status":"Paid"}`))
	finish().want(200).is("runStatus", "superseded")
	r.get(theOrder+"/history").is("items[1].operation", "Conflict").is("items[1].changes[0].before", "Parked").
		is("items[1].changes[0].after", "Paid").is("items[1].changes[0].theirs", "Held")
}
