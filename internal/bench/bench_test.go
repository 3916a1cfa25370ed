package bench

import (
	"bytes"
	"strings"
	"testing"
)

func TestTheReportHasEveryMeasurement(t *testing.T) {
	var out bytes.Buffer
	if err := Run(t.Context(), Options{Out: &out, Quick: true, Version: "test"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"engine overhead of the step", "| 1 |", "| 8 |", "| 64 |", "overhead of the validation", "endpoints allow", "runs waiting"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in the report:\n%s", want, out.String())
		}
	}
}
