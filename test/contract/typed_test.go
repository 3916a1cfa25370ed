package contract

import (
	"maps"
	"strings"
)

// The types of an endpoint, which know the model or a part of it.
type (
	known     map[string]any // its fields, by the names on the wire
	knownList struct{ of known }
)

var typedProperty = known{"Key": nil, "Value": nil, "KeyGroup": nil, "ValueType": nil}

var typedAddress = known{"Name": nil, "Line1": nil, "Line2": nil, "PostalCode": nil, "City": nil, "CountryCode": nil, "Email": nil}

var typedLine = known{"LineItemId": nil, "Code": nil, "DisplayName": nil, "Quantity": nil, "PlacedPrice": nil, "ExtendedPrice": nil, "Discounted": nil,
	"CanceledQuantity": nil, "Comment": nil, "Properties": knownList{typedProperty}}

var typedPart = known{
	"Id": nil, "OrderNumber": nil, "Status": nil, "OrderType": nil, "MarketId": nil, "StoreId": nil, "Created": nil, "Modified": nil, "CustomerId": nil, "CustomerEmail": nil,
	"CustomerName": nil, "CustomerPhone": nil, "Total": nil, "SubTotal": nil, "IsReadOnly": nil, "Tags": nil, "RelatedOrders": nil, "FollowUpDate": nil, "SalesPersonId": nil,
	"Properties": knownList{typedProperty}, "BillingAddress": typedAddress, "ExternalIds": knownList{known{"ProviderName": nil, "Id": nil}},
	"OrderNotes": knownList{known{"Id": nil, "Title": nil, "Detail": nil}}, "Assets": knownList{known{"AssetId": nil, "Url": nil, "Name": nil}},
	"Errors":           knownList{known{"Key": nil, "Message": nil, "Severity": nil}},
	"OrderForm":        typedForm(typedLine, known{"ShipmentId": nil, "Status": nil, "WarehouseCode": nil, "Address": typedAddress, "ShipmentTrackingNumber": nil}),
	"ReturnOrderForms": knownList{known{"ReturnId": nil, "Status": nil, "ReturnComment": nil, "LineItems": knownList{typedLine}}},
}

func typedForm(line, shipment known) known {
	return known{
		"CartId": nil, "CouponCodes": nil, "SubTotal": nil, "ShippingTotal": nil, "HandlingTotal": nil, "Total": nil, "LineItems": knownList{line}, "Shipments": knownList{shipment},
		"Payments":  knownList{known{"Id": nil, "PaymentId": nil, "Amount": nil, "PaymentMethodName": nil, "TransactionId": nil}},
		"Discounts": knownList{known{"DiscountName": nil, "DiscountAmount": nil, "DiscountCode": nil}},
	}
}

// typedWhole knows all fields of the model that the documents have.
var typedWhole = func() known {
	line := typedLine.and(known{"IsGift": nil, "TaxRate": nil, "Components": nil, "ReturnQuantity": nil})
	shipment := known{"ShipmentId": nil, "Status": nil, "WarehouseCode": nil, "Address": typedAddress, "Packages": knownList{known{"Weight": nil}},
		"LineItems": knownList{line}, "OrderStatusLog": nil}
	return typedPart.and(known{
		"DueDate": nil, "BillingCurrency": nil, "SalesChannel": nil, "OrderOrigin": nil, "OrderStatus": nil, "ContactPerson": known{"Email": nil, "Phone": nil},
		"Groups": knownList{known{"Id": nil, "Name": nil}}, "OrderForm": typedForm(line, shipment).and(known{"Charges": nil, "GrossRoundoff": nil}),
		"OrderNotes": knownList{known{"Id": nil, "Title": nil, "Detail": nil, "Tags": nil}}, "Assets": knownList{known{"AssetId": nil, "Url": nil, "Name": nil, "SortOrder": nil}},
	})
}()

// and is a shape with further fields, or others.
func (k known) and(more known) known {
	out := maps.Clone(k)
	maps.Copy(out, more)
	return out
}

// typed is a document as one hands it back whose types know no more than the
// shape: without the fields beyond it, and with null for those that it lacks.
// What is of another type it hands back as it is.
func typed(v, shape any, fill bool) any {
	switch s := shape.(type) {
	case known:
		doc, ok := v.(map[string]any)
		if !ok {
			return v
		}
		out := map[string]any{}
		for name, inner := range s {
			if member, there := field(doc, name); there {
				out[name] = typed(member, inner, fill)
			} else if fill {
				out[name] = nil
			}
		}
		return out
	case knownList:
		if elements, ok := v.([]any); ok {
			return each(elements, func(e any) any { return typed(e, s.of, fill) })
		}
	}
	return v
}

// field finds a field without regard to case.
func field(doc map[string]any, name string) (any, bool) {
	if v, ok := doc[name]; ok {
		return v, true
	}
	for n, v := range doc {
		if strings.EqualFold(n, name) {
			return v, true
		}
	}
	return nil, false
}
