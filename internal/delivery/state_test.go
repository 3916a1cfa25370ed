package delivery

import (
	"testing"
	"time"
)

func TestTheStateOfAQueue(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	later, earlier, never := now.Add(time.Minute), now.Add(-time.Minute), time.Time{}
	ready := situation{now: now, on: true, most: 4, underWay: 1, work: true, admitted: true}
	for name, row := range map[string]struct {
		change func(*situation)
		state  queueState
		until  time.Time
	}{
		"nothing is in the way":                     {func(s *situation) {}, stateReady, never},
		"the process ends":                          {func(s *situation) { s.stopping = true }, stateStopping, never},
		"the endpoint is off":                       {func(s *situation) { s.on = false }, stateOff, never},
		"off, and the process ends":                 {func(s *situation) { s.on, s.stopping = false, true }, stateStopping, never},
		"as many attempts as there may be":          {func(s *situation) { s.underWay = 4 }, stateFull, never},
		"more, since there may be fewer by now":     {func(s *situation) { s.underWay = 9 }, stateFull, never},
		"one more may be":                           {func(s *situation) { s.underWay = 3 }, stateReady, never},
		"nothing is held":                           {func(s *situation) { s.work = false }, stateIdle, never},
		"answers wait to be recorded":               {func(s *situation) { s.unwritten = true }, stateUnwritten, never},
		"and nothing is held":                       {func(s *situation) { s.unwritten, s.work = true, false }, stateIdle, never},
		"own trouble":                               {func(s *situation) { s.paused = later }, statePaused, later},
		"own trouble that is over":                  {func(s *situation) { s.paused = now }, stateReady, never},
		"own trouble, sent by hand":                 {func(s *situation) { s.paused, s.byHand = later, true }, statePaused, later},
		"the circuit is open":                       {func(s *situation) { s.admitted, s.circuit = false, later }, stateCircuit, later},
		"the circuit is being tried":                {func(s *situation) { s.admitted = false }, stateCircuit, never},
		"the circuit is open, sent by hand":         {func(s *situation) { s.admitted, s.circuit, s.byHand = false, later, true }, stateReady, never},
		"the rate":                                  {func(s *situation) { s.rate = later }, stateRate, later},
		"the rate of before":                        {func(s *situation) { s.rate = earlier }, stateReady, never},
		"the rate, sent by hand":                    {func(s *situation) { s.rate, s.byHand = later, true }, stateRate, later},
		"the circuit and the rate":                  {func(s *situation) { s.admitted, s.circuit, s.rate = false, later.Add(1), later }, stateCircuit, later.Add(1)},
		"its turn is to come":                       {func(s *situation) { s.asked = true }, stateSlot, never},
		"its turn and the rate":                     {func(s *situation) { s.asked, s.rate = true, later }, stateRate, later},
		"own trouble, and answers are not recorded": {func(s *situation) { s.paused, s.unwritten = later, true }, stateUnwritten, never},
	} {
		s := ready
		row.change(&s)
		if got, until := s.state(); got != row.state || !until.Equal(row.until) {
			t.Errorf("%s: %s until %v, want %s until %v", name, got, until, row.state, row.until)
		}
	}
}

// TestTheReadingOfATable goes through every state and every event.
func TestTheReadingOfATable(t *testing.T) {
	events := []readEvent{fellBehind, changedAll, linedUp, begun, passed, showedAll, showedSome, failed}
	for state, after := range map[reading][]reading{ // by the events above
		readCurrent:  {readBehind, readBehind, readCurrent, readCurrent, readCurrent, readCurrent, readCurrent, readCurrent},
		readBehind:   {readBehind, readBehind, readInLine, readUnderWay, readBehind, readBehind, readBehind, readBehind},
		readInLine:   {readInLine, readInLine, readInLine, readUnderWay, readBehind, readInLine, readInLine, readInLine},
		readUnderWay: {readAnew, readStale, readUnderWay, readUnderWay, readUnderWay, readCurrent, readBehind, readCurrent},
		readAnew:     {readAnew, readStale, readAnew, readAnew, readAnew, readBehind, readBehind, readCurrent},
		readStale:    {readStale, readStale, readStale, readStale, readStale, readBehind, readBehind, readCurrent},
	} {
		for i, e := range events {
			if got := state.after(e); got != after[i] {
				t.Errorf("%s, and it %s: %s, want %s", state, e, got, after[i])
			}
		}
		if under := state == readUnderWay || state == readAnew || state == readStale; state.underWay() != under {
			t.Errorf("%s: under way %v", state, state.underWay())
		}
	}
}

// TestTheMemoryBudget: a queue may hold no more than is left for all others, and a
// few in any case.
func TestTheMemoryBudget(t *testing.T) {
	for _, row := range []struct{ held, holds, budget int }{
		{0, 0, mostDeliveries / 2},
		{mostDeliveries / 2, mostDeliveries / 2, leastHeld - mostDeliveries/2},
		{mostDeliveries / 2, 100, (mostDeliveries/2 - 100 + 1) / 2},
		{mostDeliveries - 10, 4, leastHeld - 4},
		{mostDeliveries, 0, leastHeld},
		{2 * mostDeliveries, 0, leastHeld},
		{mostDeliveries, leastHeld, 0},
	} {
		m := &memory{}
		m.deliveries.Store(int64(row.held))
		got := m.budget(row.holds)
		if max(got, 0) != max(row.budget, 0) {
			t.Errorf("with %d held, and %d of them by the queue: room for %d, want %d", row.held, row.holds, got, row.budget)
		}
	}
}
