package core

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/store"
)

// callSpan is what a row of call_counts counts. Calls are counted by the minute. The counts
// of a quarter of an hour are made of these, once hardly any call of it is still to come
// (gatherMinutes). The overview draws the calls of an hour and of a day from these rows,
// without looking at any attempt.
type callSpan struct {
	span, start   int64 // in minutes
	kind, outcome string
}

// spanAt is where the span of so many minutes begins that a time is in, in minutes since
// 1970.
func spanAt(at time.Time, minutes int64) int64 { return at.Unix() / 60 / minutes * minutes }

// minutes is a span in minutes.
func minutes(span time.Duration) int64 { return int64(span / time.Minute) }

// CallCount is what calls are to be added to the count of a span. It is a part of a batch,
// and not a change of it, so that an engine can add up those of all batches that it commits
// together.
type CallCount struct {
	callSpan
	tenant    string
	calls     int64
	durations attempt.Durations
}

// addTo adds a count to the one of the same span, and returns all of them. There are few:
// hardly ever calls of more than two minutes, and the outcomes.
func (c CallCount) addTo(counts []CallCount) []CallCount {
	at := slices.IndexFunc(counts, func(o CallCount) bool { return o.tenant == c.tenant && o.callSpan == c.callSpan })
	if at < 0 {
		return append(counts, c)
	}
	counts[at].calls += c.calls
	for i, n := range c.durations {
		counts[at].durations[i] += n
	}
	return counts
}

// countCalls counts attempts by the minute that they began in. The count is in the write
// that records the attempt: so a crash counts none twice and misses none.
func (d *draft) countCalls(tenant string, all []recorded) {
	b, m := d.of(tenant), minutes(store.CallSpans[0])
	for _, a := range all {
		c := CallCount{callSpan: callSpan{m, spanAt(a.StartedAt, m), a.Kind, a.Outcome}, tenant: tenant, calls: 1}
		// p50 and p99 are made of these counts, without any attempt being read.
		c.durations.Count(a.DurationMs)
		b.Calls = c.addTo(b.Calls)
	}
}

// CountCalls returns the changes that count the calls of all batches of a transaction: one
// for each minute, kind and outcome, however many batches there are. An engine adds them
// behind the changes of the batches.
func CountCalls(d *Dialect, batches []*Batch) (changes []Change) {
	var counts []CallCount
	for _, b := range batches {
		for _, c := range b.Calls {
			counts = c.addTo(counts)
		}
	}
	// In one order, so that of two transactions neither waits for the other one's count while
	// that waits for its own.
	slices.SortFunc(counts, func(a, b CallCount) int {
		return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.start, b.start), cmp.Compare(a.kind, b.kind), cmp.Compare(a.outcome, b.outcome))
	})
	for _, c := range counts {
		args := []any{c.tenant, c.span, c.start, c.kind, c.outcome, c.calls}
		for _, n := range c.durations {
			args = append(args, n)
		}
		changes = append(changes, Change{Text: d.Text(addCalls), Args: args, Rows: 1})
	}
	return changes
}

// The statements name a column for each bound.
var addCalls, selectCalls = callTexts(len(attempt.Durations{}))

// callTexts returns the statement that adds calls to the counts, and the one that reads
// the counts. Each bound of the durations has a column of its own.
func callTexts(bounds int) (add, selected string) {
	var columns, values, added, sums strings.Builder
	for i := range bounds {
		fmt.Fprintf(&columns, ", d%d", i)
		values.WriteString(", ?")
		fmt.Fprintf(&sums, ", CAST(sum(d%d) AS bigint)", i)
		fmt.Fprintf(&added, ", d%d = call_counts.d%[1]d + excluded.d%[1]d", i)
	}
	add = `INSERT INTO call_counts (tenant, span, start, kind, outcome, calls` + columns.String() + `) VALUES (?, ?, ?, ?, ?, ?` + values.String() + `)
		ON CONFLICT ({callkey}) DO UPDATE SET calls = call_counts.calls + excluded.calls` + added.String()
	selected = `SELECT start / ?2 * ?2 AS begins, kind, outcome, CAST(sum(calls) AS bigint), count(*)` + sums.String() + ` FROM call_counts
		WHERE tenant = ?1 AND span IN (?3, ?4) AND start >= ?5 AND start < ?6 GROUP BY begins, kind, outcome ORDER BY begins, kind, outcome`
	return add, selected
}

