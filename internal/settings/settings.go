// Package settings is what a tenant configures: connectors, markets, and which
// steps run in which status of an order. It reads the document, says what is
// wrong with it and where, selects the connector of a step, and keeps secrets
// out of what is shown and stored.
//
// It knows no store and makes no request. The text of a secret passes through it on its way
// in, and never comes back. Begin to read with [Settings], then with [Incoming.Check],
// which all documents from outside go through.
package settings

import (
	"cmp"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/secret"
)

// Settings is one checked version of a tenant's settings. It is never changed
// once made, so it may be shared. A change makes the next version; a run keeps the one that
// it began with.
type Settings struct {
	Version        int64
	Connectors     []Connector
	OrderTypes     []OrderType
	ReturnStatuses []Status
	Retention      Retention

	doc *jsondoc.Object // as it was given, with a [secret.Value] for each secret
}

// Empty returns the settings of a tenant that has none: version 0, no steps. Such a
// tenant's orders run no steps.
func Empty() *Settings { return &Settings{Retention: defaultRetention, doc: jsondoc.NewObject()} }

// OrderType is a kind of order and its statuses. What an order has of it is the name alone.
type OrderType struct {
	Name     string
	Default  bool
	Statuses []Status
	// DisableWorkflow is set where entering a status runs no steps.
	DisableWorkflow bool
}

// Status is a status that an order or a return can enter. A status that is entered and
// stands in no list has no steps.
type Status struct {
	Name  string
	Steps []Step
	// Shadows are the steps that are called beside others of Steps, and change nothing.
	Shadows []Shadow
	// Events is what happens for endpoints when an order enters the status; of
	// a return's status it is nothing.
	Events event.StatusEvents
	// MaxDuration bounds a run of the steps, from its first attempt on; 0: no bound.
	MaxDuration time.Duration
	// ShipmentStatusUpdate is what the shipment's own status becomes when it
	// enters this status; "": it stays (docs/contract.md#shipments).
	ShipmentStatusUpdate string
	// MainOrderStatus is what the order enters once all its shipments are in
	// this status; "": it enters none (docs/contract.md#shipments).
	MainOrderStatus string
}

// Step keys (docs/contract.md#which-steps-run and docs/contract.md#exports).
const (
	WebhookStep       = "WebhookWorkflowStep"
	WebhookReturnStep = "WebhookReturnWorkflowStep"
	ExportOrderStep   = "ExportOrder"
)

// Limits say for which orders a step runs. Disabled beats enabled; an empty
// list limits nothing (docs/contract.md#which-steps-run). Groups of markets and of
// stores have become their markets and stores. Lists of one step all have to admit the
// order.
type Limits struct {
	EnabledForMarkets, DisabledForMarkets                 []string
	EnabledForStores, DisabledForStores                   []string
	EnabledForTags, DisabledForTags                       []string
	EnabledForWarehouses, DisabledForWarehouses           []string
	EnabledForShipmentOptions, DisabledForShipmentOptions []string
	// NoMarket is set where enabled market groups are given and hold no market:
	// the empty list they come to admits nothing, unlike one that is not there.
	// NoStore is the same for store groups.
	NoMarket, NoStore bool
}

// Condition is a state of the run so far under which a step runs.
type Condition string

// The conditions of docs/contract.md#which-steps-run.
const (
	OnSuccess Condition = "Success" // every step before it succeeded
	OnError   Condition = "Error"   // some step before it had an error
	OnWarning Condition = "Warning" // some step before it had a warning
)

// Connector is a shared endpoint (docs/contract.md#settings). Steps refer to it by its
// name, or by its id.
type Connector struct {
	Name          string
	ConnectorID   string
	Host          string
	BearerToken   secret.Value
	Token         secret.Value
	Username      string
	Password      secret.Value
	Timeout       time.Duration // of one attempt; event.DefaultTimeout where none is given
	CustomHeaders []event.Header
	SigningSecret secret.Value // "whsec_" and base64, or any text
	// DisableStandardErrorPolicy turns retries off.
	DisableStandardErrorPolicy            bool
	EnabledForMarkets, DisabledForMarkets []string // market groups resolved into their markets
	NoMarket                              bool     // as in Limits
	// WrapsRequest and OnlyLineItems are the properties IsRequestWrapperEnabled
	// and IsOnlyLineItemsUpdated of a cart validator.
	WrapsRequest, OnlyLineItems bool
	Breaker                     *Breaker // nil: none
}

// Label is what people know a connector by.
func (c *Connector) Label() string { return cmp.Or(c.ConnectorID, c.Name) }
