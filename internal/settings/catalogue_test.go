package settings

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/jsondoc"
)

// docs/contract.md#which-steps-run: where each step runs.
func TestStepsAreThoseOfTheSeeds(t *testing.T) {
	var got [][]string
	for _, s := range Steps() {
		got = append(got, append([]string{s.Key, s.Group}, s.ApplicableStatuses...))
		if _, known := stepKey(s.Key); !known {
			t.Errorf("settings warn of %s", s.Key)
		}
	}
	want := [][]string{{"WebhookWorkflowStep", "Export", "All"}, {"WebhookReturnWorkflowStep", "Export", "Returned", "PartiallyReturned"}, {"ExportOrder", "Export", "All"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// docs/contract.md#settings: the fields and properties of both steps. An
// ExportOrder step has no answer that could stop the workflow.
func TestStepPropertiesAreThoseOfTheSeeds(t *testing.T) {
	for _, s := range Steps() {
		stops := s.Key != ExportOrderStep
		got := map[string]StepProperty{}
		for _, p := range append(s.Properties, s.ListedProperties...) {
			if p.Description == "" {
				t.Errorf("%s: %s%s is not described", s.Key, p.Name, p.KeyGroup)
			}
			p.Description = ""
			got[p.Name+p.KeyGroup] = p
		}
		for _, row := range []StepProperty{
			{Name: "connector", Required: true, Type: "string"},
			{Name: "connectorId", Type: "string"},
			{Name: "runAfterOrderIsSaved", Type: "bool", Default: false},
			{Name: "stopOnError", Type: "bool", Default: false},
			{Name: "translateKey", Type: "string"},
			{Name: "Host", Type: "string"},
			{Name: "ErrorStatus", Type: "string"},
			{KeyGroup: "RequestHeaders", Type: "string"},
		} {
			want := row
			if !stops && (row.Name == "stopOnError" || row.Name == "ErrorStatus") {
				want = StepProperty{}
			}
			if diff := cmp.Diff(want, got[row.Name+row.KeyGroup]); diff != "" {
				t.Errorf("%s: %s", s.Key, diff)
			}
		}
	}
}

// What the catalogue offers must be what Parse reads: each property is refused
// with the wrong type.
func TestStepPropertiesAreRead(t *testing.T) {
	for _, s := range Steps() {
		for _, p := range s.Properties {
			doc := document(t, inStatus(`{"name":"`+s.Key+`","connector":"W"}`))
			st := doc.Objects("orderTypes")[0].Objects("orderStatuses")[0].Objects("workflowSteps")[0]
			st.Set(p.Name, jsondoc.NewObject())
			_, _, err := Parse(doc)
			if diff := cmp.Diff([]string{stepAt + "." + p.Name}, locations(t, err)); diff != "" {
				t.Errorf("%s of %s: %s", p.Name, s.Key, diff)
			}
		}
	}
}

// And what Parse reads of a step, the catalogue offers.
func TestFieldsOfAStepAreOffered(t *testing.T) {
	offered := map[string]bool{"name": true, "displayName": true, "properties": true, "implementations": true}
	for _, p := range callProperties() {
		offered[p.Name] = true
	}
	for _, field := range stepKind.read {
		if !offered[field] {
			t.Errorf("%s is not in the catalogue", field)
		}
	}
}

func TestDefaultsOfFalseAreShown(t *testing.T) {
	text, err := json.Marshal(Steps())
	if err != nil || !strings.Contains(string(text), `"name":"stopOnError","required":false,"type":"bool","default":false`) {
		t.Errorf("%s, %v", text, err)
	}
}
