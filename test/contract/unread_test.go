package contract

import (
	"fmt"
	"strings"
	"testing"
)

// docs/contract.md#unread-members: answers of steps. Which members
// are named, and what may be meant by them, is in package schema.

// warned returns the paths of the warnings in a list.
func (a answer) warned(list string) (paths []string) {
	a.t.Helper()
	for i := 0; ; i++ {
		path, _ := a.at(fmt.Sprintf("%s[%d].path", list, i)).(string)
		if path == "" {
			return paths
		}
		paths = append(paths, path)
	}
}

func TestWhatNobodyReadsOfAStepsAnswerIsNamed(t *testing.T) {
	for _, row := range []struct {
		body  string
		paths []string
		meant string
	}{
		{`{"CancelWorkflow":true,"ErrorReason":"no"}`, []string{"cancelWorkflow", "errorReason"}, "inside an entry of OrderActionExecutionResults"},
		{`{"IsAborted":true}`, []string{"isAborted"}, "CancelWorkflow inside an entry of OrderActionExecutionResults may be meant"},
		{`{"IsAborted":false}`, nil, ""},
		{`{"OrderPach":{"Tags":["x"]}}`, []string{"orderPach"}, "OrderPatch may be meant"},
		{`{"Value":{"Id":"ORD-12345","Tags":["x"]}}`, []string{"value"}, "OrderPatch may be meant"},
		{`{"Id":"ORD-12345","Tags":["x"]}`, []string{"id", "tags"}, "a field of the order"},
		{`{"OrderActionExecutionResults":[{"Message":"fine","Reason":"x"}]}`, []string{"orderActionExecutionResults[0].reason"}, "ErrorReason may be meant"},
	} {
		t.Run(row.body, func(t *testing.T) {
			s, next := answering(t, row.body), answering(t, success)
			r, res := placed(t, step{Host: s.URL, Stop: true, ErrorStatus: "Bad"}, step{Host: next.URL})
			res.is("isAborted", false).is("order.status", "New").is("order.version", 1).is("order.tags", []string{"first"}).is("order.errors", nil)
			const first = "orderActionExecutionResults[0]."
			res.is(first+"actionStatus", "Success").is("orderActionExecutionResults[1].warnings", nil)
			same(t, "in the result", res.warned(first+"warnings"), row.paths)
			same(t, "in the run", r.get(runOf(res)).warned(first+"warnings"), row.paths)
			e := r.history("ExecuteExportOrder")[0]
			equals(t, "in the history", len(e.Warnings), len(row.paths))
			for i, path := range row.paths {
				equals(t, "in the history", e.Warnings[i].Path, path)
				for _, text := range []string{e.Message, fmt.Sprint(res.at(first + "warnings"))} {
					if !strings.Contains(text, path) || !strings.Contains(text, row.meant) {
						t.Errorf("%q does not name %s and %q", text, path, row.meant)
					}
				}
			}
			list := r.get("/api/attempts?runId="+res.text("runId")).is("items[0].warnings", nil).is("items[1].outcome", "succeeded")
			same(t, "in the list of attempts", list.warned("items[1].warnings"), row.paths)
			same(t, "in the attempt", r.get("/api/attempts/"+list.text("items[1].id")).warned("warnings"), row.paths)
		})
	}
}

func TestWhatNobodyReadsBesideACancelWorkflow(t *testing.T) {
	s := answering(t, `{"OrderActionExecutionResults":[{"CancelWorkflow":true,"ErrorReason":"no"}],"OrderPach":{}}`)
	r, res := placed(t, step{Host: s.URL, Stop: true})
	same(t, "in the result", res.is("isAborted", true).warned("orderActionExecutionResults[0].warnings"), []string{"orderPach"})
	e := r.entry("WorkflowStepFailed")
	equals(t, "in the history", fmt.Sprint(e.Warnings[0].Path, strings.Contains(e.Message, "OrderPatch may be meant")), "orderPachtrue")
	res.is("order.errors[0].message", ofStep(1, 1, "no"))
}

func TestWhatNobodyReadsInAReturnStepsAnswer(t *testing.T) {
	r := returning(t, step{Host: answering(t, `{"OrderPatches":{}}`).URL})
	res := r.giveBack("1").is("orderActionExecutionResults[0].actionStatus", "Success")
	same(t, "in the result", res.warned("orderActionExecutionResults[0].warnings"), []string{"orderPatches"})
	same(t, "in the attempt", r.get("/api/attempts?kind=returnStep").warned("items[0].warnings"), []string{"orderPatches"})
}

func TestWhatNobodyReadsInADryRun(t *testing.T) {
	r := accepting(t, step{Host: answering(t, `{"OrderPach":{}}`).URL})
	same(t, "in the result", r.rehearse("Accepted", calling).want(200).warned("orderActionExecutionResults[0].warnings"), []string{"orderPach"})
}

func TestWhatNobodyReadsInAReplay(t *testing.T) {
	r, _ := placed(t, step{Host: answering(t, success, `{"OrderPach":{}}`).URL})
	first := "/api/attempts/" + r.get("/api/attempts").is("items[0].warnings", nil).text("items[0].id")
	replay := r.call("POST", first+"/replay", "").want(200)
	same(t, "in the replay", replay.is("original.warnings", nil).warned("replay.warnings"), []string{"orderPach"})
	same(t, "in its attempt", r.get("/api/attempts/"+replay.text("replay.id")).warned("warnings"), []string{"orderPach"})
}

func TestFieldsThatAreNotAppliedAreNamedToo(t *testing.T) {
	s := answering(t, answerWith(`{"Tags":["a"],"MarketId":"SWE","OwnField":1}`))
	r, res := placed(t, step{Host: s.URL})
	want := []string{"orderPatch.marketId", "orderPatch.ownField"}
	same(t, "in the result", res.is("order.tags", []string{"first", "a"}).is("order.marketId", "NOR").warned("orderActionExecutionResults[0].warnings"), want)
	same(t, "in the attempt", r.get("/api/attempts").warned("items[0].warnings"), want)
	for _, name := range []string{"marketId", "ownField"} {
		if e := r.entry("PatchFieldsNotApplied"); !strings.Contains(e.Message, name) {
			t.Errorf("%q does not name %s", e.Message, name)
		}
	}
}

func TestErasingAnOrderErasesTheWarningsOfItsAttempts(t *testing.T) {
	r, _ := placed(t, step{Host: answering(t, `{"Kari Nordmann":1}`).URL})
	attempt := "/api/attempts/" + r.get("/api/attempts").text("items[0].id")
	equals(t, "warnings", len(r.get(attempt).warned("warnings")), 1)
	r.call("DELETE", theOrder+"?permanently=true", "").want(204)
	r.get(attempt).says("Kari", "kari")
}

// What of an order, or of a patch, nobody reads stands in the history, too.
func TestTheHistoryNamesWhatNobodyReadsOfAnOrder(t *testing.T) {
	r := lease(t)
	r.post(`{"id":"ORD-12345","status":"New","tags":"vip"}`)
	paths := func(e entry) (out []string) {
		for _, w := range e.Warnings {
			out = append(out, w.Path)
		}
		return out
	}
	equals(t, "of the order", paths(r.entry("Created")), []string{"tags"})
	r.call("PATCH", theOrder, `{"customerPhone":"1","relatedOrders":"o2","forceUpdate":["customerFax"]}`).want(200)
	equals(t, "of the patch", paths(r.entry("Patched")), []string{"relatedOrders", "forceUpdate"})
}
