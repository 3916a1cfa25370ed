package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/schema"
)

// What a field of another shape than the model's is: stored, and named.
func TestWhatHasAnotherShapeIsStoredAndNamed(t *testing.T) {
	const is = "is kept as it is, and nothing reads it: it is "
	for _, tc := range []struct{ name, in, path, message string }{
		{"a number for text", `{"customerEmail":5}`, "customerEmail", "a number where text is expected"},
		{"text for a number", `{"total":"ten"}`, "total", "text where a number is expected"},
		{"text for true or false", `{"isReadOnly":"yes"}`, "isReadOnly", "text where true or false is expected"},
		{"one text for a list of them", `{"tags":"a, b"}`, "tags", "text where a list of texts is expected"},
		{"an element of such a list", `{"tags":["vip",7]}`, "tags[1]", "a number where text is expected"},
		{"null in such a list", `{"tags":[null]}`, "tags[0]", "null where text is expected"},
		{"a list for an object", `{"billingAddress":[]}`, "billingAddress", "a list where an object is expected"},
		{"in an object", `{"billingAddress":{"city":true}}`, "billingAddress.city", "true or false where text is expected"},
		{"an object for a list", `{"properties":{}}`, "properties", "an object where a list of objects is expected"},
		{"an element of it", `{"properties":[{},"x"]}`, "properties[1]", "text where an object is expected"},
		{"in an element", `{"properties":[{"key":1}]}`, "properties[0].key", "a number where text is expected"},
		{"a line's quantity", `{"orderForm":{"lineItems":[{"quantity":"2 pieces"}]}}`, "orderForm.lineItems[0].quantity", "text where a number is expected"},
		{"a shipment's address", `{"orderForm":{"shipments":[{"address":{"line1":1}}]}}`, "orderForm.shipments[0].address.line1", "a number where text is expected"},
		{"a return's line", `{"returnOrderForms":[{"lineItems":[{"returnQuantity":"one"}]}]}`, "returnOrderForms[0].lineItems[0].returnQuantity", "text where a number is expected"},
		{"a note", `{"orderNotes":[{"detail":{}}]}`, "orderNotes[0].detail", "an object where text is expected"},
		{"an asset", `{"assets":[{"length":"long"}]}`, "assets[0].length", "text where a number is expected"},
		{"a contact", `{"contactPerson":{"roles":"buyer"}}`, "contactPerson.roles", "text where a list of texts is expected"},
		{"a list of anything", `{"orderForm":{"shipments":[{"packages":{}}]}}`, "orderForm.shipments[0].packages", "an object where a list is expected"},
		{"any object", `{"orderForm":{"shipments":[{"pickUpPointInformation":1}]}}`, "orderForm.shipments[0].pickUpPointInformation", "a number where an object is expected"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, warnings, err := schema.ParseOrder([]byte(tc.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]apierr.Warning{{Path: tc.path, Message: is + tc.message}}, warnings); diff != "" {
				t.Error(diff)
			}
			if string(got.JSON()) != tc.in {
				t.Errorf("%s became %s", tc.in, got.JSON())
			}
		})
	}
}

// Another system's version is of any shape: a new order's is orderhook's own. A
// patch cannot change it all the same.
func TestTheVersionOfANewOrderIsReplaced(t *testing.T) {
	for _, version := range []string{`"9.3.1"`, `12`, `true`, `{"major":1}`, `[1]`, `null`} {
		doc, warnings, err := schema.ParseOrder([]byte(`{"version":` + version + `}`))
		if err != nil || len(warnings) > 0 {
			t.Errorf("%s: %v, %v", version, warnings, err)
			continue
		}
		o, err := order.NewOrder(doc, ordertest.Noon)
		if err != nil || o.Version != 1 || !strings.Contains(string(o.Doc.JSON()), `"version":1,`) {
			t.Errorf("%s: %v, stored as %s", version, err, o.Doc.JSON())
		}
		patch, _, err := schema.ParseOrderPatch([]byte(`{"version":` + version + `}`))
		if err == nil {
			_, err = order.APIPatch.Apply(o.Doc, patch)
		}
		if refused := apierr.KindOf(err) == apierr.Invalid; refused != (version != `null`) {
			t.Errorf("a patch with the version %s: %v", version, err)
		}
	}
}

