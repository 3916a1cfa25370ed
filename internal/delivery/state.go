package delivery

import "time"

// queueState is what an endpoint queue does, or why it begins no attempt. The metrics show how
// many queues are in each.
type queueState string

// The states of an endpoint queue.
const (
	stateStopping  queueState = "stopping"  // the process ends, or another node may have the endpoint: no attempt begins
	stateOff       queueState = "off"       // the endpoint is off, or gone
	stateFull      queueState = "full"      // as many attempts are under way as the endpoint may have
	stateIdle      queueState = "idle"      // it has no delivery that may be attempted
	stateUnwritten queueState = "unwritten" // too many results of the tenant's attempts wait to be written
	statePaused    queueState = "paused"    // the last attempt failed by a problem of this server
	stateCircuit   queueState = "circuit"   // the circuit is open, or it is half open and its one attempt is under way
	stateRate      queueState = "rate"      // the endpoint's rate limit allows no attempt now
	stateSlot      queueState = "slot"      // it waits for a slot: all outgoing calls share them
	stateReady     queueState = "ready"     // the next attempt may begin
)

// situation is all that the state of an endpoint queue depends on. It is a value, so each
// pair of situation and state can be tested by itself.
type situation struct {
	now      time.Time
	stopping bool
	on       bool // the endpoint is on
	underWay int  // attempts
	most     int  // attempts that may be under way at once
	work     bool // there is a delivery that may be attempted
	byHand   bool // the next delivery was sent again by hand

	unwritten bool      // the completer is full
	paused    time.Time // until when it is paused after a problem of this server; zero: it is not

	admitted bool      // the circuit allows an attempt
	circuit  time.Time // when to ask the circuit again; zero: the end of an attempt changes it
	rate     time.Time // when the rate limit allows the next attempt; zero: now

	asked bool // it has asked for a slot, and has not got it yet
}

// state returns the state, and when to look again; the zero time means: when something
// changes. If there are several reasons to wait, the state is the first of them. The
// reasons are in order: first those for the whole process, last those for the next
// attempt alone. It decides by s alone, and changes nothing.
func (s situation) state() (queueState, time.Time) {
	switch {
	case s.stopping:
		return stateStopping, time.Time{}
	case !s.on:
		return stateOff, time.Time{}
	case s.underWay >= s.most:
		return stateFull, time.Time{}
	case !s.work:
		return stateIdle, time.Time{}
	case s.unwritten:
		return stateUnwritten, time.Time{}
	case s.now.Before(s.paused):
		return statePaused, s.paused
	case !s.admitted && !s.byHand: // docs/contract.md#delivery
		return stateCircuit, s.circuit
	case s.now.Before(s.rate):
		return stateRate, s.rate
	case s.asked:
		return stateSlot, time.Time{}
	}
	return stateReady, time.Time{}
}

// reading is what an endpoint queue knows of its table.
type reading string

// The states of the reading.
const (
	readCurrent  reading = "current"                 // the queue holds all that is due
	readBehind   reading = "behind"                  // there may be due deliveries that it does not hold
	readInLine   reading = "in line"                 // it is behind, and waits for its turn to read the table
	readUnderWay reading = "reading"                 // the table is being read
	readAnew     reading = "reading, then once more" // it is being read, and more became due since the reading began
	readStale    reading = "reading in vain"         // it is being read, but what it shows is not true any more
)

// readEvent is what changes the state of the reading.
type readEvent string

// The events.
const (
	fellBehind readEvent = "fell behind" // a delivery is due that the queue does not hold
	changedAll readEvent = "changed all" // the rows were changed: other deliveries may be due now
	linedUp    readEvent = "lined up"    // the queue has asked for a turn to read
	begun      readEvent = "begun"       // a reading begins
	passed     readEvent = "passed"      // the turn came, but the queue does not need it any more
	showedAll  readEvent = "showed all"  // the reading has ended, and the queue took all that is due
	showedSome readEvent = "showed some" // the reading has ended, and some that are due are still in the table
	failed     readEvent = "failed"      // the reading has ended with an error
)

// readTable has, for each state and event, the next state. A pair that is not in it cannot
// happen, or changes nothing. So no delivery is missed, whether it becomes due before a
// reading, during it or after it.
var readTable = map[reading]map[readEvent]reading{
	readCurrent:  {fellBehind: readBehind, changedAll: readBehind},
	readBehind:   {linedUp: readInLine, begun: readUnderWay},
	readInLine:   {begun: readUnderWay, passed: readBehind},
	readUnderWay: {fellBehind: readAnew, changedAll: readStale, showedAll: readCurrent, showedSome: readBehind, failed: readCurrent},
	readAnew:     {changedAll: readStale, showedAll: readBehind, showedSome: readBehind, failed: readCurrent},
	readStale:    {showedAll: readBehind, showedSome: readBehind, failed: readCurrent},
}

// after returns the state after an event.
func (r reading) after(e readEvent) reading {
	if next, ok := readTable[r][e]; ok {
		return next
	}
	return r
}

// underWay reports whether the table is being read.
func (r reading) underWay() bool { return r == readUnderWay || r == readAnew || r == readStale }
