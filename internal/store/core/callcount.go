package core

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// callMinute is a row of call_minutes.
type callMinute struct {
	minute        int64
	kind, outcome string
}

// minuteOf is a time in Unix minutes.
func minuteOf(at time.Time) int64 { return at.Unix() / 60 }

// countCalls adds attempts to the counts of their minutes: one statement for all that
// are of one minute and kind, and came to the same.
func (d *draft) countCalls(tenant string, attempts []*oms.Attempt) {
	type count struct {
		callMinute
		calls     int64
		durations oms.Durations
	}
	var counts []*count // few: hardly ever more than two minutes, and the outcomes
	for _, a := range attempts {
		of := callMinute{minuteOf(a.StartedAt), a.Kind, a.Outcome}
		var c *count
		for _, one := range counts {
			if one.callMinute == of {
				c = one
			}
		}
		if c == nil {
			c = &count{callMinute: of}
			counts = append(counts, c)
		}
		c.calls++
		c.durations.Count(a.DurationMs)
	}
	for _, c := range counts {
		args := make([]any, 0, 5+len(c.durations))
		args = append(args, tenant, c.minute, c.kind, c.outcome, c.calls)
		for _, n := range c.durations {
			args = append(args, n)
		}
		d.of(tenant).changeOne(addCalls, args...)
	}
}

// The statements name a column for each bound.
var addCalls, sumCalls = callTexts(len(oms.Durations{}))

func callTexts(bounds int) (add, sum string) {
	var columns, values, added, summed strings.Builder
	for i := range bounds {
		fmt.Fprintf(&columns, ", d%d", i)
		values.WriteString(", ?")
		fmt.Fprintf(&added, ", d%d = d%[1]d + excluded.d%[1]d", i)
		fmt.Fprintf(&summed, ", sum(d%d)", i)
	}
	add = `INSERT INTO call_minutes (tenant, minute, kind, outcome, calls` + columns.String() + `) VALUES (?, ?, ?, ?, ?` + values.String() + `)
		ON CONFLICT DO UPDATE SET calls = calls + excluded.calls` + added.String()
	sum = `SELECT minute / ?4 * ?4, kind, outcome, sum(calls)` + summed.String() + ` FROM call_minutes
		WHERE tenant = ?1 AND minute >= ?2 AND minute < ?3 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`
	return add, sum
}

// Calls implements [store.Reader].
func (q queries) Calls(ctx context.Context, tenant string, from, to time.Time, span time.Duration) ([]oms.CallCount, error) {
	ctx, leave, err := q.enter(ctx, tenant, store.Listing)
	if err != nil {
		return nil, err
	}
	defer leave()
	return collect(ctx, q.q.Query, func(r Row) (c oms.CallCount, err error) {
		var minute int64
		into := []any{&minute, &c.Kind, &c.Outcome, &c.Calls}
		for i := range c.Durations {
			into = append(into, &c.Durations[i])
		}
		err = r.Scan(into...)
		c.From = time.Unix(minute*60, 0).UTC()
		return c, err
	}, sumCalls, tenant, minuteOf(from), minuteOf(to), max(1, int64(span/time.Minute)))
}

// removeCalls removes the counts of minutes.
func (o *old) removeCalls(ctx context.Context) error {
	return removeEach(ctx, o, func(callMinute) ([]callMinute, error) { // those before are gone
		return collect(ctx, o.db.q.Query, func(r Row) (m callMinute, err error) {
			err = r.Scan(&m.minute, &m.kind, &m.outcome)
			return m, err
		}, `SELECT minute, kind, outcome FROM call_minutes WHERE tenant = ? AND minute < ? ORDER BY minute LIMIT ?`, o.tenant, minuteOf(o.before), removedAtOnce)
	}, func(b *Batch, m callMinute) {
		b.change(`DELETE FROM call_minutes WHERE tenant = ? AND minute = ? AND kind = ? AND outcome = ?`, o.tenant, m.minute, m.kind, m.outcome)
	})
}