func TestWhatTheEngineMustReadIsRefusedInAnotherShape(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{`{"status":2}`, "status: must be text, not a number"},
		{`{"status":["New"]}`, "status: must be text, not a list"},
		{`{"id":true}`, "id: must be text, not true or false"},
		{`{"id":{}}`, "id: must be text, not an object"},
		{`{"orderType":1}`, "orderType: must be text, not a number"},
		{`{"created":20261121}`, "created: must be text, not a number"},
		{`{"marketId":["NOR"]}`, "marketId: must be text, not a list"},
		{`{"orderForm":"none"}`, "orderForm: must be an object, not text"},
		{`{"orderForm":{"lineItems":{}}}`, "orderForm.lineItems: must be a list of objects, not an object"},
		{`{"orderForm":{"lineItems":[{},7]}}`, "orderForm.lineItems[1]: must be an object, not a number"},
		{`{"orderForm":{"lineItems":[{"lineItemId":{}}]}}`, "orderForm.lineItems[0].lineItemId: must be text, not an object"},
		{`{"orderForm":{"shipments":[{"status":1}]}}`, "orderForm.shipments[0].status: must be text, not a number"},
		{`{"orderForm":{"shipments":[{"orderStatus":1}]}}`, "orderForm.shipments[0].orderStatus: must be text, not a number"},
		{`{"orderForm":{"shipments":{}}}`, "orderForm.shipments: must be a list of objects, not an object"},
		{`{"returnOrderForms":[1]}`, "returnOrderForms[0]: must be an object, not a number"},
		{`{"errors":{}}`, "errors: must be a list of objects, not an object"},
		{`{"orderLines":"x"}`, "orderLines: must be a list of objects, not text"},
		{`{"keepExistingListItems":"no"}`, "keepExistingListItems: must be true or false, not text"},
		{`{"propertiesRemovalConditions":["Gift"]}`, "propertiesRemovalConditions[0]: must be an object, not text"},
		{`{"forceUpdate":"status"}`, "forceUpdate: must be a list of texts, not text"},
	} {
		_, _, err := schema.ParseOrderPatch([]byte(tc.in))
		ordertest.Refused(t, err, apierr.Invalid, tc.want)
	}
}

func TestNullAndUnknownFieldsOfEveryTypeAreTaken(t *testing.T) {
	in := `{"customerEmail":null,"tags":null,"orderForm":null,"properties":null,"total":null,"status":null,"id":null,` +
		`"loyalty":{"id":7},"score":"high","grid":[1,"x",null],"orderForm2":{"lineItems":5}}`
	got, warnings, err := schema.ParseOrder([]byte(in))
	if err != nil || len(warnings) > 0 || string(got.JSON()) != in {
		t.Errorf("%s, %v, %v", got.JSON(), warnings, err)
	}
}

