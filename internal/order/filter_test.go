package order

import (
	"fmt"
	"testing"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

func TestHasUnsolvedErrors(t *testing.T) {
	for errors, want := range map[string]bool{
		`[]`: false, `null`: false, `[null]`: false, `["x"]`: false, `"x"`: false, `{"status":"New"}`: false,
		`[{}]`: true, `[{"status":"New"}]`: true, `[{"status":null}]`: true, `[{"status":"Open"}]`: true,
		`[{"status":"Solved"}]`: false, `[{"status":"deleted"}]`: false, `[{"status":" SOLVED "}]`: false,
		`[{"status":"Solved"},{"key":"a"}]`: true, `[{"status":"Solved"},{"status":"Deleted"}]`: false,
	} {
		order := jsondoc.NewObject(jsondoc.Pair("errors", loose(t, errors)))
		if got := HasUnsolvedErrors(order); got != want {
			t.Errorf("%s: %v", errors, got)
		}
	}
	if HasUnsolvedErrors(jsondoc.NewObject()) {
		t.Error("an order without errors has some")
	}
}

func TestExternalIDs(t *testing.T) {
	for ids, want := range map[string]string{
		`[]`: "[]", `null`: "[]", `"x"`: "[]", `["x",null,{}]`: "[]", `[{"id":""},{"id":null},{"id":true}]`: "[]",
		`[{"providerName":"a","id":"1"},{"id":"x Y"},{"providerName":"b","id":"1"}]`: "[1 x Y]",
		`[{"id":5551234567890}]`: "[5551234567890]",
	} {
		order := jsondoc.NewObject(jsondoc.Pair("externalIds", loose(t, ids)))
		if got := fmt.Sprint(ExternalIDs(order)); got != want {
			t.Errorf("%s: %s", ids, got)
		}
	}
}

// loose is JSON whatever the model says of it.
func loose(t *testing.T, text string) any {
	t.Helper()
	o, err := schema.Parse([]byte(`{"anything":` + text + `}`))
	if err != nil {
		t.Fatal(err)
	}
	v, _ := o.Get("anything")
	return v
}
