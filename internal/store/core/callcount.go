package core

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// callSpan is what a row of call_counts counts.
type callSpan struct {
	span, start   int64 // in minutes
	kind, outcome string
}

// spanAt is where the span of so many minutes begins that a time is in.
func spanAt(at time.Time, minutes int64) int64 { return at.Unix() / 60 / minutes * minutes }

// minutes is a span in minutes.
func minutes(span time.Duration) int64 { return int64(span / time.Minute) }

// callCount is what calls are to be added to the count of a span.
type callCount struct {
	callSpan
	calls     int64
	durations oms.Durations
}

// countCalls adds attempts to the counts of the spans that they began in: one statement
// for all that are of one span and kind, and came to the same.
func (d *draft) countCalls(tenant string, attempts []*oms.Attempt) {
	var counts []*callCount // few: hardly ever of more than two spans, and the outcomes
	for _, a := range attempts {
		for _, span := range store.CallSpans {
			m := minutes(span)
			of := callSpan{m, spanAt(a.StartedAt, m), a.Kind, a.Outcome}
			at := slices.IndexFunc(counts, func(c *callCount) bool { return c.callSpan == of })
			if at < 0 {
				at, counts = len(counts), append(counts, &callCount{callSpan: of})
			}
			counts[at].calls++
			counts[at].durations.Count(a.DurationMs)
		}
	}
	for _, c := range counts {
		args := make([]any, 0, 6+len(c.durations))
		args = append(args, tenant, c.span, c.start, c.kind, c.outcome, c.calls)
		for _, n := range c.durations {
			args = append(args, n)
		}
		d.of(tenant).changeOne(addCalls, args...)
	}
}

// The statements name a column for each bound.
var addCalls, selectCalls = callTexts(len(oms.Durations{}))

func callTexts(bounds int) (add, selected string) {
	var columns, values, added strings.Builder
	for i := range bounds {
		fmt.Fprintf(&columns, ", d%d", i)
		values.WriteString(", ?")
		fmt.Fprintf(&added, ", d%d = d%[1]d + excluded.d%[1]d", i)
	}
	add = `INSERT INTO call_counts (tenant, span, start, kind, outcome, calls` + columns.String() + `) VALUES (?, ?, ?, ?, ?, ?` + values.String() + `)
		ON CONFLICT DO UPDATE SET calls = calls + excluded.calls` + added.String()
	selected = `SELECT start, kind, outcome, calls` + columns.String() + ` FROM call_counts
		WHERE tenant = ? AND span = ? AND start >= ? AND start < ? ORDER BY start, kind, outcome`
	return add, selected
}

// Calls implements [store.Reader].
func (q queries) Calls(ctx context.Context, tenant string, from, to time.Time, span time.Duration) ([]oms.CallCount, error) {
	ctx, leave, err := q.enter(ctx, tenant, store.Listing)
	if err != nil {
		return nil, err
	}
	defer leave()
	m := minutes(span)
	return collect(ctx, q.q.Query, func(r Row) (c oms.CallCount, err error) {
		var start int64
		into := []any{&start, &c.Kind, &c.Outcome, &c.Calls}
		for i := range c.Durations {
			into = append(into, &c.Durations[i])
		}
		err = r.Scan(into...)
		c.From = time.Unix(start*60, 0).UTC()
		return c, err
	}, selectCalls, tenant, m, spanAt(from, m), spanAt(to, m))
}

// removeCalls removes the counts of calls.
func (o *old) removeCalls(ctx context.Context) error {
	for _, span := range store.CallSpans {
		m := minutes(span)
		err := removeEach(ctx, o, func(callSpan) ([]callSpan, error) { // those before are gone
			return collect(ctx, o.db.q.Query, func(r Row) (c callSpan, err error) {
				err = r.Scan(&c.start, &c.kind, &c.outcome)
				return c, err
			}, `SELECT start, kind, outcome FROM call_counts WHERE tenant = ? AND span = ? AND start < ? ORDER BY start LIMIT ?`,
				o.tenant, m, spanAt(o.before, m), removedAtOnce)
		}, func(b *Batch, c callSpan) {
			b.change(`DELETE FROM call_counts WHERE tenant = ? AND span = ? AND start = ? AND kind = ? AND outcome = ?`, o.tenant, m, c.start, c.kind, c.outcome)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
