package core

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
)

// Partitions are the parts of the tables of events and attempts, of an engine that has them
// in parts. Of what is old, it drops a part as a whole.
type Partitions interface {
	// List returns all partitions, the oldest first, those that are detached too.
	List(ctx context.Context) ([]Partition, error)
	// Ahead makes partitions for the present and for what comes next, each of a length.
	// It has events be numbered in the present one.
	Ahead(ctx context.Context, now time.Time, length time.Duration) error
	// Detach takes a partition off its table, so that nobody finds its rows any more. One
	// that is leaving already goes on to do so. It gives up where somebody may still read
	// the partition, and then it is leaving.
	Detach(ctx context.Context, p Partition) error
	// Attach undoes Detach.
	Attach(ctx context.Context, p Partition) error
	// Drop drops a detached partition, with what the engine itself has about its rows.
	Drop(ctx context.Context, p Partition, tenants []string) error
	// Analyze has the database look at the tables as a whole, if it has not lately.
	Analyze(ctx context.Context) error
}

// Partition is a part of a table: the rows of all tenants whose seq is not below From, and
// below To.
type Partition struct {
	Table, Name string
	From, To    int64
	State       PartitionState
}

// PartitionState says whether the rows of a partition are in its table.
type PartitionState int

// The states of a partition.
const (
	PartitionAttached PartitionState = iota
	// PartitionLeaving is one that nobody finds any more who begins to look now.
	PartitionLeaving
	PartitionDetached
)

// Has reports whether a partition is that of a number in a table.
func (p Partition) Has(table string, n int64) bool {
	return p.Table == table && p.From <= n && n < p.To
}

// MakeAhead implements [store.Upkeep]. Where all is retained for good, nothing is dropped,
// and partitions are long.
func (s *Store) MakeAhead(ctx context.Context, now time.Time, longest time.Duration) error {
	parts := s.engine.Partitions()
	if parts == nil {
		return nil
	}
	length := longest / partitionsOfRetention
	if longest == 0 {
		length = longestPartition
	}
	err := parts.Ahead(ctx, now, length)
	if err == nil {
		err = parts.Analyze(ctx)
	}
	return err
}

const (
	// partitionsOfRetention is into how many partitions a retention is divided. Few are few
	// locks for a question that goes through all of them (docs/design.md#partitions).
	partitionsOfRetention = 4
	longestPartition      = 365 * 24 * time.Hour
)

// DropOld implements [store.Upkeep]. Events go before the attempts at them.
func (s *Store) DropOld(ctx context.Context, before time.Time, yield store.Yield) (rest time.Time, err error) {
	parts := s.engine.Partitions()
	if parts == nil {
		return before, nil
	}
	o := &oldPartitions{db: s, parts: parts, before: before, yield: yield}
	if o.tenants, err = s.Tenants(ctx); err != nil {
		return rest, err
	}
	if o.newest, err = s.eventsBefore(ctx, before); err != nil {
		return rest, err
	}
	if err = o.dropOf(ctx, "events"); err == nil {
		err = o.dropOf(ctx, "attempts")
	}
	rest, failed := o.rest(ctx)
	return rest, errors.Join(err, failed)
}

// oldPartitions is one call of DropOld.
type oldPartitions struct {
	db      *Store
	parts   Partitions
	tenants []string
	before  time.Time
	newest  int64 // the last event that is old
	yield   store.Yield
}

// dropOf drops the partitions of a table that may go. What a call before has begun, which
// was interrupted, is taken up again.
func (o *oldPartitions) dropOf(ctx context.Context, table string) error {
	all, err := o.parts.List(ctx)
	for _, p := range all {
		if err != nil {
			return err
		}
		if p.Table == table && (p.State != PartitionAttached || o.isOld(p)) {
			err = o.drop(ctx, p)
		}
	}
	return err
}

// isOld reports whether all that is in a partition is old. The number of an attempt says
// so, that of an event only with the marks that say when it was given.
func (o *oldPartitions) isOld(p Partition) bool {
	if p.Table == "events" {
		return p.To <= o.newest
	}
	return p.To <= ids.FirstNumber(o.before)
}

// drop drops a partition if nothing in it is needed. It looks again when the partition is
// detached: until then somebody may have had an event sent again. From then on nobody can,
// since the event is not there.
func (o *oldPartitions) drop(ctx context.Context, p Partition) error {
	if p.State == PartitionAttached {
		if free, err := o.isFree(ctx, p); err != nil || !free {
			return err
		}
	}
	if p.State != PartitionDetached {
		if err := o.parts.Detach(ctx, p); err != nil {
			return err
		}
	}
	free, err := o.isFree(ctx, p)
	if err != nil {
		return err
	}
	if !free || !o.isOld(p) {
		return o.parts.Attach(ctx, p)
	}
	for _, tenant := range o.tenants {
		if err := o.removeBeside(ctx, p, tenant); err != nil {
			return err
		}
	}
	return o.parts.Drop(ctx, p, o.tenants)
}

