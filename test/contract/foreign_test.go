package contract

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Orders as other systems write them come in as they are, and pass through all
// of orderhook to the digit (docs/contract.md#documents and docs/contract.md#patches).

// foreign is an order in the shape of another system.
type foreign struct {
	name   string
	raw    []byte
	id     string         // "" where the document has none: then one is made
	stored map[string]any // what becomes something else when it is stored, by its path
}

// storedAs is what of each document is not stored as it was sent: ids that are
// numbers become texts, and names of the model get its spelling.
var storedAs = map[string]map[string]any{
	"bigcommerce": {"id": "118"},
	"magento":     {"id": "4117", "subtotal": nil, "subTotal": number("127.0000")},
	"omnium":      {"customerId": "4711", "orderForm.lineItems[4].lineItemId": "17"},
	"shopify":     {"id": "5517846282481"},
	"solidus":     {"id": "558"},
	"spapi": {
		"OrderType": nil, "orderType": "StandardOrder", "SalesChannel": nil, "salesChannel": "Amazon.it", "OrderStatus": nil, "orderStatus": "Unshipped",
		"ShippingAddress": nil, "shippingAddress": map[string]any{"name": "Chiara D’Angelo", "AddressLine1": "Via Garibaldi 9", "AddressLine2": nil, "city": "Torino", "postalCode": "10122",
			"countryCode": "IT", "phone": "", "AddressType": "Residential"},
	},
	"spree":       {"id": "210"},
	"woocommerce": {"id": "727"},
}

// foreigns returns all documents.
func foreigns(t *testing.T) []foreign {
	t.Helper()
	files, err := filepath.Glob("testdata/orders/*.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d documents, %v", len(files), err)
	}
	var all []foreign
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d := foreign{name: strings.TrimSuffix(filepath.Base(file), ".json"), raw: raw}
		d.stored = storedAs[d.name]
		if id := at(t, raw, "id"); id != nil {
			d.id = fmt.Sprint(id)
		}
		all = append(all, d)
	}
	return all
}

// eachForeign runs a test for each document.
func eachForeign(t *testing.T, do func(t *testing.T, d foreign)) {
	t.Helper()
	for _, d := range foreigns(t) {
		t.Run(d.name, func(t *testing.T) { do(t, d) })
	}
}

// status is the status that the document comes in with.
func (d foreign) status(t *testing.T) string {
	t.Helper()
	if s, ok := at(t, d.raw, "status").(string); ok {
		return s
	}
	return "New"
}

// ours are the fields at the top of a document that are orderhook's own.
var ours = []string{"version", "modified"}

// completed are those that it adds where they are missing.
var completed = []string{"id", "status", "created"}

// unchanged fails the test unless what is stored is the document, field by field and
// to the digit.
func (d foreign) unchanged(t *testing.T, stored []byte) {
	t.Helper()
	want, got := tree(t, d.raw).(map[string]any), tree(t, stored).(map[string]any)
	for path, v := range d.stored {
		put(t, want, path, v)
	}
	for _, name := range ours {
		delete(want, name)
		delete(got, name)
	}
	for _, name := range completed {
		if v := want[name]; v == nil {
			delete(want, name)
			delete(got, name)
		}
	}
	unlike(t, d.name, got, want, "")
}
