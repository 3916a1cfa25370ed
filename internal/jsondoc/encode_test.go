package jsondoc_test

import (
	"encoding/json"
	"testing"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order/ordertest"
)

func TestTheWireHasPascalCaseAtEveryDepth(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"known fields", `{"id":"BGO-1","orderForm":{"lineItems":[{"lineItemId":"1"}]}}`, `{"Id":"BGO-1","OrderForm":{"LineItems":[{"LineItemId":"1"}]}}`},
		{"unknown fields", `{"loyalty":{"tierName":"Gold","steps":[{"at":1}]}}`, `{"Loyalty":{"TierName":"Gold","Steps":[{"At":1}]}}`},
		{"lists of lists", `{"grid":[[{"cell":null}]]}`, `{"Grid":[[{"Cell":null}]]}`},
		{"letters beyond ASCII", `{"årsak":"x","ñandú":1,"ωμέγα":2,"я":3}`, `{"Årsak":"x","Ñandú":1,"Ωμέγα":2,"Я":3}`},
		{"a letter whose capital has another length", `{"ⱥb":1}`, `{"Ⱥb":1}`},
		{"names without letters", `{"":1,"1st":2,"_x":3,"$ref":4,"ßx":5}`, `{"":1,"1st":2,"_x":3,"$ref":4,"ßx":5}`},
		{"a name to escape", `{"\"q":1,"\u0001":2}`, `{"\"q":1,"\u0001":2}`},
		{"values stay", `{"status":"new","total":0.10}`, `{"Status":"new","Total":0.10}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := string(ordertest.Doc(t, tc.in).PascalJSON()); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestDocumentsEncodeInsideOtherJSON(t *testing.T) {
	var none *jsondoc.Object
	got, err := json.Marshal(map[string]any{"order": ordertest.Doc(t, `{"Total":10.10}`), "none": none})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"none":null,"order":{"total":10.10}}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTextFromOutsideIsMadeValidUTF8(t *testing.T) {
	o := jsondoc.NewObject(jsondoc.Member{Name: "errorReason", Value: "dial: Troms\xf8"})
	ordertest.Same(t, ordertest.Doc(t, string(o.JSON())), `{"errorReason":"dial: Troms\ufffd"}`)
}
