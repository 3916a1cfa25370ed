package ids

import (
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/google/uuid"
)

// Prefixes of the ids that orderhook makes. An id is its prefix and a UUIDv7
// in hex, so ids of one kind sort by the time they were made.
const (
	Order    = "ord_"
	Run      = "run_"
	Call     = "call_"
	Attempt  = "att_"
	History  = "his_"
	Key      = "key_"
	Return   = "ret_"
	Shipment = "shp_"
	Event    = "evt_"
	Webhook  = "msg_" // of an event whose id the publisher gave
	Endpoint = "ep_"
	Job      = "job_"
	Request  = "req_"
	Audit    = "aud_"
	Node     = "node_"

	Interception = "int_"
	Handover     = "hnd_" // of one request to a listener
)

// New returns a new id with one of the prefixes above.
// It panics where the system gives no random bytes, since no id would be safe then.
func New(prefix string) string {
	u := uuid.Must(uuid.NewV7())
	return prefix + hex.EncodeToString(u[:])
}

// NewAt is New for a time that somebody else tells: ids of one kind sort by
// these times, to the microsecond. Tests of several packages make ids by it; the product makes
// none at another time than now.
func NewAt(prefix string, at time.Time) string {
	u := uuid.New() // random, of version 4
	// A UUIDv7 has space for milliseconds only in its first 48 bits.
	µs := at.UnixMicro()
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(µs/1000)<<16)
	copy(u[:6], ms[:6])
	part := uint16(µs % 1000) // of the millisecond, in the 12 bits behind the version
	u[6], u[7] = 0x70|byte(part>>8), byte(part)
	return prefix + hex.EncodeToString(u[:])
}
