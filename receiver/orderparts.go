package receiver

import "reflect"

// Address is a postal address.
type Address struct {
	ApartmentNumber, City, CountryCode, CountryName, DaytimePhoneNumber, Email, EveningPhoneNumber string
	ExternalID, FirstName, LastName, Line1, Line2, Name, Organization, OrganizationalNumber, Phone string
	PostalCode, RegionCode, RegionName, State, StreetNumber                                        string

	Other Members
}

// ContactPerson is a person to ask.
type ContactPerson struct {
	Email, FirstName, ID, LastName, Phone, PrivateCustomerID, Role string
	IsPrimaryContact, Notify                                       bool
	Roles                                                          []string
	ExternalIDs                                                    []ExternalID `key:"providerName,id"`
	Properties                                                     []Property   `key:"key,keyGroup"`

	Other Members
}

// Property is one custom property.
type Property struct {
	Key, KeyGroup, Value, ValueType string

	Other Members
}

// ExternalID names an order in another system.
type ExternalID struct {
	ID, ProviderName string

	Other Members
}

// OrderError is one error shown on an order.
type OrderError struct {
	Comment, Details, DisplayName, Key, Message, Occurred, ReferenceID, RunID, Severity, Status string

	Other Members
}

// Asset is one file.
type Asset struct {
	AltText, AssetID, AssetType, ContentType, Created, Description, ExternalURL, FileName, Modified string
	Name, ParentID, Purpose, URL                                                                    string
	Length, SortOrder                                                                               Number
	ForceUpload, IsMainImage                                                                        bool
	Properties                                                                                      []Property `key:"key,keyGroup"`

	Other Members
}

// Note is one note on an order.
type Note struct {
	Created, Creator, CustomerID, DeliveryMethod, Detail, EmailFromAddress, EmailFromName, EmailRecipient string
	EmailSubject, ID, LineItemID, ObjectID, ObjectType, ParentID, SmsFrom, SmsRecipient, Title, Type      string
	UserID                                                                                                string
	SendNotification                                                                                      bool
	Tags                                                                                                  []string
	Attachments                                                                                           []Asset

	Other Members
}

// Group is one group of orders.
type Group struct {
	Description, ID, Name string

	Other Members
}

// Charge is one charge.
type Charge struct {
	Key    string
	Amount Number

	Other Members
}

// Discount is one discount.
type Discount struct {
	DiscountCode, DiscountID, DiscountName, DiscountSource, DiscountType, RewardType string
	DiscountAmount, DiscountValue, MaxDiscountAmount, Priority                       Number
	AlwaysApply, CanBeCombinedWithOtherPromotions, IsBonusPointsReward               bool
	SkuIDs                                                                           []string

	Other Members
}

// Payment is one payment.
type Payment struct {
	AuthorizationCode, AuthorizationExpires, Comment, Created, CustomerName, ID, ImplementationClass string
	InternalReference, InvoiceID, PaidDate, PaymentMethodID, PaymentMethodName, PaymentType, Reason  string
	ShipmentID, Status, StoreID, TransactionID, TransactionType, ValidationCode                      string
	Amount, PaymentID                                                                                Number
	IsManuallyAdded                                                                                  bool
	ExternalIDs                                                                                      []ExternalID `key:"providerName,id"`
	Properties                                                                                       []Property   `key:"key,keyGroup"`

	Other Members
}

// UnmarshalJSON implements json.Unmarshaler.
func (a *Address) UnmarshalJSON(data []byte) error { return decodeObject(data, a) }

// MarshalJSON implements json.Marshaler.
func (a Address) MarshalJSON() ([]byte, error) { return encodeObject(reflect.ValueOf(a)) }

// UnmarshalJSON implements json.Unmarshaler.
func (p *ContactPerson) UnmarshalJSON(data []byte) error { return decodeObject(data, p) }

// MarshalJSON implements json.Marshaler.
func (p ContactPerson) MarshalJSON() ([]byte, error) { return encodeObject(reflect.ValueOf(p)) }

// UnmarshalJSON implements json.Unmarshaler.
func (p *Property) UnmarshalJSON(data []byte) error { return decodeObject(data, p) }

// MarshalJSON implements json.Marshaler.
func (p Property) MarshalJSON() ([]byte, error) { return encodeObject(reflect.ValueOf(p)) }

// UnmarshalJSON implements json.Unmarshaler.
func (i *ExternalID) UnmarshalJSON(data []byte) error { return decodeObject(data, i) }

// MarshalJSON implements json.Marshaler.
func (i ExternalID) MarshalJSON() ([]byte, error) { return encodeObject(reflect.ValueOf(i)) }

// UnmarshalJSON implements json.Unmarshaler.
func (e *OrderError) UnmarshalJSON(data []byte) error { return decodeObject(data, e) }

// MarshalJSON implements json.Marshaler.
func (e OrderError) MarshalJSON() ([]byte, error) { return encodeObject(reflect.ValueOf(e)) }

// UnmarshalJSON implements json.Unmarshaler.
func (a *Asset) UnmarshalJSON(data []byte) error { return decodeObject(data, a) }

// MarshalJSON implements json.Marshaler.
func (a Asset) MarshalJSON() ([]byte, error) { return encodeObject(reflect.ValueOf(a)) }

// UnmarshalJSON implements json.Unmarshaler.
func (n *Note) UnmarshalJSON(data []byte) error { return decodeObject(data, n) }

// MarshalJSON implements json.Marshaler.
func (n Note) MarshalJSON() ([]byte, error) { return encodeObject(reflect.ValueOf(n)) }

// UnmarshalJSON implements json.Unmarshaler.
func (g *Group) UnmarshalJSON(data []byte) error { return decodeObject(data, g) }

// MarshalJSON implements json.Marshaler.
func (g Group) MarshalJSON() ([]byte, error) { return encodeObject(reflect.ValueOf(g)) }

// UnmarshalJSON implements json.Unmarshaler.
func (c *Charge) UnmarshalJSON(data []byte) error { return decodeObject(data, c) }

// MarshalJSON implements json.Marshaler.
func (c Charge) MarshalJSON() ([]byte, error) { return encodeObject(reflect.ValueOf(c)) }

// UnmarshalJSON implements json.Unmarshaler.
func (d *Discount) UnmarshalJSON(data []byte) error { return decodeObject(data, d) }

// MarshalJSON implements json.Marshaler.
func (d Discount) MarshalJSON() ([]byte, error) { return encodeObject(reflect.ValueOf(d)) }

// UnmarshalJSON implements json.Unmarshaler.
func (p *Payment) UnmarshalJSON(data []byte) error { return decodeObject(data, p) }

// MarshalJSON implements json.Marshaler.
func (p Payment) MarshalJSON() ([]byte, error) { return encodeObject(reflect.ValueOf(p)) }
