package core

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
)

// completeOne changes a delivery after an attempt. The delivery belongs to no group and
// is assumed to be pending; the condition checks that.
const completeOne = `
	UPDATE deliveries SET attempts = ?4, updated = ?5, status = ?6, due = ?7, last_status = ?8, last_error = ?9
	WHERE tenant = ?1 AND event = ?2 AND endpoint = ?3 AND status = 'p' AND grp = ''`

// removeDelivered removes the rows of deliveries that have succeeded, of which it assumes
// what completeOne does.
const removeDelivered = `DELETE FROM deliveries WHERE {pairs ?1 ?2} AND status = 'p' AND grp = ''`

// CompleteDeliveries implements [store.EventTx]. Nearly always a delivery has not changed
// since its attempt began. So the deliveries are not read first, and the rows of those that
// succeeded are removed by one statement; if one of them has changed, the number of changed
// rows is wrong, and the write is overtaken. A delivery is read first in three cases: its
// endpoint wants order, the delivery failed for good, or the write was overtaken.
func (d *draft) CompleteDeliveries(ctx context.Context, tenant string, list ...store.Completion) (before map[int]bool, err error) {
	d.touch(tenant, changes.TopicDeliveries)
	set, err := d.endpointsOf(ctx, tenant)
	if err != nil {
		return nil, err
	}
	var succeeded []event.DeliveryKey
	var attempts []recorded
	// s is a copy: recordedBefore and completeRead may give it another attempt, and the
	// list of the caller stays as it is.
	for i := range list {
		s, arrived := list[i], false
		if s.Status == event.DeliverySucceeded && s.Attempt == nil {
			return nil, errors.New("a delivery cannot succeed without an attempt")
		}
		switch {
		// This is the slow way: the delivery is read, and its state decides what becomes of
		// it.
		case d.again || s.Status == event.DeliveryFailed || ordered(set.get(s.Key.Endpoint)):
			known, err := d.recordedBefore(ctx, tenant, &s)
			if err == nil && !known {
				arrived, err = d.completeRead(ctx, tenant, &s)
			}
			if err != nil {
				return nil, err
			}
			// All of it was committed before: the attempt must not be recorded again.
			if known {
				before = noted(before, i)
				continue
			}
		// This is the quick way: one statement below removes the rows of all of them.
		case s.Status == event.DeliverySucceeded:
			succeeded, arrived = append(succeeded, s.Key), true
		default:
			// The delivery is put off. Each has a time of its own, and so a statement of
			// its own.
			status, failure := s.Outcome()
			d.of(tenant).changeOne(completeOne, tenant, s.Key.Event, s.Key.Endpoint, s.Attempts, micros(s.At), letter(s.Status), dueOf(&s), status, failure)
		}
		if s.Attempt != nil {
			attempts = append(attempts, recorded{s.Attempt, arrived})
		}
	}
	if len(succeeded) > 0 {
		d.of(tenant).add(Change{Text: removeDelivered, Args: []any{tenant, jsonPairs(succeeded)}, Rows: int64(len(succeeded))})
	}
	return before, d.addAttempts(ctx, tenant, attempts...)
}

// noted adds a place to a set of places, which is nearly always empty.
func noted(places map[int]bool, i int) map[int]bool {
	if places == nil {
		places = map[int]bool{}
	}
	places[i] = true
	return places
}

// dueOf returns when the next attempt is due, as it is stored; 0 if there is none,
// as for a delivery that has ended.
func dueOf(s *store.Completion) int64 {
	if s.Status != event.DeliveryPending {
		return 0
	}
	return microsOrZero(s.Due)
}

// jsonPairs returns pairs of an event and an endpoint for the piece {pairs}, as the names and
// values of an object: an event that went to several endpoints is a name in it several times.
// In a list of lists, SQLite would need a function to tell the two apart, and it prepares for
// an error of that by copying each page that the statement changes. It is written by hand,
// because it is made for every group of results.
func jsonPairs(keys []event.DeliveryKey) string {
	list := []byte{'{'}
	for _, key := range keys {
		list = append(strconv.AppendInt(append(separated(list, '{'), '"'), key.Event, 10), '"', ':')
		list = strconv.AppendInt(list, key.Endpoint, 10)
	}
	return string(append(list, '}'))
}

