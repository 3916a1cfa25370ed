package notify

import "time"

// state is what an endpoint queue does, or why it begins no attempt.
type state string

// The states of an endpoint queue.
const (
	stateStopping  state = "stopping"  // the process ends: nothing new is begun
	stateOff       state = "off"       // the endpoint is off, or gone
	stateFull      state = "full"      // as many attempts are under way as the endpoint may have
	stateIdle      state = "idle"      // it holds nothing that may be attempted
	stateUnwritten state = "unwritten" // too many answers of the tenant's endpoints wait to be recorded
	statePaused    state = "paused"    // this server had trouble of its own with the last attempt
	stateCircuit   state = "circuit"   // the circuit is open, or half open and being tried
	stateRate      state = "rate"      // the endpoint's rate has no attempt to give
	stateSlot      state = "slot"      // it waits for its turn among all outgoing calls
	stateReady     state = "ready"     // the next attempt may begin
)

// situation is all that the state of an endpoint queue depends on.
type situation struct {
	now      time.Time
	stopping bool
	on       bool // the endpoint is on
	underWay int  // attempts
	most     int  // as many as there may be at once
	work     bool // something that may be attempted is held
	byHand   bool // of it, something that was sent again by hand

	unwritten bool      // the recorder takes no more
	paused    time.Time // until when, by this server's own trouble; zero: it is not

	admitted bool      // by the circuit
	circuit  time.Time // when the circuit is to be asked again; zero: something else will say
	rate     time.Time // when the rate has an attempt to give; zero: now

	asked bool // for a slot that was not granted yet
}

// state returns the state, and when to look again; the zero time: not before
// something changes. The first reason that holds is the state's, from those that
// concern all to those that concern the next attempt alone.
func (s situation) state() (state, time.Time) {
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
	case !s.admitted && !s.byHand: // CONTRACT.md, "Event notifications"
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
	readCurrent  reading = "current"                 // all that is due is held
	readBehind   reading = "behind"                  // there may be due ones that are not held
	readInLine   reading = "in line"                 // behind, and it waits for its turn to read the table
	readUnderWay reading = "reading"                 // the table is being read
	readAnew     reading = "reading, then once more" // it is being read, and there may be more than that will show
	readStale    reading = "reading in vain"         // it is being read, but by now other deliveries are due
)

// readEvent is what changes the state of the reading.
type readEvent string

// The events.
const (
	fellBehind readEvent = "fell behind" // something is due that is not held
	changedAll readEvent = "changed all" // what is due is another matter now
	linedUp    readEvent = "lined up"    // it asks for a turn to read
	begun      readEvent = "begun"       // a reading begins
	passed     readEvent = "passed"      // its turn came, and it does not read
	showedAll  readEvent = "showed all"  // it has ended, and showed all that is due
	showedSome readEvent = "showed some" // it has ended, and there are more, or no room for all
	failed     readEvent = "failed"      // it has ended with an error
)

// readTable says what becomes of the reading's state by an event. What is not in
// it cannot happen, or changes nothing.
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
