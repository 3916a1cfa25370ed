package oms_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
)

func TestIDsSortByTheTimeTheyWereMade(t *testing.T) {
	ids := make([]string, 10_000)
	for i := range ids {
		ids[i] = oms.NewID(oms.RunID)
	}
	if !slices.IsSorted(ids) || len(slices.Compact(ids)) != 10_000 {
		t.Error("ids are not in order, or one came twice")
	}
	if id := ids[0]; !strings.HasPrefix(id, "run_") || len(id) != len("run_")+32 {
		t.Errorf("the id is %q", id)
	}
}