// recordedBefore reports whether a completion was written already. That happens if nobody
// could say what became of the commit: then the completer writes the same completion again.
// If another attempt has the same number by chance, the completion gets a copy of its
// attempt with another number.
func (d *draft) recordedBefore(ctx context.Context, tenant string, s *store.Completion) (bool, error) {
	if !d.again || s.Attempt == nil {
		return false, nil
	}
	seq, found, err := d.attemptSeq(ctx, tenant, s.Attempt.ID)
	if err != nil || !found {
		return false, err
	}
	var event, endpoint int64
	var number int
	err = one(ctx, d.q, []any{&event, &endpoint, &number}, `SELECT event, endpoint, number FROM attempts WHERE tenant = ? AND seq = ?`, tenant, seq)
	if err != nil || event == s.Key.Event && endpoint == s.Key.Endpoint && number == s.Attempt.Number {
		return err == nil, err
	}
	other := *s.Attempt
	other.ID = ids.Numbered(ids.Attempt, other.StartedAt)
	s.Attempt = &other
	return false, nil
}

// attempted has, for the status that an attempt leads to, the move of the state machine in
// [event.DeliveryState]. A delivery that is still pending has been put off.
var attempted = map[event.DeliveryStatus]event.DeliveryMove{
	event.DeliverySucceeded: event.MoveSucceeded, event.DeliveryPending: event.MovePutOff, event.DeliveryFailed: event.MoveFailed}

// completeRead reads a delivery and completes it, and reports whether the attempt is the
// record of it from now on. If the delivery was removed, or had succeeded before, the
// attempt is recorded and nothing else. If the delivery has ended already, its event may
// have been erased: then the attempt must not contain any of its data.
func (d *draft) completeRead(ctx context.Context, tenant string, s *store.Completion) (arrived bool, err error) {
	was, err := d.delivery(ctx, tenant, s.Key)
	gone := apierr.KindOf(err) == apierr.NotFound
	if err != nil && !gone {
		return false, err
	}
	// A late attempt changes nothing in a delivery that was removed, or has succeeded
	// already.
	if gone || was.Status == event.DeliverySucceeded {
		return false, d.bareIfErased(ctx, tenant, s)
	}
	next, _ := was.State().After(attempted[s.Status])
	is := was.copy()
	is.Status, is.Attempts, is.Updated = next.State.Status(), s.Attempts, fromMicros(micros(s.At))
	is.LastStatus, is.LastError = s.Outcome()
	if is.Due = (time.Time{}); next.State == event.StateDue {
		is.Due = s.Due
	}
	// The attempt is the record from now on, so the row goes.
	if arrived = is.Status == event.DeliverySucceeded; arrived {
		d.noteDelivery(tenant, was, is)
		d.of(tenant).changeOne(`DELETE FROM deliveries`+theDelivery, was.keyArgs(tenant)...)
	} else {
		d.changeDelivery(tenant, was, is, `attempts = ?7, updated = ?8, status = ?9, due = ?10, last_status = ?11, last_error = ?12`,
			is.Attempts, micros(is.Updated), letter(is.Status), microsOrZero(is.Due), is.LastStatus, is.LastError)
	}
	if next.Unblocks {
		d.unblock(tenant, s.Key.Endpoint, was.group, s.At)
	}
	if was.Status != event.DeliveryPending {
		return arrived, d.bareIfErased(ctx, tenant, s)
	}
	return arrived, nil
}

// copy returns a copy that can be changed without changing s: the draft compares the two,
// and remembers the delivery as it was read.
func (s storedDelivery) copy() storedDelivery {
	same := *s.Delivery
	return storedDelivery{&same, s.group}
}

// bareIfErased takes the details off an attempt whose event's data was erased, or
// is gone.
func (d *draft) bareIfErased(ctx context.Context, tenant string, s *store.Completion) error {
	if s.Attempt == nil {
		return nil
	}
	switch err := d.hasData(ctx, tenant, &event.Event{Seq: s.Key.Event}); apierr.KindOf(err) {
	// The data was erased, or the event was removed.
	case apierr.Conflict, apierr.NotFound:
		s.Attempt = s.Attempt.Bare()
		return nil
	default:
		return err
	}
}
