package order_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
)

func TestAChangeSurvivesJSONWithItsExactNumbers(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change order.Change
		want   string
	}{
		{"numbers", order.Change{Path: "total", Before: jsondoc.Number("10.10"), After: jsondoc.Number("1234567890123456789.00")}, `{"path":"total","before":10.10,"after":1234567890123456789.00}`},
		{"an added field", order.Change{Path: "storeId", After: "bergen"}, `{"path":"storeId","before":null,"after":"bergen"}`},
		{"a field that is gone", order.Change{Path: "isReadOnly", Before: true}, `{"path":"isReadOnly","before":true,"after":null}`},
		{"lists and objects", order.Change{Path: "x", Before: []any{"a", jsondoc.Number("1.0")}, After: jsondoc.NewObject(jsondoc.Member{Name: "å", Value: jsondoc.Number("0.10")})}, `{"path":"x","before":["a",1.0],"after":{"å":0.10}}`},
		{"a conflict", order.Change{Path: "total", Before: jsondoc.Number("1"), After: jsondoc.Number("2.0"), Conflict: true, Theirs: jsondoc.Number("3.00")}, `{"path":"total","before":1,"after":2.0,"theirs":3.00}`},
		{"a conflict with a field that is gone", order.Change{Path: "total", After: "x", Conflict: true}, `{"path":"total","before":null,"after":"x","theirs":null}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data, err := json.Marshal(tc.change)
			if err != nil || string(data) != tc.want {
				t.Fatalf("got %s, %v; want %s", data, err, tc.want)
			}
			var back order.Change
			if err := json.Unmarshal(data, &back); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.change, back, ordertest.ByJSON); diff != "" {
				t.Errorf("after the round trip (-want +got):\n%s", diff)
			}
		})
	}
}

func TestChangesSurviveInsideAHistoryEntry(t *testing.T) {
	in := order.HistoryEntry{ID: "his_1", Changes: []order.Change{{Path: "total", Before: jsondoc.Number("0.10"), After: jsondoc.Number("0.20")}}}
	data, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var back order.HistoryEntry
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in.Changes, back.Changes, ordertest.ByJSON); diff != "" {
		t.Error(diff)
	}
}

func TestAChangeThatIsNoneIsRefused(t *testing.T) {
	for _, in := range []string{`[]`, `{"before":{"a":1,"a":2}}`, `{"path":1}`} {
		var c order.Change
		if err := c.UnmarshalJSON([]byte(in)); err == nil {
			t.Errorf("%s became %v", in, c)
		}
	}
}