// Orders come in as others write them (docs/contract.md#documents).
func TestHowADocumentIsStored(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"an id that is a number", `{"id":450789469}`, `{"id":"450789469"}`},
		{"an id in another spelling of its digits", `{"id":4.50789469e8,"storeId":7.0}`, `{"id":"450789469","storeId":"7"}`},
		{"ids at any depth", `{"marketId":1,"orderForm":{"lineItems":[{"lineItemId":1071823172,"productId":5}],"shipments":[{"shipmentId":3}],"payments":[{"id":9,"paymentId":1}]},"externalIds":[{"id":12}],"orderNotes":[{"id":4}]}`,
			`{"marketId":"1","orderForm":{"lineItems":[{"lineItemId":"1071823172","productId":"5"}],"shipments":[{"shipmentId":"3"}],"payments":[{"id":"9","paymentId":1}]},"externalIds":[{"id":"12"}],"orderNotes":[{"id":"4"}]}`},
		{"lists of ids", `{"projectIds":[1,"b",2.0]}`, `{"projectIds":["1","b","2"]}`},
		{"an id that has no digits of its own", `{"storeId":1e999999999}`, `{"storeId":"1e999999999"}`},
		{"ids that the model does not know", `{"customer":{"id":7},"legacy_id":8}`, `{"customer":{"id":7},"legacy_id":8}`},
		{"money as text", `{"total":"199.00","orderForm":{"lineItems":[{"placedPrice":"49.50","quantity":"2"}]}}`, `{"total":"199.00","orderForm":{"lineItems":[{"placedPrice":"49.50","quantity":"2"}]}}`},
		{"a status in white space", `{"status":" W ","orderForm":{"shipments":[{"status":"Shipped\n","orderStatus":"\tNew"}]}}`, `{"status":"W","orderForm":{"shipments":[{"status":"Shipped","orderStatus":"New"}]}}`},
		{"known names in any case, at their place", `{"STATUS":"New","OrderForm":{"lineitems":[{"LINEITEMID":"1"}]}}`, `{"status":"New","orderForm":{"lineItems":[{"lineItemId":"1"}]}}`},
		{"and nowhere else", `{"payload":{"subtotal":1,"firstname":"K","Status":"x"},"prices":{"EUR":1,"eur":2}}`, `{"payload":{"subtotal":1,"firstname":"K","Status":"x"},"prices":{"EUR":1,"eur":2}}`},
		{"a line's name that only the order knows", `{"orderForm":{"lineItems":[{"MarketID":"x"}]}}`, `{"orderForm":{"lineItems":[{"MarketID":"x"}]}}`},
		{"unknown names as they are", `{"SKU":1,"custom field":2,"_x":3,"$id":"4","Ünï":5}`, `{"SKU":1,"custom field":2,"_x":3,"$id":"4","Ünï":5}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, warnings, err := schema.ParseOrder([]byte(tc.in))
			if err != nil || len(warnings) > 0 {
				t.Fatal(warnings, err)
			}
			if diff := cmp.Diff(tc.want, string(got.JSON())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTwoNamesThatAreOneFieldAreRefused(t *testing.T) {
	for in, place := range map[string]string{
		`{"status":"a","Status":"b"}`:                              "status",
		`{"orderForm":{"lineItems":[{"code":"a","CODE":"b"}]}}`:    "orderForm.lineItems[0].code",
		`{"erpRef":1,"ERPREF":2}`:                                  "ERPREF",
		`{"payload":{"a":1,"a":2}}`:                                "payload.a",
		`{"billingAddress":{"city":"x","x":1,"X":2,"City":"y"}}`:   "billingAddress.X",
		`{"` + strings.Repeat("x", 150) + `":{"same":1,"same":2}}`: "",
	} {
		_, _, err := schema.ParseOrder([]byte(in))
		ordertest.Refused(t, err, apierr.Invalid, "the field is there twice")
		if got := ordertest.Locations(err); len(got) == 0 || place != "" && got[0] != place {
			t.Errorf("%s: %v", in, got)
		}
	}
}

func TestWhatControlsAPatchIsNotStoredWithAnOrder(t *testing.T) {
	in := `{"id":"1","forceUpdate":["id"],"keepExistingListItems":false,"orderForm":{"lineItems":[{"lineItemId":"1","keepExistingCustomProperties":true}]}}`
	got, warnings, err := schema.ParseOrder([]byte(in))
	if err != nil || len(warnings) != 3 {
		t.Fatal(warnings, err)
	}
	ordertest.Same(t, got, `{"id":"1","orderForm":{"lineItems":[{"lineItemId":"1"}]}}`)
}

func TestAnAnswerNamesAtMostTwentyErrorsAndWarnings(t *testing.T) {
	_, _, err := schema.ParseOrder([]byte(fmt.Sprintf(`{"returnOrderForms":[%s1]}`, strings.Repeat("1,", 500))))
	if got := ordertest.Locations(err); len(got) != 20 {
		t.Errorf("%d errors are named", len(got))
	}
	many := strings.Repeat(`{"city":1},`, 500)
	_, warnings, err := schema.ParseOrder([]byte(`{"groups":[` + strings.ReplaceAll(many, "city", "name") + `{}]}`))
	if len(warnings) != 20 || err != nil {
		t.Errorf("%d warnings, %v", len(warnings), err)
	}
	_, warnings, _ = schema.ParseOrder([]byte(fmt.Sprintf(`{"tags":[%s1]}`, strings.Repeat("1,", 500))))
	if len(warnings) != 1 {
		t.Errorf("one list has %d warnings", len(warnings))
	}
}
