package oms

// DeliveryState is where a delivery stands. It is more than its status: of those
// of one subject that an endpoint wants in order, one is due, and the others wait.
type DeliveryState string

// The states of a delivery. The last three have ended.
const (
	StateNone      DeliveryState = ""        // the event never went to the endpoint
	StateDue       DeliveryState = "due"     // it is attempted at its time
	StateWaiting   DeliveryState = "waiting" // behind another of its subject
	StateSucceeded DeliveryState = "succeeded"
	StateFailed    DeliveryState = "failed"
	StateCanceled  DeliveryState = "canceled"
)

// State returns where a delivery stands.
func (d *Delivery) State() DeliveryState {
	switch {
	case d == nil:
		return StateNone
	case d.Status != DeliveryPending:
		return DeliveryState(d.Status)
	case d.Due.IsZero():
		return StateWaiting
	}
	return StateDue
}

// DeliveryMove is something that happens to a delivery.
type DeliveryMove string

// The moves of a delivery.
const (
	MoveSucceeded DeliveryMove = "attempted: acknowledged"
	MovePutOff    DeliveryMove = "attempted: to be repeated"
	MoveFailed    DeliveryMove = "attempted: failed for good"
	MoveReleased  DeliveryMove = "released" // the one before it of its subject has ended
	MoveAgain     DeliveryMove = "sent again"
	MoveCanceled  DeliveryMove = "canceled"
)

// DeliveryNext is what becomes of a delivery by a move.
type DeliveryNext struct {
	State DeliveryState
	// Releases says that the delivery made room: the next of its subject becomes due.
	Releases bool
}

// deliveryMoves is every move that there is. What is not in it cannot be.
//
// An attempt that ends after its delivery did was made all the same: if it was
// acknowledged the endpoint has the event, and the delivery has succeeded; else
// the delivery stays as it ended. One that waits again, since its endpoint wants
// events in order now, waits on after an attempt that is to be repeated.
var deliveryMoves = map[DeliveryState]map[DeliveryMove]DeliveryNext{
	StateNone: {
		MoveAgain: {StateDue, false},
	},
	StateDue: {
		MoveSucceeded: {StateSucceeded, true},
		MovePutOff:    {StateDue, false},
		MoveFailed:    {StateFailed, true},
		MoveAgain:     {StateDue, false},
		MoveCanceled:  {StateCanceled, true},
	},
	StateWaiting: {
		MoveSucceeded: {StateSucceeded, true},
		MovePutOff:    {StateWaiting, false},
		MoveFailed:    {StateFailed, true},
		MoveReleased:  {StateDue, false},
		MoveAgain:     {StateWaiting, false},
		MoveCanceled:  {StateCanceled, true},
	},
	StateSucceeded: {
		MoveSucceeded: {StateSucceeded, false},
		MovePutOff:    {StateSucceeded, false},
		MoveFailed:    {StateSucceeded, false},
		MoveAgain:     {StateDue, false},
	},
	StateFailed: {
		MoveSucceeded: {StateSucceeded, false},
		MovePutOff:    {StateFailed, false},
		MoveFailed:    {StateFailed, false},
		MoveAgain:     {StateDue, false},
	},
	StateCanceled: {
		MoveSucceeded: {StateSucceeded, false},
		MovePutOff:    {StateCanceled, false},
		MoveFailed:    {StateCanceled, false},
		MoveAgain:     {StateDue, false},
	},
}

// After returns what becomes of a delivery by a move; ok is false if the move
// cannot be made.
func (s DeliveryState) After(m DeliveryMove) (next DeliveryNext, ok bool) {
	next, ok = deliveryMoves[s][m]
	return next, ok
}

// Status returns the status that goes with a state.
func (s DeliveryState) Status() DeliveryStatus {
	switch s {
	case StateDue, StateWaiting:
		return DeliveryPending
	}
	return DeliveryStatus(s)
}
