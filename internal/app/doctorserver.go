package app

import (
	"cmp"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/orderhook/orderhook/internal/breaker"
)

// limits looks at the figures of a server for what was refused, and for budgets that are
// nearly used up.
func (d *Doctor) limits(text []byte) {
	// A metric that a server does not have counts as 0, so an older server is no error.
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(text)))
	if err != nil {
		d.skip("the figures of the server, which cannot be read: %v", err)
		return
	}
	values := func(name string) map[string]float64 {
		all := map[string]float64{}
		for _, m := range families[name].GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				// The names of labels are left out: the values are enough to tell the rows of
				// one metric apart.
				labels = append(labels, l.GetValue())
			}
			// A metric is either a counter or a gauge, and what it is not counts as 0.
			all[strings.Join(labels, ", ")] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
		return all
	}
	// These counters begin at 0 when the server starts, so older refusals are not seen.
	for limit, refused := range values("orderhook_requests_refused_total") {
		if refused > 0 {
			d.found(foundLimit, "", "%.0f requests were refused since the server began: %s", refused, limit)
		}
	}
	// Nine tenths are told of before anything is refused.
	sizes := values("orderhook_budget_size")
	for budget, used := range values("orderhook_budget_used") {
		// A size of 0 is a budget that the server does not tell.
		if size := sizes[budget]; size > 0 && used > 0.9*size {
			d.found(foundLimit, "", "of the budget %s %.0f of %.0f are in use", budget, used, size)
		}
	}
	if troubles := values("orderhook_call_own_troubles_total")[""]; troubles > 0 {
		d.found(foundLimit, "", "%.0f outgoing calls waited because descriptors, ports or memory were short", troubles)
	}
	open, most := values("process_open_fds")[""], values("process_max_fds")[""]
	// The most is 0 where the system does not tell it.
	if most > 0 && open > 0.8*most {
		d.found(foundDescriptors, "", "the server has %.0f of %.0f descriptors open", open, most)
	}
}

// breakers looks for breakers that are open, which the memory of a server has.
// The connectors are those of the tenant of the key that the server was asked with.
func (d *Doctor) breakers(answer []byte) {
	var list struct {
		Items []struct {
			Name, ConnectorID, LastError string
			Breaker                      struct{ Circuit string }
		}
	}
	// Letter case is ignored, so that the fields above need no tags.
	if err := json.Unmarshal(answer, &list, json.MatchCaseInsensitiveNames(true)); err != nil {
		d.skip("the breakers of the server, whose answer cannot be read: %v", err)
		return
	}
	for _, c := range list.Items {
		// A connector whose settings ask for no breaker has one that is "off".
		if circuit := breaker.State(c.Breaker.Circuit); circuit == breaker.Open || circuit == breaker.HalfOpen {
			d.found(foundConnector, "", "connector %s: its breaker is %s: %s", cmp.Or(c.ConnectorID, c.Name), c.Breaker.Circuit, c.LastError)
		}
	}
}

// oneLineOf puts a text on one line, as a finding is one line.
func oneLineOf(text []byte) string { return strings.Join(strings.Fields(string(text)), " ") }
