package oms

import (
	"encoding/hex"

	"github.com/google/uuid"
)

// Prefixes of the ids that orderhook makes. An id is its prefix and a UUIDv7
// in hex, so ids of one kind sort by the time they were made.
const (
	OrderID    = "ord_"
	RunID      = "run_"
	CallID     = "call_"
	AttemptID  = "att_"
	HistoryID  = "his_"
	KeyID      = "key_"
	ReturnID   = "ret_"
	ShipmentID = "shp_"
)

// NewID returns a new id with one of the prefixes above.
func NewID(prefix string) string {
	u := uuid.Must(uuid.NewV7())
	return prefix + hex.EncodeToString(u[:])
}
