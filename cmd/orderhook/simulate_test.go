package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/simulate"
)

// TestCausesAreSummedUp: one line says why many orders were not compared, and what was not compared
// does not count as different.
func TestCausesAreSummedUp(t *testing.T) {
	var out bytes.Buffer
	var total simulated
	for i := range 5 {
		o := simulate.Outcome{OrderID: fmt.Sprintf("ORD-%d", i), Runs: 1, Verdict: simulate.NotRecorded, Reason: "a call was cut"}
		if i > 2 {
			o.Verdict, o.Notes = simulate.Same, []string{"A is called at another URL here"}
		}
		total.add(&o)
		total.because(&o)
	}
	err := (&simulation{Settings: "new.json"}).conclude(&session{out: &out}, &total)
	if err == nil || err.Error() != "3 orders not compared" || !strings.HasPrefix(out.String(), "3 orders not on record: a call was cut, as ORD-0\n2 orders the same, but: A is called at another URL here, as ORD-3\nself-check: ") {
		t.Errorf("%v: %s", err, out.String())
	}
	total = simulated{Differ: 1, Unknown: 2}
	if got := total.found(); got != "1 order would not come out the same, 2 orders with an answer that is not on record" {
		t.Error(got)
	}
}
