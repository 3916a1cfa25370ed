package settings

import (
	"fmt"
	"slices"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/spelling"
)

// stepConditions reads the conditions of a step, from either field: `conditions`,
// or `workflowStepConditions` as the field's own settings have it
// (docs/contract.md#which-steps-run). Where both are given they must say the
// same.
func stepConditions(n node) []Condition {
	own, theirs := n.conditions("conditions"), n.conditions("workflowStepConditions")
	if len(own) > 0 && len(theirs) > 0 && !sameConditions(own, theirs) {
		n.wrong(n.path("workflowStepConditions"), "is another name of conditions, and says something else here")
	}
	if len(own) > 0 {
		return own
	}
	return theirs
}

// sameConditions compares two lists as sets.
func sameConditions(a, b []Condition) bool {
	within := func(list []Condition) func(Condition) bool {
		return func(c Condition) bool { return !slices.Contains(list, c) }
	}
	return !slices.ContainsFunc(a, within(b)) && !slices.ContainsFunc(b, within(a))
}

// conditions reads a list whose entries are the conditions' names, or objects
// that have the name as their type. Anything else in it is an error, since the step would
// run where it should not.
func (n node) conditions(field string) []Condition {
	list, _ := value[[]any](n, field, "a list of conditions")
	var out []Condition
	for i, e := range list {
		entry := node{at: fmt.Sprintf("%s[%d]", n.path(field), i), findings: n.findings}
		switch e := e.(type) {
		case string:
			out = append(out, entry.condition(entry.at, e)...)
		case *jsondoc.Object:
			entry.obj = e
			out = append(out, entry.typedCondition()...)
		default:
			n.wrong(entry.at, "must be %s, or an object with that as its type", conditionNames)
		}
	}
	return out
}

// typedCondition reads `{"type": "Success"}`. Any further member would be a
// limit that nothing heeds.
func (n node) typedCondition() []Condition {
	for _, m := range n.obj.Members() {
		if !spelling.SameName(m.Name, "type") && !isEmpty(m.Value) {
			n.wrong(n.path(clip(m.Name)), "is not known in a condition, which has a type alone: the step would run where it should not")
		}
	}
	return n.condition(n.path("type"), n.required("type"))
}

// conditionNames are the names of the conditions, as messages list them.
const conditionNames = "Success, Error or Warning"

// condition returns the one condition of that name, none where there is none. An unknown
// name is an error.
func (n node) condition(at, name string) []Condition {
	for _, c := range []Condition{OnSuccess, OnError, OnWarning} {
		if spelling.SameName(string(c), name) {
			return []Condition{c}
		}
	}
	if name != "" || at == n.at { // a type that is not there was noted as needed
		n.wrong(at, "must be %s", conditionNames)
	}
	return nil
}
