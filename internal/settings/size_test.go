package settings_test

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/settings"
)

// TestADocumentHasSoMuchOfEach: with more it is refused before each is looked at, and so with one error.
func TestADocumentHasSoMuchOfEach(t *testing.T) {
	for what, c := range map[string]struct {
		doc  string
		most int
	}{
		"workflow steps": {`{"orderTypes":[{"name":"d","orderStatuses":[{"name":"x","workflowSteps":[MANY]}]}]}`, 10_000},
		"5000 are":       {`{"orderTypes":[{"name":"d","orderStatuses":[{},MANY]}]}`, 4_998},
		"and statuses":   {`{"returnStatuses":[MANY]}`, 5_000},
		"connectors":     {`{"connectors":[MANY]}`, 5_000},
		"of steps":       {`{"returnStatuses":[{"workflowSteps":[{"properties":[MANY]}]}]}`, 50_000},
		"and headers of": {`{"connectors":[{"customHeaders":[MANY]}]}`, 50_000},
	} {
		for more := range 2 {
			many := strings.TrimSuffix(strings.Repeat("{},", c.most+more), ",")
			_, _, err := settings.Incoming{Doc: ordertest.Doc(t, strings.Replace(c.doc, "MANY", many, 1))}.Check()
			e, _ := err.(*apierr.Error)
			if refused := e != nil && len(e.Fields) == 1 && strings.Contains(e.Fields[0].Message, what); refused != (more == 1) {
				t.Errorf("%s: with %d more it is %v", what, more, err)
			}
		}
	}
}
