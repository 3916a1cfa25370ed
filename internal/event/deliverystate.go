package event

// DeliveryState is where a delivery stands. It is more than its status: among
// those of one subject that an endpoint wants in order, one is due, and the others wait. The
// moves below go by it; users see the status.
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

// State returns where a delivery stands. A nil delivery is one that there never was.
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

// DeliveryMove is something that happens to a delivery. The store looks up what follows
// from it before it changes a row.
type DeliveryMove string

// The moves of a delivery.
const (
	MoveSucceeded DeliveryMove = "attempted: acknowledged"
	MovePutOff    DeliveryMove = "attempted: to be repeated"
	MoveFailed    DeliveryMove = "attempted: failed for good"
	MoveUnblocked DeliveryMove = "released" // the one before it of its subject has ended
	MoveAgain     DeliveryMove = "sent again"
	MoveCanceled  DeliveryMove = "canceled"
)

// DeliveryNext is what becomes of a delivery by a move. It says nothing about when: that is
// decided by whoever makes the move.
type DeliveryNext struct {
	State DeliveryState
	// Unblocks says that the delivery made room: the next of its subject becomes due.
	Unblocks bool
}

// deliveryMoves is every move that there is. What is not in it cannot be.
//
// An attempt that ends after its delivery did was made all the same: if it was
// acknowledged the endpoint has the event, and the delivery has succeeded; else
// the delivery stays as it ended. One that waits again, since its endpoint wants
// events in order now, waits on after an attempt that is to be repeated. It stands here as
// a table, and not in statements of the database, so that each pair can be tested by
// itself.
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
		MoveUnblocked: {StateDue, false},
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
// cannot be made. It changes nothing.
func (s DeliveryState) After(m DeliveryMove) (next DeliveryNext, ok bool) {
	next, ok = deliveryMoves[s][m]
	return next, ok
}

// Status returns the status that goes with a state. To users, due and waiting are one.
func (s DeliveryState) Status() DeliveryStatus {
	switch s {
	case StateDue, StateWaiting:
		return DeliveryPending
	}
	return DeliveryStatus(s)
}
