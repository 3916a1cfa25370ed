package core

import (
	"cmp"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/event"
)

// The feed of an endpoint is the events that it was given, in the order of their commits.
// One row of the table feed is for the events of one write, for all endpoints together: so
// it costs a small row for each write, and no index by endpoint
// (docs/design.md#the-feed).
//
// What a write gives to whom is decided with it, and where that stands in the feed only when
// it is committed: an engine has [Feeds] do that for all batches of a transaction, as its
// last change, when nobody else can commit events of the same tenants before it ends.

// feedWrite is the events of one AddEvents that endpoints were given, in the order of their
// numbers. No other write has a number between the first and the last of them.
type feedWrite struct {
	tenant string
	given  []given
}

// given is an event that an endpoint was given. place is filled when the write is committed,
// for who sends the event.
type given struct {
	event, endpoint int64
	place           *event.Place
}

// feedRemoval is what retention removes of a tenant's feed: the parts up to the one at a
// position, whose last event stands at upTo. It is no change of the batch, because whatever
// is done to a feed is done under its lock, which is taken last.
type feedRemoval struct {
	tenant         string
	position, upTo int64
}

// first and last are the numbers of a write's first and last event.
func (w *feedWrite) first() int64 { return w.given[0].event }
func (w *feedWrite) last() int64  { return w.given[len(w.given)-1].event }

var (
	// feedRows is the columns of a part of the feed.
	feedRows = &Insertion{"feed", []string{"tenant", "position", "first", "given"}, nil}

	putHeads = `INSERT INTO feed_heads (tenant, position, heads) VALUES (?1, ?2, ?3)
		ON CONFLICT (tenant) DO UPDATE SET position = ?2, heads = ?3`
	selectHeads = `SELECT position, heads FROM feed_heads WHERE tenant = ?`
	selectFeed  = `SELECT position, first, given FROM feed WHERE tenant = ? AND position > ? ORDER BY position`
	deleteFeed  = `DELETE FROM feed WHERE tenant = ? AND position <= ?`
	putRemoved  = `UPDATE feed_heads SET removed = ?2 WHERE tenant = ?1 AND removed < ?2`
	selectGone  = `SELECT no FROM endpoints WHERE tenant = ? AND deleted <> 0`
)

// Feeds knows where the feeds of tenants end. Each connection of an engine that writes has
// its own, which only its goroutine uses.
type Feeds struct{ heads map[string]*feedHeads }

// feedHeads is where the feeds of a tenant end.
type feedHeads struct {
	last      int64           // the last position of the tenant
	endpoints map[int64]int64 // the last position of each endpoint, by its No
	since     int             // how many events endpoints were given since the heads were stored
}

// headsEach is after how many events the heads of a tenant are stored, or after twice as
// many as there are endpoints. It bounds what is read after a start.
const headsEach = 4000

// FeedLocks are the locks that an engine which commits several transactions at a time must
// take before it calls [Feeds.Extend], in their order, and hold until the transaction has
// ended. There are none for a transaction that gives nobody an event and removes none.
func FeedLocks(batches []*Batch) (locks []Lock) {
	for _, tenant := range feedTenants(batches) {
		locks = append(locks, feedLock(tenant))
	}
	return locks
}

func feedLock(tenant string) Lock { return Lock{Tenant: tenant, Name: "feed"} }

// feedTenants returns the tenants whose feeds are changed, in one order.
func feedTenants(batches []*Batch) []string {
	of := map[string]bool{}
	for _, b := range batches {
		for i := range b.feed {
			of[b.feed[i].tenant] = true
		}
		if b.feedRemoved != nil {
			of[b.feedRemoved.tenant] = true
		}
	}
	return slices.Sorted(maps.Keys(of))
}

// Forget is called when a transaction is lost whose batches had their places. The next one
// reads where the feeds end.
func (f *Feeds) Forget() { f.heads = nil }

