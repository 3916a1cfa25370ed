package checkup

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// exampleOrder is the order of those who give none: that of the examples of events, new.
func exampleOrder() *jsondoc.Object {
	t, _ := event.KnownEventType(event.TypeOrderCreated)
	doc := parsed(t.Example)
	for _, name := range []string{"id", "orderNumber", "created", "modified", "version"} {
		doc.Delete(name)
	}
	return doc
}

// exampleCart is that order before it was one.
func exampleCart() *jsondoc.Object {
	doc := exampleOrder()
	doc.Delete("status")
	form := doc.Object("orderForm")
	form.Delete("payments")
	form.Delete("shipments")
	return doc
}

// parsed reads a document that is part of the program, as a server does that takes it.
func parsed(text []byte) *jsondoc.Object {
	doc, _, err := schema.ParseOrder(text)
	if err != nil {
		panic(err)
	}
	return doc
}

// document returns a new order or cart for a call: that of the options, else an example, with
// an id of its own if that has none.
func (p *probe) document() *jsondoc.Object {
	doc := p.o.Document.Clone()
	if doc == nil {
		doc = p.kind.example()
	}
	if doc.Text("id") == "" {
		doc.Set("id", p.id())
	}
	return doc
}

// the texts of the case unicode: letters beyond ASCII, beyond two bytes and beyond 16 bits,
// letters of two code points, writing from right to left, and what JSON and HTML escape.
const (
	oddName = `Åse Bjørnsdóttir Łukaszewicz 李小龍 😀`
	oddText = "Jose\u0301 \"Pepe\" O'Hara \\ <b>&amp;</b> مرحبا \u2028 ½ € \U0001F468\u200D\U0001F469\u200D\U0001F467"
)

// unicodeDocument is full of letters that programs lose.
func (p *probe) unicodeDocument() *jsondoc.Object {
	doc := p.document()
	doc.Set("customerName", oddName)
	doc.Set("tags", append(doc.List("tags"), "blåbær"))
	doc.Set("billingAddress", jsondoc.NewObject(jsondoc.Pair("name", oddName), jsondoc.Pair("line1", oddText), jsondoc.Pair("city", "Tromsø")))
	doc.Set("properties", append(doc.List("properties"), jsondoc.NewObject(jsondoc.Pair("key", "Gruß"), jsondoc.Pair("value", oddText))))
	for _, line := range doc.Object("orderForm").Objects("lineItems") {
		line.Set("displayName", oddText)
	}
	return doc
}

// The order of the case big has so many lines, and a text so often in each, that it comes near
// the 10 MiB that an order may have (docs/contract.md#limits): as a step it is sent with twice
// that, since its lines stand in it twice. A cart has half of that: validators send lines back,
// and an answer may have 5 MiB.
const (
	bigLines      = 2500
	longTimes     = 12
	longTimesCart = 5
)

// bigDocument has many lines.
func (p *probe) bigDocument() *jsondoc.Object {
	doc := p.document()
	form := doc.Object("orderForm")
	if form == nil {
		form = &jsondoc.Object{}
		doc.Set("orderForm", form)
	}
	text := strings.Repeat(longText, longTimes)
	if p.o.Kind == Validator {
		text = strings.Repeat(longText, longTimesCart)
	}
	lines := make([]any, bigLines)
	for i := range lines {
		n := strconv.Itoa(i + 1)
		lines[i] = jsondoc.NewObject(jsondoc.Pair("lineItemId", n), jsondoc.Pair("code", "BIG-"+n), jsondoc.Pair("productId", "BIG-"+n),
			jsondoc.Pair("displayName", "Line "+n+" of an order that is larger than most"), jsondoc.Pair("quantity", jsondoc.Number("1")),
			jsondoc.Pair("placedPrice", jsondoc.Number("10.00")), jsondoc.Pair("taxRate", jsondoc.Number("25")), jsondoc.Pair("unit", "stk"),
			jsondoc.Pair("properties", []any{jsondoc.NewObject(jsondoc.Pair("key", "Comment"), jsondoc.Pair("value", text))}))
	}
	form.Set("lineItems", lines)
	for _, name := range []string{"subTotal", "total", "shipments", "payments"} {
		form.Delete(name)
	}
	return doc
}

