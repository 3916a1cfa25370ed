package oms_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
)

// realOrder is an order of 5 KB, as a shop posts it.
func realOrder(tb testing.TB) []byte {
	data, err := os.ReadFile("testdata/order.json")
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestTheOrderOfTheBenchmarksIsARealOne(t *testing.T) {
	o, warnings, err := oms.ParseOrder(realOrder(t))
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v, %v", warnings, err)
	}
	if n := len(o.JSON()); n < 4500 || n > 5500 {
		t.Errorf("it is %d bytes long", n)
	}
}

func BenchmarkParse(b *testing.B) {
	data := realOrder(b)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := oms.ParseOrder(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkJSON(b *testing.B) {
	o := doc(b, string(realOrder(b)))
	b.ReportAllocs()
	for b.Loop() {
		o.JSON()
	}
}

func BenchmarkPascalJSON(b *testing.B) {
	o := doc(b, string(realOrder(b)))
	b.ReportAllocs()
	for b.Loop() {
		o.PascalJSON()
	}
}

// BenchmarkApply is a patch as a validating step answers with, and one that
// makes the totals anew.
func BenchmarkApply(b *testing.B) {
	o := doc(b, string(realOrder(b)))
	for name, patch := range map[string]string{
		"status and property": `{"status":"Validated","tags":["fraud-checked"],"properties":[{"key":"ValidationScore","value":"95"}]}`,
		"quantity":            `{"orderForm":{"lineItems":[{"lineItemId":"2","quantity":3}]}}`,
	} {
		b.Run(name, func(b *testing.B) {
			p := doc(b, patch)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := oms.APIPatch.Apply(o, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkStepRequest(b *testing.B) {
	o, wire := doc(b, string(realOrder(b))), doc(b, `{"name":"WebhookWorkflowStep","connector":"Webhook","stopOnError":true}`)
	b.ReportAllocs()
	for b.Loop() {
		oms.StepRequest(o, wire, oms.StepScope{ShipmentID: "SHP-20417-1"})
	}
}

// BenchmarkApplyToManyLines would show time that grows with the square.
func BenchmarkApplyToManyLines(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			lines := ""
			for i := range n {
				lines += fmt.Sprintf(`,{"lineItemId":"%d","placedPrice":199.90,"quantity":1,"extendedPrice":199.90}`, i)
			}
			o, p := doc(b, form(`"lineItems":[`+lines[1:]+`]`)), doc(b, form(`"lineItems":[{"lineItemId":"7","quantity":2}]`))
			for b.Loop() {
				if _, err := oms.APIPatch.Apply(o, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Every write of an order looks for its events: most have none.
func BenchmarkEventsOfNoChange(b *testing.B) {
	before := doc(b, string(realOrder(b)))
	w := &oms.OrderWrite{Before: before, After: &oms.Order{ID: "O1", Version: 2, Doc: before.Clone()}, At: noon}
	b.ReportAllocs()
	for b.Loop() {
		if len(w.Events()) > 0 {
			b.Fatal("there was a change")
		}
	}
}

func BenchmarkEventsOfANewOrder(b *testing.B) {
	w := &oms.OrderWrite{After: &oms.Order{ID: "O1", Version: 1, Doc: doc(b, string(realOrder(b)))}, At: noon}
	b.ReportAllocs()
	for b.Loop() {
		if len(w.Events()) == 0 {
			b.Fatal("an order was stored for the first time")
		}
	}
}
