// Package settings is what a tenant configures: connectors, markets, and which
// steps run in which status of an order. It reads the document, says what is
// wrong with it and where, selects the connector of a step, and keeps secrets
// out of what is shown and stored.
package settings

import (
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
)

// Settings is one checked version of a tenant's settings. It is never changed
// once made, so it may be shared.
type Settings struct {
	Version        int64
	Connectors     []Connector
	OrderTypes     []OrderType
	ReturnStatuses []Status
	Retention      Retention

	doc *oms.Object // as it was given, with a [secret.Value] for each secret
}

// Empty returns the settings of a tenant that has none: version 0, no steps.
func Empty() *Settings { return &Settings{Retention: defaultRetention, doc: oms.NewObject()} }

// OrderType is a kind of order and its statuses.
type OrderType struct {
	Name     string
	Default  bool
	Statuses []Status
	// DisableWorkflow is set where entering a status runs no steps.
	DisableWorkflow bool
}

// Status is a status that an order or a return can enter.
type Status struct {
	Name  string
	Steps []Step
	// Events is what happens for endpoints when an order enters the status; of
	// a return's status it is nothing.
	Events oms.StatusEvents
	// MaxDuration bounds a run of the steps, from its first attempt on; 0: no bound.
	MaxDuration time.Duration
	// ShipmentStatusUpdate is what the shipment's own status becomes when it
	// enters this status; "": it stays (CONTRACT.md, "Shipments").
	ShipmentStatusUpdate string
	// MainOrderStatus is what the order enters once all its shipments are in
	// this status; "": it enters none (CONTRACT.md, "Shipments").
	MainOrderStatus string
}

// Step is one workflow step as configured (order-workflow-step.txt,
// "Workflow Step Properties").
type Step struct {
	Name                 string // its key; a known one as the constants spell it
	Active               bool   // true where the setting is left out
	Connector            string
	ConnectorID          string
	StopOnError          bool
	RunAfterOrderIsSaved bool
	IsInvisible          bool
	TranslateKey         string
	DisplayName          string       // what people call it; steps of one key differ in it
	Host                 string       // the Host property; "" where there is none
	ErrorStatus          string       // the ErrorStatus property
	RequestHeaders       []oms.Header // properties of the KeyGroup RequestHeaders
	Limits               Limits
	Conditions           []Condition // any of them lets the step run; none: always
	// Wire is the step's whole configuration without the RequestHeaders
	// properties, as it is sent to the endpoint and shown.
	Wire *oms.Object
}

// Step keys ("Identifier" in order-workflow-step.txt and
// return-workflow-step.txt; CONTRACT.md, "Export Order").
const (
	WebhookStep       = "WebhookWorkflowStep"
	WebhookReturnStep = "WebhookReturnWorkflowStep"
	ExportOrderStep   = "ExportOrder"
)

// Limits say for which orders a step runs. Disabled beats enabled; an empty
// list limits nothing (CONTRACT.md, "Configuration"). Groups of markets and of
// stores have become their markets and stores.
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

// The conditions of CONTRACT.md, "Configuration".
const (
	OnSuccess Condition = "Success" // every step before it succeeded
	OnError   Condition = "Error"   // some step before it had an error
	OnWarning Condition = "Warning" // some step before it had a warning
)

// Connector is a shared endpoint (order-workflow-step.txt, "Connector Properties").
type Connector struct {
	Name          string
	ConnectorID   string
	Host          string
	BearerToken   secret.Value
	Token         secret.Value
	Username      string
	Password      secret.Value
	Timeout       time.Duration // of one attempt; DefaultTimeout where none is given
	CustomHeaders []oms.Header
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

// DefaultTimeout bounds one attempt of a step whose connector has no Timeout.
const DefaultTimeout = 30 * time.Second
