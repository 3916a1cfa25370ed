package settings

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/event"
)

const exporting = `{"orderTypes":[{"name":"Web","default":true,"orderStatuses":[{"name":"New","workflowSteps":[
	{"name":"WebhookWorkflowStep","connector":"W"},
	{"name":"exportorder","connector":"A","displayName":"first","properties":[{"key":"X","value":"1","keyGroup":"RequestHeaders"}]},
	{"name":"ExportOrder","connector":"B","displayName":"second"}]}]}],
	"returnStatuses":[{"name":"Returned","workflowSteps":[{"name":"ExportOrder","connector":"C","properties":[{"key":"X","value":"2","keyGroup":"RequestHeaders"}]}]}]}`

func TestExportSteps(t *testing.T) {
	want := []event.StepRef{{OrderType: "Web", Status: "New", Index: 1, DisplayName: "first"}, {Status: "Returned"}}
	if diff := cmp.Diff(want, mustParse(t, exporting).ExportSteps()); diff != "" {
		t.Error(diff)
	}
}

func TestAnExportFindsItsStepAgain(t *testing.T) {
	s := mustParse(t, exporting)
	for name, c := range map[string]struct {
		ref  event.StepRef
		want string // its connector; "": there is none
	}{
		"where it stands":          {event.StepRef{OrderType: "web", Status: "NEW", Index: 1, DisplayName: "first"}, "A"},
		"others came before it":    {event.StepRef{OrderType: "Web", Status: "New", DisplayName: "second"}, "B"},
		"others after it went":     {event.StepRef{OrderType: "Web", Status: "New", Index: 9, DisplayName: "second"}, "B"},
		"of a return":              {event.StepRef{Status: "Returned"}, "C"},
		"another name":             {event.StepRef{OrderType: "Web", Status: "New", Index: 1, DisplayName: "third"}, ""},
		"no export stands there":   {event.StepRef{OrderType: "Web", Status: "New", Index: 0}, ""},
		"another status":           {event.StepRef{OrderType: "Web", Status: "Paid", Index: 1, DisplayName: "first"}, ""},
		"not the default type's":   {event.StepRef{OrderType: "Store", Status: "New", Index: 1, DisplayName: "first"}, ""},
		"no status of an order":    {event.StepRef{OrderType: "Web", Status: "Returned"}, ""},
		"no status of a return":    {event.StepRef{Status: "New", Index: 1, DisplayName: "first"}, ""},
		"one that was never there": {event.StepRef{}, ""},
	} {
		got := ""
		if st := s.ExportStep(c.ref); st != nil {
			got = st.Connector
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if st := Empty().ExportStep(event.StepRef{OrderType: "Web", Status: "New"}); st != nil {
		t.Errorf("of no settings: %+v", st)
	}
}
