package oms_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/oms"
)

func TestCheckOrderNamesTheFieldWhoseTypeIsWrong(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"text", `{"customerEmail":5}`, "customerEmail: must be text, not a number"},
		{"a number", `{"total":"10.00"}`, "total: must be a number, not text"},
		{"true or false", `{"isReadOnly":"yes"}`, "isReadOnly: must be true or false, not text"},
		{"a list of texts", `{"tags":"vip"}`, "tags: must be a list of texts, not text"},
		{"an element of such a list", `{"tags":["vip",7]}`, "tags[1]: must be text, not a number"},
		{"null in such a list", `{"tags":[null]}`, "tags[0]: must be text, not null"},
		{"an object", `{"billingAddress":[]}`, "billingAddress: must be an object, not a list"},
		{"in an object", `{"billingAddress":{"city":true}}`, "billingAddress.city: must be text, not true or false"},
		{"a list of objects", `{"properties":{}}`, "properties: must be a list of objects, not an object"},
		{"an element of it", `{"properties":[{},"x"]}`, "properties[1]: must be an object, not text"},
		{"in an element", `{"properties":[{"key":1}]}`, "properties[0].key: must be text, not a number"},
		{"a line", `{"orderForm":{"lineItems":[{"quantity":"2"}]}}`, "orderForm.lineItems[0].quantity: must be a number, not text"},
		{"a shipment's address", `{"orderForm":{"shipments":[{"address":{"line1":1}}]}}`, "orderForm.shipments[0].address.line1: must be text, not a number"},
		{"a payment", `{"orderForm":{"payments":[{"amount":"1"}]}}`, "orderForm.payments[0].amount: must be a number, not text"},
		{"a return's line", `{"returnOrderForms":[{"lineItems":[{"returnQuantity":"1"}]}]}`, "returnOrderForms[0].lineItems[0].returnQuantity: must be a number, not text"},
		{"a note", `{"orderNotes":[{"detail":{}}]}`, "orderNotes[0].detail: must be text, not an object"},
		{"an external id", `{"externalIds":[{"id":1}]}`, "externalIds[0].id: must be text, not a number"},
		{"an asset", `{"assets":[{"length":"1"}]}`, "assets[0].length: must be a number, not text"},
		{"an error", `{"errors":[{"key":1}]}`, "errors[0].key: must be text, not a number"},
		{"a contact", `{"contactPerson":{"roles":"buyer"}}`, "contactPerson.roles: must be a list of texts, not text"},
		{"a list of anything", `{"orderForm":{"shipments":[{"packages":{}}]}}`, "orderForm.shipments[0].packages: must be a list, not an object"},
		{"any object", `{"orderForm":{"shipments":[{"pickUpPointInformation":1}]}}`, "orderForm.shipments[0].pickUpPointInformation: must be an object, not a number"},
		{"a patch's flag", `{"keepExistingListItems":"no"}`, "keepExistingListItems: must be true or false, not text"},
		{"a patch's conditions", `{"propertiesRemovalConditions":["Gift"]}`, "propertiesRemovalConditions[0]: must be an object, not text"},
		{"a patch's forceUpdate", `{"forceUpdate":"status"}`, "forceUpdate: must be a list of texts, not text"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, f := range oms.CheckOrder(doc(t, tc.in), "") {
				got = append(got, f.Location+": "+f.Message)
			}
			if diff := cmp.Diff([]string{tc.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCheckOrderTakesNullAndUnknownFieldsOfEveryType(t *testing.T) {
	in := `{"customerEmail":null,"tags":null,"orderForm":null,"properties":null,"total":null,
		"loyalty":{"id":7},"score":"high","grid":[1,"x",null],"orderForm2":{"lineItems":5}}`
	if wrong := oms.CheckOrder(doc(t, in), ""); len(wrong) > 0 {
		t.Errorf("refused: %v", wrong)
	}
}

func TestCheckOrderPutsThePathInFront(t *testing.T) {
	got := fieldLocations(oms.CheckOrder(doc(t, `{"tags":[1],"status":2}`), "orderPatch"))
	if diff := cmp.Diff([]string{"orderPatch.tags[0]", "orderPatch.status"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestCheckOrderNamesAtMostTwentyMistakes(t *testing.T) {
	if got := oms.CheckOrder(doc(t, fmt.Sprintf(`{"tags":[%s1]}`, strings.Repeat("1,", 500))), ""); len(got) != 20 {
		t.Errorf("%d mistakes are named", len(got))
	}
}