// longText makes a line of the big order as long as real ones are, with descriptions and
// properties.
const longText = "Real lines have descriptions, sizes, colours, discounts, taxes, warehouses, serial numbers and properties of many systems, " +
	"so that one of them has half a kilobyte and more. This text is in place of all that, and means nothing else. It is repeated in each line of this order."

// numbersDocument has amounts that binary floating point cannot hold, and ids and digits
// beyond it.
func (p *probe) numbersDocument() *jsondoc.Object {
	doc := p.document()
	form := doc.Object("orderForm")
	if form == nil {
		form = &jsondoc.Object{}
		doc.Set("orderForm", form)
	}
	var lines []any
	for i, price := range []jsondoc.Number{"0.10", "19.99", "1.15", "1234567.8950", "4.35"} {
		lines = append(lines, jsondoc.NewObject(jsondoc.Pair("lineItemId", strconv.Itoa(i+1)), jsondoc.Pair("code", fmt.Sprint("NUM-", i+1)),
			jsondoc.Pair("quantity", jsondoc.Number("3")), jsondoc.Pair("placedPrice", price),
			jsondoc.Pair("serialNumber", jsondoc.Number("9007199254740993")), jsondoc.Pair("weightInKg", jsondoc.Number("0.1234567890123456789"))))
	}
	form.Set("lineItems", lines)
	for _, name := range []string{"subTotal", "total", "shipments", "payments"} {
		form.Delete(name)
	}
	return doc
}

// missingDocument has next to nothing: what a caller left out is not there.
func (p *probe) missingDocument() *jsondoc.Object {
	full := p.document()
	doc := jsondoc.NewObject(jsondoc.Pair("id", full.Text("id")))
	if status := full.Text("status"); status != "" {
		doc.Set("status", status)
	}
	if p.o.Kind == Return { // something has to be returned
		line := jsondoc.NewObject(jsondoc.Pair("lineItemId", "1"), jsondoc.Pair("quantity", jsondoc.Number("1")))
		doc.Set("orderForm", jsondoc.NewObject(jsondoc.Pair("lineItems", []any{line})))
	}
	return doc
}

// unknownDocument has fields that the endpoint has never heard of, in each kind of place.
func (p *probe) unknownDocument() *jsondoc.Object {
	doc := p.document()
	extend := func(o *jsondoc.Object) {
		o.Set("checkText", "text")
		o.Set("checkNumber", jsondoc.Number("12.50"))
		o.Set("checkNull", nil)
		o.Set("checkList", []any{"a", jsondoc.Number("1"), nil, jsondoc.NewObject(jsondoc.Pair("deep", true))})
		o.Set("checkObject", jsondoc.NewObject(jsondoc.Pair("EUR", jsondoc.Number("1")), jsondoc.Pair("eur", jsondoc.Number("2"))))
	}
	extend(doc)
	for _, at := range []string{"billingAddress", "orderForm"} {
		if o := doc.Object(at); o != nil {
			extend(o)
		}
	}
	for _, list := range []string{"lineItems", "shipments", "payments"} {
		for _, o := range doc.Object("orderForm").Objects(list) {
			extend(o)
		}
	}
	return doc
}

// echoDocument has values that programs bring into another form when they send back what
// they got: exact times, amounts of four places, text with spaces, names in odd letter case,
// and lines with fields of their own.
func (p *probe) echoDocument() *jsondoc.Object {
	doc := p.document()
	doc.Set("customerName", "  Kari  Nordmann ")
	doc.Set("customerPhone", "0047 90417733")
	doc.Set("followUpDate", "2026-11-21T08:41:12.123456Z")
	doc.Set("properties", append(doc.List("properties"), property("PickedAt", "2026-11-21T09:41:12.123456+01:00"), property("Weight", "1.250"), property("Flag", "TRUE")))
	form := doc.Object("orderForm")
	for _, line := range form.Objects("lineItems") {
		line.Delete("extendedPrice") // worked out anew
		line.Set("placedPrice", jsondoc.Number("149.9975"))
		line.Set("URLOfImage", "https://cdn.example.com/a%20b?x=1&y=2")
		line.Set("deliveredAt", "2026-11-21T08:41:12.123456Z")
		line.Set("size", "042")
	}
	if form != nil {
		form.Delete("subTotal")
		form.Delete("total")
	}
	return doc
}
