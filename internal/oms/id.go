package oms

import (
	"encoding/binary"
	"encoding/hex"
	"time"

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
	EventID    = "evt_"
	WebhookID  = "msg_" // of an event whose id the publisher gave
	EndpointID = "ep_"
	JobID      = "job_"
	RequestID  = "req_"
	AuditID    = "aud_"
)

// NewID returns a new id with one of the prefixes above.
func NewID(prefix string) string {
	u := uuid.Must(uuid.NewV7())
	return prefix + hex.EncodeToString(u[:])
}

// NewIDAt is NewID for a time that somebody else tells: ids of one kind sort by
// these times, to the microsecond.
func NewIDAt(prefix string, at time.Time) string {
	u := uuid.New() // random, of version 4
	µs := at.UnixMicro()
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(µs/1000)<<16)
	copy(u[:6], ms[:6])
	part := uint16(µs % 1000) // of the millisecond, in the 12 bits behind the version
	u[6], u[7] = 0x70|byte(part>>8), byte(part)
	return prefix + hex.EncodeToString(u[:])
}
