package oms

import "time"

// DefaultTenant is the tenant of `serve --api-key`, `--settings` and the
// webHook section, where none is named.
const DefaultTenant = "default"

// DefaultStatus is the status of an order that is posted without one.
const DefaultStatus = "New"

// StatusDeleted is the status of an order that `DELETE` removed.
const StatusDeleted = "Deleted"

// Order is an order with what orderhook itself knows of it. Its document says
// the same id, version and status.
type Order struct {
	ID      string
	Version int64 // from 1, one more at each change
	// StatusVersion is the version at which the status last became another.
	StatusVersion int64
	Created       time.Time
	Modified      time.Time
	Doc           *Object
}

// Status returns the order's status.
func (o *Order) Status() string { return o.Doc.Text("status") }
