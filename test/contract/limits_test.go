package contract

import "testing"

// docs/contract.md#which-steps-run: which orders a step is for.

func TestLimitsOfAStep(t *testing.T) {
	const groups = `"marketGroups":[{"groupId":"nordics","marketIds":["NOR","SWE"]},{"groupId":"baltics","marketIds":["EST"]}]`
	for _, row := range []struct {
		limits string
		runs   bool
	}{
		{`"enabledForMarkets":["NOR"]`, true},
		{`"EnabledForMarkets":["swe","nor"]`, true},
		{`"enabledForMarkets":["SWE"]`, false},
		{`"enabledForMarkets":[]`, true},
		{`"disabledForMarkets":["NOR"]`, false},
		{`"disabledForMarkets":["SWE"]`, true},
		{`"enabledForMarkets":["NOR"],"disabledForMarkets":["NOR"]`, false},
		{`"enabledForMarketGroups":["nordics"]`, true},
		{`"enabledForMarketGroups":["baltics"]`, false},
		{`"disabledForMarketGroups":["nordics"]`, false},
		{`"enabledForMarkets":["NOR"],"disabledForMarketGroups":["nordics"]`, false},
		{`"enabledForStores":["oslo-city"]`, true},
		{`"enabledForStores":["bergen"]`, false},
		{`"disabledForStores":["oslo-city"]`, false},
		{`"enabledForStores":["oslo-city"],"disabledForStores":["OSLO-CITY"]`, false},
		{`"enabledForTags":["first","other"]`, true},
		{`"enabledForTags":["other"]`, false},
		{`"disabledForTags":["first"]`, false},
		{`"enabledForTags":["first"],"disabledForTags":["first"]`, false},
		{`"enabledForMarkets":["NOR"],"enabledForStores":["oslo-city"],"enabledForTags":["first"]`, true},
		{`"enabledForMarkets":["NOR"],"enabledForStores":["bergen"]`, false},
	} {
		t.Run(row.limits, func(t *testing.T) {
			s, r := answering(t, ""), lease(t)
			r.settings(with(config(status("New", step{Host: s.URL, More: "," + row.limits})), groups))
			res := r.post(order).is("isAborted", false)
			equals(t, "runs", len(s.got()) == 1, row.runs)
			equals(t, "skipped in the history", len(r.history("WorkflowStepSkipped")), map[bool]int{true: 0, false: 1}[row.runs])
			res.is("orderActionExecutionResults[0].actionStatus", map[bool]any{true: "Success", false: nowhere}[row.runs])
		})
	}
}

func TestLimitsSeeWhatEarlierStepsChanged(t *testing.T) {
	s := answering(t, answerWith(`{"Tags":["fraud"],"StoreId":"bergen"}`), "")
	placed(t, step{Host: s.URL + "/1"}, step{Host: s.URL + "/2", More: `,"disabledForTags":["fraud"]`}, step{Host: s.URL + "/3", More: `,"enabledForStores":["bergen"]`})
	equals(t, "called", s.paths(), []string{"/1", "/3"})
}

func TestConditions(t *testing.T) {
	const (
		ok      = success
		warning = `{"OrderActionExecutionResults":[{"ActionStatus":"Warning"}]}`
		failed  = `{"OrderActionExecutionResults":[{"ActionStatus":"Error"}]}`
	)
	for _, row := range []struct {
		name, conditions string
		before           []string
		runs             bool
	}{
		{"Success after successes", `["Success"]`, []string{ok, ok}, true},
		{"Success as the first step", `["success"]`, nil, true},
		{"Success after a warning", `["Success"]`, []string{ok, warning}, false},
		{"Success after an error", `["Success"]`, []string{failed, ok}, false},
		{"Error after an error", `["Error"]`, []string{failed, ok}, true},
		{"Error after successes", `["Error"]`, []string{ok}, false},
		{"Error after a warning", `["Error"]`, []string{warning}, false},
		{"Warning after a warning", `["Warning"]`, []string{ok, warning, ok}, true},
		{"Warning after successes", `["Warning"]`, []string{ok}, false},
		{"Success or Warning", `["Success","Warning"]`, []string{warning}, true},
		{"none", `[]`, []string{failed}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			last := answering(t, "")
			steps := []step{}
			for _, body := range row.before {
				steps = append(steps, step{Host: answering(t, body).URL})
			}
			placed(t, append(steps, step{Host: last.URL, More: `,"conditions":` + row.conditions})...)
			equals(t, "runs", len(last.got()) == 1, row.runs)
		})
	}
}