// Extend gives the events of a transaction's batches their places, and returns the changes
// that make them durable, and those that remove what retention takes from feeds. ask asks within the transaction.
func (f *Feeds) Extend(d *Dialect, batches []*Batch, now time.Time, ask func(each func(Row) error, text string, args ...any) error) (changes []Change, err error) {
	asked := func(each func(Row) error, text string, args ...any) error { return ask(each, d.Text(text), args...) }
	var rows []Tuple
	for _, tenant := range feedTenants(batches) {
		h, err := f.now(tenant, micros(now), asked)
		if err != nil {
			return nil, err
		}
		for _, part := range feedParts(tenant, batches) {
			rows = append(rows, h.extend(tenant, part, micros(now)))
		}
		if h.since >= max(headsEach, 2*len(h.endpoints)) {
			h.since = 0
			changes = append(changes, Change{Text: d.Text(putHeads), Args: []any{tenant, h.last, h.encode()}, Rows: 1})
		}
	}
	if len(rows) > 0 {
		changes = append(changes, Change{Insertion: feedRows, Values: rows})
	}
	for _, b := range batches {
		if r := b.feedRemoved; r != nil {
			changes = append(changes, Change{Text: d.Text(deleteFeed), Args: []any{r.tenant, r.position}, Rows: AnyRows},
				Change{Text: d.Text(putRemoved), Args: []any{r.tenant, r.upTo}, Rows: AnyRows})
		}
	}
	return changes, nil
}

// mostInPart bounds how many events that endpoints were given a row has, unless one event has
// more: a row is read whole, and a publication of a thousand events for ten thousand endpoints
// would be one of tens of megabytes.
const mostInPart = 1000

// split cuts a write between its events into parts of that bound.
func (w feedWrite) split() (parts []feedWrite) {
	from, event := 0, 0 // where the part begins, and the event that is looked at
	for i := range w.given {
		if w.given[i].event != w.given[event].event {
			event = i
		}
		if i-from >= mostInPart && event > from {
			parts = append(parts, feedWrite{w.tenant, w.given[from:event]})
			from = event
		}
	}
	return append(parts, feedWrite{w.tenant, w.given[from:]})
}

// feedParts returns what is given in a tenant, in the order of the numbers of the events,
// which those of one order ascend in. Writes whose numbers follow each other go into one row:
// of publications that were committed together, all do.
func feedParts(tenant string, batches []*Batch) (parts []feedWrite) {
	var writes []feedWrite
	for _, b := range batches {
		for _, w := range b.feed {
			if w.tenant == tenant {
				writes = append(writes, w.split()...)
			}
		}
	}
	slices.SortFunc(writes, func(a, b feedWrite) int { return cmp.Compare(a.first(), b.first()) })
	for _, w := range writes {
		if n := len(parts); n > 0 && parts[n-1].last()+1 == w.first() && len(parts[n-1].given)+len(w.given) <= mostInPart {
			parts[n-1].given = slices.Concat(parts[n-1].given, w.given)
		} else {
			parts = append(parts, w)
		}
	}
	return parts
}

// headsKnownFor is how long the remembered heads of a tenant's feeds are used. After this time,
// they are read from the database again. Until then, rows by other nodes can be added to them,
// since retention removes nothing younger than a day.
const headsKnownFor = 12 * time.Hour

// now returns where the feeds of a tenant end, at a time in microseconds. What others have
// committed since is read.
func (f *Feeds) now(tenant string, at int64, ask func(each func(Row) error, text string, args ...any) error) (*feedHeads, error) {
	h := f.heads[tenant]
	if h == nil || h.last < at-headsKnownFor.Microseconds() {
		h = &feedHeads{endpoints: map[int64]int64{}}
		if err := ask(func(r Row) error {
			var heads []byte
			if err := r.Scan(&h.last, &heads); err != nil {
				return err
			}
			return h.decode(heads)
		}, selectHeads, tenant); err != nil {
			return nil, err
		}
		// Nothing is given to these any more, and their numbers are not used again.
		if err := ask(func(r Row) error {
			no, err := scanNumber(r)
			delete(h.endpoints, no)
			return err
		}, selectGone, tenant); err != nil {
			return nil, err
		}
	}
	if err := ask(func(r Row) error {
		p, err := scanFeedPart(r)
		if err != nil {
			return err
		}
		h.since += len(p.given)
		for _, g := range p.given {
			h.endpoints[g.endpoint] = g.Position
		}
		h.last = p.position + p.events - 1
		return nil
	}, selectFeed, tenant, h.last); err != nil {
		return nil, err
	}
	if f.heads == nil {
		f.heads = map[string]*feedHeads{}
	}
	f.heads[tenant] = h
	return h, nil
}