// Calls implements [store.Reader]. It takes its turn as a list does. Minutes that are
// gathered into quarters of an hour are found only by a question for quarters.
func (q queries) Calls(ctx context.Context, tenant string, from, to time.Time, span time.Duration) ([]attempt.CallCount, error) {
	ctx, leave, err := q.enter(ctx, tenant, store.Listing)
	if err != nil {
		return nil, err
	}
	defer leave()
	m := minutes(span)
	counts, err := q.callCounts(ctx, tenant, m, []int64{m, minutes(store.CallSpans[0])}, spanAt(from, m), spanAt(to, m))
	var calls []attempt.CallCount
	for _, c := range counts {
		calls = append(calls, attempt.CallCount{From: time.Unix(c.start*60, 0).UTC(), Kind: c.kind, Outcome: c.outcome, Calls: c.calls, Durations: c.durations})
	}
	return calls, err
}

// storedCount is a count that is read, and of how many rows it is made.
type storedCount struct {
	CallCount
	rows int64
}

// callCounts adds up the rows of two spans, which may be the same, by spans of so many
// minutes, from one minute up to another. A quarter of an hour may be partly gathered and
// partly still in minutes: so a question for quarters reads both.
func (q queries) callCounts(ctx context.Context, tenant string, by int64, of []int64, from, to int64) ([]storedCount, error) {
	return collect(ctx, q.q.Query, func(r Row) (c storedCount, err error) {
		c.tenant, c.span = tenant, by
		into := []any{&c.start, &c.kind, &c.outcome, &c.calls, &c.rows}
		for i := range c.durations {
			into = append(into, &c.durations[i])
		}
		return c, r.Scan(into...)
	}, selectCalls, tenant, by, of[0], of[1], from, to)
}

// minutesRetained is for how long calls are counted by the minute. It is longer than the
// hour that is drawn by the minute, and than nearly all calls take.
const minutesRetained = 2 * time.Hour

// gatherMinutes makes quarters of an hour of the minutes of a tenant that are old enough.
// One quarter is one write: if the process dies in between, each call is counted once.
func (o *old) gatherMinutes(ctx context.Context) error {
	minute, quarter := minutes(store.CallSpans[0]), minutes(store.CallSpans[1])
	until := spanAt(o.db.clock().Add(-minutesRetained), quarter)
	for {
		var first sql.NullInt64
		err := one(ctx, o.db.q, []any{&first}, `SELECT min(start) FROM call_counts WHERE tenant = ? AND span = ? AND start < ?`, o.tenant, minute, until)
		if err != nil || !first.Valid {
			return err
		}
		if err := o.db.write(ctx, func(d *draft) error { return d.gatherQuarter(ctx, o.tenant, first.Int64/quarter*quarter) }); err != nil {
			return err
		}
		if err := o.yield(ctx); err != nil {
			return err
		}
	}
}

// gatherQuarter moves the counts of the minutes of a quarter of an hour to the counts of
// the quarter. A minute that is counted on meanwhile has the write decided again.
func (d *draft) gatherQuarter(ctx context.Context, tenant string, start int64) error {
	minute, quarter := minutes(store.CallSpans[0]), minutes(store.CallSpans[1])
	counts, err := d.callCounts(ctx, tenant, minute, []int64{minute, minute}, start, start+quarter)
	b := d.of(tenant)
	b.lock(tenant, "calls")
	for _, c := range counts {
		// The counts must still be as they were read: a call that is recorded late may be
		// added to them.
		key := []any{tenant, minute, c.start, c.kind, c.outcome}
		b.check(`SELECT 1 WHERE (SELECT sum(calls) FROM call_counts WHERE tenant = ?1 AND span = ?2 AND start = ?3 AND kind = ?4 AND outcome = ?5) = ?6`, append(key, c.calls)...)
		b.add(Change{Text: `DELETE FROM call_counts WHERE tenant = ? AND span = ? AND start = ? AND kind = ? AND outcome = ?`, Args: key, Rows: c.rows})
		c.span, c.start = quarter, start
		b.Calls = c.addTo(b.Calls)
	}
	return err
}

// removeCalls removes the counts of calls, whole quarters of an hour only.
func (o *old) removeCalls(ctx context.Context) error {
	if err := o.gatherMinutes(ctx); err != nil {
		return err
	}
	quarter := minutes(store.CallSpans[1])
	return removeEach(ctx, o, func(callSpan) ([]callSpan, error) { // those before are gone
		return collect(ctx, o.db.q.Query, func(r Row) (c callSpan, err error) {
			err = r.Scan(&c.span, &c.start, &c.kind, &c.outcome)
			return c, err
		}, `SELECT span, start, kind, outcome FROM call_counts WHERE tenant = ? AND span IN (?, ?) AND start < ? ORDER BY span, start LIMIT ?`,
			o.tenant, minutes(store.CallSpans[0]), quarter, spanAt(o.before, quarter), removedAtOnce)
	}, func(b *Batch, c callSpan) {
		b.change(`DELETE FROM call_counts WHERE tenant = ? AND span = ? AND start = ? AND kind = ? AND outcome = ?`, o.tenant, c.span, c.start, c.kind, c.outcome)
	})
}
