package order_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/schema"
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
	o, warnings, err := schema.ParseOrder(realOrder(t))
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
		if _, _, err := schema.ParseOrder(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkJSON(b *testing.B) {
	o := ordertest.Doc(b, string(realOrder(b)))
	b.ReportAllocs()
	for b.Loop() {
		o.JSON()
	}
}

func BenchmarkPascalJSON(b *testing.B) {
	o := ordertest.Doc(b, string(realOrder(b)))
	b.ReportAllocs()
	for b.Loop() {
		o.PascalJSON()
	}
}

// BenchmarkApply is a patch as a validating step answers with, and one that
// makes the totals anew.
func BenchmarkApply(b *testing.B) {
	o := ordertest.Doc(b, string(realOrder(b)))
	for name, patch := range map[string]string{
		"status and property": `{"status":"Validated","tags":["fraud-checked"],"properties":[{"key":"ValidationScore","value":"95"}]}`,
		"quantity":            `{"orderForm":{"lineItems":[{"lineItemId":"2","quantity":3}]}}`,
	} {
		b.Run(name, func(b *testing.B) {
			p := ordertest.Doc(b, patch)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := order.APIPatch.Apply(o, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkStepRequest(b *testing.B) {
	o, wire := ordertest.Doc(b, string(realOrder(b))), ordertest.Doc(b, `{"name":"WebhookWorkflowStep","connector":"Webhook","stopOnError":true}`)
	b.ReportAllocs()
	for b.Loop() {
		run.StepRequest(o, wire, order.StepScope{ShipmentID: "SHP-20417-1"})
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
			o, p := ordertest.Doc(b, ordertest.Form(`"lineItems":[`+lines[1:]+`]`)), ordertest.Doc(b, ordertest.Form(`"lineItems":[{"lineItemId":"7","quantity":2}]`))
			for b.Loop() {
				if _, err := order.APIPatch.Apply(o, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLarge is what is done with an order of 7 MiB that gets a small patch.
func BenchmarkLarge(b *testing.B) {
	lines := ""
	for n := 0; len(lines) < 7<<10; n++ {
		lines += fmt.Sprintf(`,{"lineItemId":"ID%d","code":"SKU-%d","displayName":"A thing of number %d, of a rather long name","quantity":1,"placedPrice":9.50,"properties":[{"key":"a","value":"%d"}]}`, n, n*7, n, n*31)
	}
	var all strings.Builder
	for n := range 1 << 10 {
		all.WriteString(strings.ReplaceAll(lines, `"ID`, fmt.Sprintf(`"%d-`, n)))
	}
	text := []byte(ordertest.Form(`"lineItems":[` + all.String()[1:] + `]`))
	o, p := ordertest.Doc(b, string(text)), ordertest.Doc(b, `{"a":1}`)
	for _, c := range []struct {
		name string
		do   func()
	}{
		{"parse", func() { _, _ = schema.ParseStored(text) }},
		{"clone", func() { o.Clone() }},
		{"apply", func() { _, _ = order.APIPatch.Apply(o, p) }},
		{"JSON", func() { o.JSON() }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.do()
			}
		})
	}
}

// Every write of an order looks for its events: most have none.
func BenchmarkEventsOfNoChange(b *testing.B) {
	before := ordertest.Doc(b, string(realOrder(b)))
	w := &event.OrderWrite{Before: before, After: &order.Order{ID: "O1", Version: 2, Doc: before.Clone()}, At: ordertest.Noon}
	b.ReportAllocs()
	for b.Loop() {
		if len(w.Events()) > 0 {
			b.Fatal("there was a change")
		}
	}
}

func BenchmarkEventsOfANewOrder(b *testing.B) {
	w := &event.OrderWrite{After: &order.Order{ID: "O1", Version: 1, Doc: ordertest.Doc(b, string(realOrder(b)))}, At: ordertest.Noon}
	b.ReportAllocs()
	for b.Loop() {
		if len(w.Events()) == 0 {
			b.Fatal("an order was stored for the first time")
		}
	}
}
