package receiver

import "reflect"

// Shipment is a shipment of an order. That of an event has the id of its order.
type Shipment struct {
	ShipmentID, Status, OrderStatus, PrevStatus, DeliveryStatus string

	Comment, Completed, ExpectedDeliveryDate, ExpectedShipmentDate, GoodsDescription, PickUpWarehouseCode string
	ReturnLabelLink, ReturnTrackingLink, ReturnTrackingNumber, ServicePointID, ShipmentLabelLink          string
	ShipmentTrackingLink, ShipmentTrackingNumber, ShippingLabel, ShippingMethodID, ShippingMethodName     string
	ShippingMethodProductID, VirtualWarehouseCode, WarehouseCode                                          string

	ShipmentTaxRate, ShippingCreditedTotal, ShippingDiscountAmount, ShippingSubTotal Number
	ShippingSubTotalExclTax, ShippingTax, ShippingTotal, SubTotal, TaxTotal, Total   Number

	IsAllocated, Transit bool

	Address       *Address
	ContactPerson *ContactPerson
	LineItems     []LineItem `key:"lineItemId"`
	Discounts     []Discount
	ExternalIDs   []ExternalID `key:"providerName,id"`
	Properties    []Property   `key:"key,keyGroup"`

	Other Members
}

// OrderID is the id of the order, which the shipment of an event has.
func (s *Shipment) OrderID() string {
	var id string
	_, _ = s.Other.Decode("orderId", &id)
	return id
}

// ReturnOrderForm is one return of an order.
type ReturnOrderForm struct {
	ReturnID, Status, PrevStatus, ReturnComment, ReturnType, RmaNumber string

	CartID, CartName, Created, Modified, PurchaseOrderID, StoreID, UserID string

	AuthorizedPaymentTotal, CapturedPaymentTotal, ChargeShipmentCostAmount, CreditAmount, CreditPaymentTotal Number
	CreditShipmentAmount, DiscountAmount, GrossRoundoff, HandlingTotal, OrderLevelTax                        Number
	ShippingCreditedTotal, ShippingDiscountTotal, ShippingSubTotal, ShippingSubTotalExclTax, ShippingTotal   Number
	SubTotal, SubTotalExclTax, TaxTotal, Total, TotalExclTax                                                 Number

	CreditPayment, FullRefund, IsPriority, ReplaceLineItemsArray, ShouldAddMissingLineItems bool

	CouponCodes, ReplacementOrderIDs, SentNotificationIDs []string

	LineItems     []LineItem   `key:"lineItemId"`
	Shipments     []Shipment   `key:"shipmentId"`
	Payments      []Payment    `key:"id"`
	Errors        []OrderError `key:"errors"`
	ExternalIDs   []ExternalID `key:"providerName,id"`
	Properties    []Property   `key:"key,keyGroup"`
	Charges       []Charge
	ReturnCharges []Charge
	Discounts     []Discount

	Other Members
}

// StockItem is how many of one article a warehouse has left.
type StockItem struct {
	ID, Sku, WarehouseCode, Created, Updated string
	Available, Version                       Number

	Other Members
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Shipment) UnmarshalJSON(data []byte) error { return decodeObject(data, s) }

// MarshalJSON implements json.Marshaler.
func (s Shipment) MarshalJSON() ([]byte, error) { return encodeObject(reflect.ValueOf(s)) }

// UnmarshalJSON implements json.Unmarshaler.
func (f *ReturnOrderForm) UnmarshalJSON(data []byte) error { return decodeObject(data, f) }

// MarshalJSON implements json.Marshaler.
func (f ReturnOrderForm) MarshalJSON() ([]byte, error) { return encodeObject(reflect.ValueOf(f)) }

// UnmarshalJSON implements json.Unmarshaler.
func (s *StockItem) UnmarshalJSON(data []byte) error { return decodeObject(data, s) }

// MarshalJSON implements json.Marshaler.
func (s StockItem) MarshalJSON() ([]byte, error) { return encodeObject(reflect.ValueOf(s)) }