// extend gives the events of a part their places, behind all that there are. Positions are
// times, in microseconds, so that those that a receiver knows are never given again after an
// older copy of the database was put back.
func (h *feedHeads) extend(tenant string, part feedWrite, now int64) Tuple {
	position := max(h.last+1, now)
	events := part.last() - part.first() + 1
	b := binary.AppendUvarint(nil, uint64(events))
	for at, last := 0, part.first(); at < len(part.given); {
		one := part.given[at].event
		to := at + 1
		for to < len(part.given) && part.given[to].event == one {
			to++
		}
		b = binary.AppendUvarint(b, uint64(one-last))
		b = binary.AppendUvarint(b, uint64(to-at))
		its := position + one - part.first()
		for _, g := range part.given[at:to] {
			*g.place = event.Place{Position: its, Previous: h.endpoints[g.endpoint]}
			var back int64 // to the event before it; 0: there is none
			if g.place.Previous != 0 {
				back = its - g.place.Previous
			}
			b = binary.AppendUvarint(b, uint64(g.endpoint))
			b = binary.AppendUvarint(b, uint64(back))
			h.endpoints[g.endpoint] = its
		}
		at, last = to, one
	}
	h.last = position + events - 1
	h.since += len(part.given)
	return Tuple{Often: []any{tenant, position, part.first(), b}}
}

// feedPart is a row of the feed.
type feedPart struct {
	position, first, events int64
	given                   []feedEntry
}

// feedEntry is an event in the feed of an endpoint.
type feedEntry struct {
	event, endpoint int64
	event.Place
}

// errFeed is the error for a row that extend cannot have written.
var errFeed = errors.New("a stored part of the feed cannot be read")

// scanFeedPart reads the columns of selectFeed.
func scanFeedPart(r Row) (p feedPart, err error) {
	var b []byte
	if err := r.Scan(&p.position, &p.first, &b); err != nil {
		return p, err
	}
	next := func() (n int64) {
		v, size := binary.Uvarint(b)
		if size <= 0 || v > uint64(1)<<62 {
			err = errFeed
			return 0
		}
		b = b[size:]
		return int64(v)
	}
	p.events = next()
	for event := p.first; len(b) > 0 && err == nil; {
		event += next()
		for n := next(); n > 0 && err == nil; n-- {
			e := feedEntry{event: event, endpoint: next()}
			e.Position = p.position + event - p.first
			if back := next(); back > 0 {
				e.Previous = e.Position - back
			}
			p.given = append(p.given, e)
		}
	}
	return p, err
}

// encode returns the last positions of the endpoints, as they are stored.
func (h *feedHeads) encode() (b []byte) {
	for _, no := range slices.Sorted(maps.Keys(h.endpoints)) {
		b = binary.AppendUvarint(b, uint64(no))
		b = binary.AppendUvarint(b, uint64(h.endpoints[no]))
	}
	return b
}

// decode reads what encode has made.
func (h *feedHeads) decode(b []byte) error {
	for len(b) > 0 {
		no, n := binary.Uvarint(b)
		if n <= 0 {
			return errFeed
		}
		position, m := binary.Uvarint(b[n:])
		if m <= 0 {
			return errFeed
		}
		h.endpoints[int64(no)], b = int64(position), b[n+m:]
	}
	return nil
}