// isFree reports whether nothing in a partition is needed any more, of any tenant.
func (o *oldPartitions) isFree(ctx context.Context, p Partition) (free bool, err error) {
	needed := o.eventsNeeded
	if p.Table == "attempts" {
		needed = o.attemptsNeeded
	}
	for _, tenant := range o.tenants {
		if is, err := needed(ctx, p, tenant); err != nil || is {
			return false, err
		}
		if err := o.yield(ctx); err != nil {
			return false, err
		}
	}
	return true, nil
}

// eventsNeeded reports whether a tenant needs an event of a partition, as removeEvents asks
// of each event: a delivery of it is pending, or was touched or attempted since.
func (o *oldPartitions) eventsNeeded(ctx context.Context, p Partition, tenant string) (needed bool, err error) {
	err = one(ctx, o.db.q, []any{&needed}, `
		SELECT EXISTS (SELECT 1 FROM deliveries WHERE tenant = ?1 AND event >= ?2 AND event < ?3 AND (status = 'p' OR updated >= ?4))
			OR EXISTS (SELECT 1 FROM attempts AS a INDEXED BY attempts_delivery WHERE a.tenant = ?1 AND a.event >= ?2 AND a.event < ?3 AND a.event > 0 AND a.seq >= ?5)`,
		tenant, p.From, p.To, micros(o.before), ids.FirstNumber(o.before))
	return needed, err
}

// attemptsNeeded reports whether an attempt of a partition may be the record of a delivery
// whose event is still there (recordOfDelivery). Of old events few are left, so these are
// gone through, and not the attempts; the form of the statement keeps the database to that.
// An attempt is never in a partition before that of its event.
func (o *oldPartitions) attemptsNeeded(ctx context.Context, p Partition, tenant string) (needed bool, err error) {
	err = o.db.q.QueryOnce(ctx, func(r Row) error { return r.Scan(&needed) }, `
		SELECT EXISTS (SELECT 1 FROM events AS e WHERE e.tenant = ?1 AND e.seq < ?2 AND
			(SELECT a.seq FROM `+p.Name+` AS a WHERE a.tenant = ?1 AND a.event = e.seq AND a.event > 0 LIMIT 1) IS NOT NULL)`,
		tenant, p.To)
	return needed, err
}

// removeBeside removes what other tables have about the rows of a detached partition: of
// events the deliveries, which have ended, and of attempts the bodies of their calls.
func (o *oldPartitions) removeBeside(ctx context.Context, p Partition, tenant string) error {
	of := &old{db: o.db, tenant: tenant, before: o.before, yield: o.yield}
	if p.Table == "attempts" {
		return of.removeBodies(ctx, p)
	}
	return of.removeDeliveries(ctx, p)
}

// removeDeliveries removes the deliveries of the events of a partition.
func (o *old) removeDeliveries(ctx context.Context, p Partition) error {
	type delivery struct{ event, endpoint int64 }
	return removeEach(ctx, o, func(last delivery) ([]delivery, error) {
		return collect(ctx, o.db.q.Query, func(r Row) (d delivery, err error) {
			err = r.Scan(&d.event, &d.endpoint)
			return d, err
		}, `SELECT event, endpoint FROM deliveries WHERE tenant = ? AND event >= ? AND event < ? AND (event, endpoint) > (?, ?) AND status <> 'p' ORDER BY event, endpoint LIMIT ?`,
			o.tenant, p.From, p.To, last.event, last.endpoint, removedAtOnce)
	}, func(b *Batch, d delivery) {
		b.change(`DELETE FROM deliveries WHERE tenant = ? AND event = ? AND endpoint = ? AND status <> 'p'`, o.tenant, d.event, d.endpoint)
	})
}

// removeBodies removes the request bodies of the calls of a partition, but of those of which
// a later attempt is somewhere else.
func (o *old) removeBodies(ctx context.Context, p Partition) error {
	return removeEach(ctx, o, func(last string) ([]string, error) {
		return collect(ctx, o.db.q.QueryOnce, func(r Row) (call string, err error) {
			err = r.Scan(&call)
			return call, err
		}, `SELECT DISTINCT call_id FROM `+p.Name+` WHERE tenant = ? AND call_id > ? AND call_id <> '' ORDER BY call_id LIMIT ?`, o.tenant, last, removedAtOnce)
	}, func(b *Batch, call string) { removeBody(b, o.tenant, call) })
}

// rest returns the time from which on rows are left to the partitions that they are in, of
// tenants that retain as long as any. A partition of which all is old gets half its length
// to become free; after that, its rows are removed one by one.
func (o *oldPartitions) rest(ctx context.Context) (time.Time, error) {
	all, err := o.parts.List(ctx)
	if err != nil {
		return time.Time{}, err
	}
	all = slices.DeleteFunc(all, func(p Partition) bool { return p.Table != "attempts" || p.State != PartitionAttached })
	from := o.before
	for _, p := range slices.Backward(all) {
		begin, end := ids.NumberTime(p.From), ids.NumberTime(p.To)
		if patience := end.Sub(begin) / 2; !end.Add(patience).After(o.before) || p.From == 0 {
			break
		}
		if begin.Before(from) {
			from = begin
		}
	}
	return from, nil
}
