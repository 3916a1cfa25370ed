package model

import (
	"fmt"
	"strings"
	"testing"
)

// reached counts in how many scenarios something happens, by what the model
// says of them.
type reached map[string]int

// TestTheScenariosReachEverything keeps the generators honest: each thing that
// the model knows happens in at least one scenario in a hundred.
func TestTheScenariosReachEverything(t *testing.T) {
	const scenariosDrawn = 1000
	all := reached{}
	for seed := range scenariosDrawn {
		for what := range reachedBy(scenarios.Example(seed)) {
			all[what]++
		}
	}
	for _, what := range wanted {
		if all[what] < scenariosDrawn/100 {
			t.Errorf("%s: in %d of %d scenarios", what, all[what], scenariosDrawn)
		}
	}
	t.Log(all)
}

var wanted = []string{
	"Created", "Patched", "ReturnCreated", "StatusChanged", "ExecuteExportOrder", "WorkflowStepFailed", "WorkflowStepWarning", "WorkflowStepSkipped",
	"PatchFieldsNotApplied", "Conflict", "WorkflowEnded", "run succeeded", "run aborted", "run superseded", "deferred steps succeeded",
	"deferred steps aborted", "deferred steps superseded", "triggered run", "chain too long", "return run", "return step called",
	"step Success", "step Warning", "step Error", "step Skipped", "attempts 1", "attempts 2", "attempts 3", "attempts 4",
	"called by connector", "called at its own host", "connector not found", "changed status", "changed tags", "changed properties", "changed orderForm",
	"changed customerName", "changed orderType", "changed storeId", "answered 422",
}

func reachedBy(s scenario) reached {
	m, out := newOracle(s), reached{}
	m.create()
	for _, a := range s.actions {
		out[fmt.Sprint("answered ", m.act(a).code)]++
	}
	for _, h := range m.history {
		out[strings.Fields(h)[0]]++
	}
	for _, c := range m.calls {
		out["called by connector"] += strings.Count(c, "/connector/")
		out["called at its own host"] += strings.Count(c, "/step/")
	}
	for _, r := range m.runs {
		out.run(r)
	}
	if strings.Contains(m.order.view().String(), "TriggerNewStatus") {
		out["chain too long"]++
	}
	for what, n := range out {
		if n == 0 {
			delete(out, what)
		}
	}
	return out
}

func (c reached) run(r *run) {
	c["run "+r.status]++
	if r.delayed {
		c["deferred steps "+r.status]++
	}
	if r.returned > 0 {
		c["return run"]++
	}
	if r.trigger != "" && r.status != "superseded" {
		c["triggered run"]++
	}
	for _, x := range r.results {
		c["step "+x.status]++
		switch {
		case x.call > 0:
			c[fmt.Sprint("attempts ", x.attempts)]++
		case x.status == "Error":
			c["connector not found"]++
		}
		if x.call > 0 && x.step.key == returnWebhook {
			c["return step called"]++
		}
		for _, field := range x.changed {
			c["changed "+field]++
		}
	}
}
