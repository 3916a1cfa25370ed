package ids_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/ids"
)

func TestIDsSortByTheTimeTheyWereMade(t *testing.T) {
	list := make([]string, 10_000)
	for i := range list {
		list[i] = ids.New(ids.Run)
	}
	if !slices.IsSorted(list) || len(slices.Compact(list)) != 10_000 {
		t.Error("ids are not in order, or one came twice")
	}
	if id := list[0]; !strings.HasPrefix(id, "run_") || len(id) != len("run_")+32 {
		t.Errorf("the id is %q", id)
	}
}
