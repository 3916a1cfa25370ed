package settings

import (
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
)

// How much of each a document may have (docs/contract.md#limits): of types and statuses together, and
// of headers and properties, as well.
const (
	mostSteps      = 10_000
	mostStatuses   = 5_000
	mostConnectors = 5_000
	mostProperties = 50_000
)

// size counts what a document has.
type size struct{ steps, statuses, connectors, properties int }

// checkSize refuses a document that has more of something than anybody needs. Reading one takes up
// to a thousand bytes of memory for each of its parts.
func checkSize(doc *jsondoc.Object) error {
	var s size
	for _, c := range doc.List("connectors") {
		s.connectors++
		if c, ok := c.(*jsondoc.Object); ok {
			s.properties += len(c.List("customHeaders"))
		}
	}
	for _, t := range doc.List("orderTypes") {
		s.statuses++
		if t, ok := t.(*jsondoc.Object); ok {
			s.add(t.List("orderStatuses"))
		}
	}
	s.add(doc.List("returnStatuses"))
	for _, l := range []struct {
		has, most int
		at, what  string
	}{
		{s.connectors, mostConnectors, "connectors", "connectors"},
		{s.statuses, mostStatuses, "orderTypes", "order types and statuses"},
		{s.steps, mostSteps, "orderTypes", "workflow steps"},
		{s.properties, mostProperties, "", "properties of steps and headers of connectors"},
	} {
		if l.has > l.most {
			err := apierr.Wrong(l.at, "the settings have %d %s, and at most %d are allowed", l.has, l.what, l.most)
			err.Detail = "the settings are not valid"
			return err
		}
	}
	return nil
}

// add counts statuses, and what they have.
func (s *size) add(statuses []any) {
	s.statuses += len(statuses)
	for _, status := range statuses {
		if status, ok := status.(*jsondoc.Object); ok {
			steps := status.List("workflowSteps")
			s.steps += len(steps)
			for _, step := range steps {
				if step, ok := step.(*jsondoc.Object); ok {
					s.properties += len(step.List("properties"))
				}
			}
		}
	}
}
