package access

import (
	"encoding/json"
	"slices"
	"time"
)

// AuditEntry says who asked for a change, and what changed (docs/contract.md#audit). It
// holds names of fields and ids, and never the value of a field that may be a secret.
type AuditEntry struct {
	ID        string      `json:"id"`
	Timestamp time.Time   `json:"timestamp"`
	Actor     Actor       `json:"actor"`
	Action    string      `json:"action" doc:"The operationId of the call; a command of the command line has that of the call that does the same"`
	Target    AuditTarget `json:"target"`
	Detail    AuditDetail `json:"detail"`
	RequestID string      `json:"requestId,omitempty" doc:"X-Request-Id of the call"`
}

// Actor is who asked for a change.
type Actor struct {
	KeyID   string `json:"keyId,omitempty"`
	KeyName string `json:"keyName,omitempty"`
	Role    Role   `json:"role,omitempty" enum:"reader,publisher,operator,admin"`
	Address string `json:"address,omitempty" doc:"Where the request came from"`
	Via     Via    `json:"via" enum:"api,dashboard,cli"`
	Command string `json:"command,omitempty" doc:"Of the command line, which has no key: which command it was" example:"settings apply"`
}

// Via is the way by which a change was asked for.
type Via string

// The ways.
const (
	ViaAPI       Via = "api"
	ViaDashboard Via = "dashboard"
	ViaCLI       Via = "cli" // a command on the server's machine, `serve` included
)

// AuditTarget is what was changed.
type AuditTarget struct {
	Kind string `json:"kind" enum:"settings,endpoint,key,attempt,run,delivery,event,order,job,connector,interception"`
	ID   string `json:"id" doc:"Of settings the version: that which was made, or which was restored; of a connector its connectorId, or else its name"`
}

// The kinds of targets.
const (
	AuditSettings = "settings"
	AuditEndpoint = "endpoint"
	AuditKey      = "key"
	AuditAttempt  = "attempt"
	AuditRun      = "run"
	AuditDelivery = "delivery"
	AuditEvent    = "event"
	AuditOrder    = "order"
	AuditJob      = "job"

	AuditConnector    = "connector"
	AuditInterception = "interception"
)

// AuditKinds is all of them.
var AuditKinds = []string{AuditSettings, AuditEndpoint, AuditKey, AuditAttempt, AuditRun, AuditDelivery, AuditEvent, AuditOrder, AuditJob, AuditConnector, AuditInterception}

// AuditDetail is what more there is to say of a change. Which fields are set depends
// on the action.
type AuditDetail struct {
	Changed     []string    `json:"changed,omitempty" nullable:"false" doc:"Names of the fields that changed: of an endpoint or a key, or the sections of settings. Absent where all was so already"`
	FromVersion int64       `json:"fromVersion,omitempty" doc:"Of the settings, before; absent where there were none"`
	ToVersion   int64       `json:"toVersion,omitempty" doc:"Of the settings, since then"`
	Role        Role        `json:"role,omitempty" enum:"reader,publisher,operator,admin" doc:"Of a key that was made, changed or deleted"`
	Name        string      `json:"name,omitempty" doc:"Of a key that was made, changed or deleted"`
	OrderID     string      `json:"orderId,omitempty" doc:"Of a run"`
	AttemptID   string      `json:"attemptId,omitempty" doc:"Of a replay: the attempt that it made"`
	URL         string      `json:"url,omitempty" doc:"Of a replay: where the request went, the values in its query as ***"`
	EndpointIDs []string    `json:"endpointIds,omitempty" nullable:"false" doc:"Where events were sent again; the first 20"`
	Sent        int         `json:"sent,omitempty" doc:"How many deliveries were sent again"`
	Job         *AuditedJob `json:"job,omitempty" doc:"A job that was begun or canceled"`

	Intercepted *AuditedInterception `json:"intercepted,omitempty" doc:"Of an interception: whose calls, or why it ended"`
}

// AuditedInterception is which calls somebody intercepts, or why that ended.
type AuditedInterception struct {
	Steps      []string `json:"steps,omitempty" nullable:"false"`
	Connectors []string `json:"connectors,omitempty" nullable:"false"`
	Statuses   []string `json:"statuses,omitempty" nullable:"false"`
	OrderIDs   []string `json:"orderIds,omitempty" nullable:"false"`
	AllOrders  bool     `json:"allOrders,omitempty"`
	Ended      string   `json:"ended,omitempty" doc:"Why it ended by itself. The actor is the key that began it"`
}

// AuditedJob is a job as it was asked for.
type AuditedJob struct {
	ID         string          `json:"id"`
	Kind       string          `json:"kind" enum:"recover,redeliver,cancel,resume"`
	EndpointID string          `json:"endpointId,omitempty"`
	What       string          `json:"what,omitempty" enum:"failed,missing"`
	From       time.Time       `json:"from,omitzero"`
	To         time.Time       `json:"to,omitzero"`
	Filter     json.RawMessage `json:"filter,omitempty" doc:"Which of a list it is about"`
}

// Change notes fields that changed, each once: a write may store a thing twice.
func (d *AuditDetail) Change(names ...string) {
	for _, name := range names {
		if !slices.Contains(d.Changed, name) {
			d.Changed = append(d.Changed, name)
		}
	}
}

// mostNamed is how many endpoints an entry names.
const mostNamed = 20

// SentAgain notes a delivery that was sent again.
func (d *AuditDetail) SentAgain(endpointID string) {
	if d.Sent++; d.Sent <= mostNamed {
		d.EndpointIDs = append(d.EndpointIDs, endpointID)
	}
}
