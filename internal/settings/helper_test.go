package settings

import (
	"errors"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

func document(t testing.TB, text string) *jsondoc.Object {
	t.Helper()
	doc, err := schema.Parse([]byte(text))
	if err != nil {
		t.Fatalf("not a document: %v\n%s", err, text)
	}
	return doc
}

func mustParse(t testing.TB, text string) *Settings {
	t.Helper()
	s, _, err := Parse(document(t, text))
	if err != nil {
		t.Fatalf("Parse: %v\n%s", err, text)
	}
	return s
}

// inStatus is settings of one order type whose status New has these steps.
func inStatus(steps string) string {
	return `{"orderTypes":[{"name":"Web","orderStatuses":[{"name":"New","workflowSteps":[` + steps + `]}]}]}`
}

const stepAt = "orderTypes[0].orderStatuses[0].workflowSteps[0]"

func onlyStep(t testing.TB, step string) *Step {
	t.Helper()
	return &mustParse(t, inStatus(step)).OrderType("Web").Status("New").Steps[0]
}

// locations returns where the errors of an error are.
func locations(t testing.TB, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*apierr.Error](err)
	if !ok || e.Kind != apierr.Invalid {
		t.Fatalf("error is %#v, want one of kind Invalid", err)
	}
	var at []string
	for _, f := range e.Fields {
		at = append(at, f.Location)
	}
	return at
}

// plain is a document with the texts of secrets that are not stored yet.
func plain(doc *jsondoc.Object) string {
	doc = doc.Clone()
	for _, sec := range secretsOf(doc) {
		sec.in.Set(sec.field, sec.value().Unsealed())
	}
	return string(doc.JSON())
}
