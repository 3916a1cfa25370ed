package event

import (
	"testing"
	"time"
)

var deliveryStates = []DeliveryState{StateNone, StateDue, StateWaiting, StateSucceeded, StateFailed, StateCanceled}

var everyDeliveryMove = []DeliveryMove{MoveSucceeded, MovePutOff, MoveFailed, MoveUnblocked, MoveAgain, MoveCanceled}

// TestDeliveryMoves has every move in every state: what it comes to, "+" if the next
// of the subject becomes due then, "-" where the move cannot be made.
func TestDeliveryMoves(t *testing.T) {
	for state, row := range map[DeliveryState][6]string{
		//               acknowledged  put off      failed       released sent again canceled
		StateNone:      {"-", "-", "-", "-", "due", "-"},
		StateDue:       {"succeeded +", "due", "failed +", "-", "due", "canceled +"},
		StateWaiting:   {"succeeded +", "waiting", "failed +", "due", "waiting", "canceled +"},
		StateSucceeded: {"succeeded", "succeeded", "succeeded", "-", "due", "-"},
		StateFailed:    {"succeeded", "failed", "failed", "-", "due", "-"},
		StateCanceled:  {"succeeded", "canceled", "canceled", "-", "due", "-"},
	} {
		for i, move := range everyDeliveryMove {
			next, ok := state.After(move)
			got := string(next.State)
			if next.Unblocks {
				got += " +"
			}
			if !ok {
				got += "-"
			}
			if got != row[i] {
				t.Errorf("%q, %s: %q, want %q", state, move, got, row[i])
			}
		}
	}
	if next, ok := StateDue.After("another"); ok || next != (DeliveryNext{}) {
		t.Errorf("a move that there is not: %+v", next)
	}
	if len(deliveryMoves) != len(deliveryStates) {
		t.Errorf("moves of %d states", len(deliveryMoves))
	}
}

// TestDeliveryStates: a state and what a delivery shows of it belong together.
func TestDeliveryStates(t *testing.T) {
	now := time.Unix(1, 0)
	for want, d := range map[DeliveryState]*Delivery{
		StateNone:      nil,
		StateDue:       {Status: DeliveryPending, Due: now},
		StateWaiting:   {Status: DeliveryPending},
		StateSucceeded: {Status: DeliverySucceeded},
		StateFailed:    {Status: DeliveryFailed, Due: now},
		StateCanceled:  {Status: DeliveryCanceled},
	} {
		if got := d.State(); got != want {
			t.Errorf("%+v is %q, want %q", d, got, want)
		}
		if d != nil && want.Status() != d.Status {
			t.Errorf("%q has the status %q", want, want.Status())
		}
	}
}
