package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// order is what the model knows of an order: the fields that it draws. It
// reads and writes JSON, so the engine's orders are compared as it sees them.
type order struct {
	ID               string       `json:"id"`
	Version          int64        `json:"version,omitempty"`
	Status           string       `json:"status,omitempty"`
	OrderType        string       `json:"orderType,omitempty"`
	MarketID         string       `json:"marketId,omitempty"`
	StoreID          string       `json:"storeId,omitempty"`
	CustomerName     string       `json:"customerName,omitempty"`
	Tags             []string     `json:"tags,omitempty"`
	Properties       []property   `json:"properties,omitempty"`
	Errors           []fault      `json:"errors,omitempty"`
	OrderForm        form         `json:"orderForm"`
	ReturnOrderForms []returnForm `json:"returnOrderForms,omitempty"`
}

type property struct{ Key, Value string }

// fault is an error on the order. run tells errors of earlier runs from those
// of the run under way; the engine's own say nothing of it here.
type fault struct {
	Key string
	run int
}

type form struct {
	LineItems     []line `json:"lineItems"`
	ShippingTotal *num   `json:"shippingTotal,omitempty"`
	HandlingTotal *num   `json:"handlingTotal,omitempty"`
	SubTotal      *num   `json:"subTotal,omitempty"`
	Total         *num   `json:"total,omitempty"`
}

type line struct {
	LineItemID     string `json:"lineItemId"`
	PlacedPrice    *num   `json:"placedPrice,omitempty"`
	Quantity       *num   `json:"quantity,omitempty"`
	Discounted     *num   `json:"discounted,omitempty"`
	ExtendedPrice  *num   `json:"extendedPrice,omitempty"`
	ReturnQuantity *num   `json:"returnQuantity,omitempty"`
}

type returnForm struct {
	ReturnID  string `json:"returnId"`
	Status    string `json:"status,omitempty"`
	LineItems []line `json:"lineItems"`
}

// num is an exact decimal that stands in JSON as a number, with its zeros.
type num struct{ decimal.Decimal }

func (n num) MarshalJSON() ([]byte, error) { return []byte(n.StringFixed(max(0, -n.Exponent()))), nil }

// value is a number that may be absent, which counts as 0.
func (n *num) value() decimal.Decimal {
	if n == nil {
		return decimal.Zero
	}
	return n.Decimal
}

func (n *num) text() string {
	if n == nil {
		return "-"
	}
	return n.Decimal.String()
}

// clone copies what is changed in place.
func (o order) clone() order {
	o.Tags, o.Properties, o.Errors = slices.Clone(o.Tags), slices.Clone(o.Properties), slices.Clone(o.Errors)
	o.OrderForm.LineItems = slices.Clone(o.OrderForm.LineItems)
	o.ReturnOrderForms = slices.Clone(o.ReturnOrderForms)
	return o
}

// view is an order as the comparison sees it: its fields as text.
type view []struct{ field, text string }

func (o order) view() view {
	var errors, lines, returned []string
	for _, e := range o.Errors {
		errors = append(errors, e.Key)
	}
	for _, l := range o.OrderForm.LineItems {
		lines = append(lines, fmt.Sprintf("%s: %s x %s - %s = %s, %s back", l.LineItemID, l.PlacedPrice.text(), l.Quantity.text(), l.Discounted.text(), l.ExtendedPrice.text(), l.ReturnQuantity.text()))
	}
	for _, f := range o.ReturnOrderForms {
		for _, l := range f.LineItems {
			returned = append(returned, f.Status+l.LineItemID+" "+l.ReturnQuantity.text())
		}
	}
	f := o.OrderForm
	return view{
		{"status", o.Status}, {"marketId", o.MarketID}, {"storeId", o.StoreID}, {"orderType", o.OrderType}, {"customerName", o.CustomerName},
		{"tags", fmt.Sprint(o.Tags)}, {"properties", fmt.Sprint(o.Properties)}, {"errors", fmt.Sprint(errors)},
		{"orderForm", fmt.Sprintf("%s subTotal %s total %s", strings.Join(lines, ", "), f.SubTotal.text(), f.Total.text())},
		{"returnOrderForms", fmt.Sprint(returned)},
	}
}

func (v view) String() string {
	var b strings.Builder
	for _, f := range v {
		fmt.Fprintf(&b, "%s=%s; ", f.field, f.text)
	}
	return b.String()
}

// changed returns the fields in which two views differ.
func (v view) changed(other view) []string {
	var out []string
	for i := range v {
		if v[i] != other[i] {
			out = append(out, v[i].field)
		}
	}
	return out
}
