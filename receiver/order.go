package receiver

import "reflect"

// Order is an order, with the fields that orderhook's model has. Text that is "", a Number
// that is "", and false are as good as absent. Data of an event, or Body of a request, is the
// document to the byte, for whoever stores it.
type Order struct {
	ID, Status, OrderType, MarketID, StoreID, OrderNumber string

	BillingCurrency, Completed, Created, CustomerClubMemberID, CustomerContact, CustomerEmail, CustomerID string
	CustomerName, CustomerNumber, CustomerPhone, CustomerPickupDeadline, CustomerReference                string
	CustomerRequisition, CustomerType, DueDate, ExpiredDate, FollowUpDate, InvoiceComment, Modified       string
	ModifiedBy, NextOrderStatus, OrderOrigin, OrderStatus, PaymentType, ProjectID, ReadyForPickup         string
	Received, RequestedDeliveryDate, SalesChannel, SalesPersonID, SalesPersonName, SecretKey, Session     string
	StorePickDate, SubscriptionID, UpdateStatusDate, VersionID                                            string

	DiscountTotalIncVat, LineItemsCost, NetTotal, NetTotalExclTax, PaymentTermsNet, RemainingPayment Number
	ShippingDiscountTotal, ShippingSubTotal, SubTotal, SubTotalExclTax, TaxTotal, Total              Number
	TotalExclTax, Version                                                                            Number

	IgnorePromotions, IsNewCustomer, IsNotificationsDisabled, IsReadOnly, IsReadOnlyByCustomer bool

	CustomerGroups, ProjectIDs, RelatedOrders, ReplacementOrderIDs, Tags []string

	OrderForm        *OrderForm
	BillingAddress   *Address
	ShippingAddress  *Address // in requests of steps: that of the shipment which the step is about
	ContactPerson    *ContactPerson
	Properties       []Property        `key:"key,keyGroup"`
	ReturnOrderForms []ReturnOrderForm `key:"returnId"`
	Errors           []OrderError      `key:"errors"`
	ExternalIDs      []ExternalID      `key:"providerName,id"`
	Assets           []Asset           `key:"assetId"`
	OrderNotes       []Note            `key:"id"`
	PublicOrderNotes []Note            `key:"id"`
	Groups           []Group

	Other Members
}

// Cart is a cart, which has the fields of the order that is made of it.
type Cart = Order

// OrderForm is the lines, shipments and payments of an order.
type OrderForm struct {
	CartID, CartName, PurchaseOrderID string

	AuthorizedPaymentTotal, CapturedPaymentTotal, ChargeShipmentCostAmount, CreditPaymentTotal Number
	CreditShipmentAmount, DiscountAmount, GrossRoundoff, HandlingTotal, OrderLevelTax          Number
	ShippingCreditedTotal, ShippingDiscountTotal, ShippingSubTotal, ShippingSubTotalExclTax    Number
	ShippingTotal, SubTotal, SubTotalExclTax, TaxTotal, Total, TotalExclTax                    Number

	FullRefund, IsPriority bool

	CouponCodes []string

	LineItems  []LineItem `key:"lineItemId"`
	Shipments  []Shipment `key:"shipmentId"`
	Payments   []Payment  `key:"id"`
	Properties []Property `key:"key,keyGroup"`
	Charges    []Charge
	Discounts  []Discount

	Other Members
}

// LineItem is a line of an order, a shipment or a return.
type LineItem struct {
	LineItemID, Code, DisplayName, ProductID string

	AlternativeProductName, Brand, CampaignID, CancelComment, CancelReason, CanceledDate, Color, Comment   string
	CustomerPickupDeadline, DeliveredDate, DiscountReasonCode, Ean, ExpectedDeliveryDate, GroupID          string
	ImageURL, InternalWarehouseLocation, ModifiedReason, PackageLineItemID, PackageSkuID, PriceListID      string
	PriceListItemID, ProductType, ReadyForPickupDate, ReplacedDate, ReplacementReason, ReplacementType     string
	RequestedDeliveryDate, ReservedInventoryDeliveryID, ReservedInventoryPurchaseOrderID                   string
	ReservedInventoryPurchaseOrderLineID, ReturnDate, ReturnReason, ReturnType, SelectedUnit, SerialNumber string
	Size, StorePickDate, SupplierID, SupplierName, SupplierSkuID, Unit, WebSiteProductURL                  string

	Quantity, PlacedPrice, ExtendedPrice, TaxRate, TaxTotal Number

	CanceledQuantity, Cost, CostTotal, CreditedAmount, DeliveredQuantity, Discounted, DiscountedExclTax   Number
	DiscountedPrice, DiscountedPriceExclTax, ExtendedPriceExclTax, LineItemDiscountAmount                 Number
	LineItemDiscountAmountExclTax, OrderDiscountAmount, OriginalExtendedPricePerUnit, PlacedPriceExclTax  Number
	ReadyForPickupQuantity, ReplacedQuantity, ReservedInventoryQuantity, ReturnQuantity                   Number
	SelectedUnitConversionFactor, SelectedUnitQuantity, SuggestedRetailPrice, SuggestedRetailPriceExclTax Number

	CreatePurchaseOrder, IsAwaitingPurchaseOrder, IsBackorder, IsBundle, IsConfigurableProduct    bool
	IsExcludedFromPromotions, IsGift, IsPackage, IsPackageBrokeDown, IsPackageProduct, IsReadOnly bool
	IsReadOnlyByCustomer, IsSerializableProduct, IsSkuAccessory, IsVirtualProduct                 bool
	ReservedInventory, UpdateStock                                                                bool

	Gtins []string

	ExternalIDs []ExternalID `key:"providerName,id"`
	Properties  []Property   `key:"key,keyGroup"`

	Other Members
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *Order) UnmarshalJSON(data []byte) error { return decodeObject(data, o) }

// MarshalJSON implements json.Marshaler.
func (o Order) MarshalJSON() ([]byte, error) { return encodeObject(reflect.ValueOf(o)) }

// UnmarshalJSON implements json.Unmarshaler.
func (f *OrderForm) UnmarshalJSON(data []byte) error { return decodeObject(data, f) }

// MarshalJSON implements json.Marshaler.
func (f OrderForm) MarshalJSON() ([]byte, error) { return encodeObject(reflect.ValueOf(f)) }

// UnmarshalJSON implements json.Unmarshaler.
func (l *LineItem) UnmarshalJSON(data []byte) error { return decodeObject(data, l) }

// MarshalJSON implements json.Marshaler.
func (l LineItem) MarshalJSON() ([]byte, error) { return encodeObject(reflect.ValueOf(l)) }
