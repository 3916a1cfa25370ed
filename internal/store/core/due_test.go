package core_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/store"
)

// TestLooksForWhatIsDue begin where something can be, and once a minute at 0: so whatever
// comes to be due with an earlier time is found.
func TestLooksForWhatIsDue(t *testing.T) {
	db := openTemp(t)
	to := putEndpoints(t, db, 1, nil)[0]
	publish(t, db, namedEvent("a"), namedEvent("b"))
	now := time.Now()
	look := func(wantFrom int64, want ...int64) {
		t.Helper()
		from := int64(-1)
		noted := db.Noted(func(text string, args []any) {
			if strings.Contains(text, "(due, event) > ") {
				from = args[2].(int64)
			}
		})
		list, err := noted.DueDeliveries(ctx, acme, store.DueQuery{Endpoint: to.No, Now: now, Limit: 9})
		must(t, err)
		if got := eventsOf(list.Due); !slices.Equal(got, want) || from != wantFrom {
			t.Errorf("a look from %d found %v; want one from %d that finds %v", from, got, wantFrom, want)
		}
	}
	set := func(event int64, due time.Time) {
		must(t, db.Change(`UPDATE deliveries SET due = ? WHERE event = ?`, due.UnixMicro(), event))
	}
	ago := func(d time.Duration) time.Time { return now.Add(-d).Truncate(time.Microsecond) }
	set(1, ago(time.Hour))
	set(2, ago(2*time.Minute))
	look(0, 1, 2)
	look(ago(time.Hour).UnixMicro(), 1, 2) // what waits is the bound
	must(t, db.Change(`DELETE FROM deliveries WHERE event = 1`))
	look(ago(time.Hour).UnixMicro(), 2)
	look(ago(2*time.Minute).UnixMicro(), 2)
	must(t, db.Change(`DELETE FROM deliveries WHERE event = 2`))
	look(ago(2 * time.Minute).UnixMicro())
	slack := ago(time.Minute)
	look(slack.UnixMicro())
	publish(t, db, namedEvent("c"), namedEvent("d"))
	set(3, ago(59*time.Second)) // as another node's clock may have it
	set(4, ago(10*time.Minute)) // as after a clock was set back
	look(slack.UnixMicro(), 3)
	now = now.Add(time.Minute)
	look(0, 4, 3)
	set(3, now.Add(time.Hour)) // what is due only later keeps no look from what is due before
	set(4, now.Add(time.Hour))
	look(ago(11 * time.Minute).UnixMicro())
	set(4, ago(time.Second))
	look(ago(time.Minute).UnixMicro(), 4)
	now = now.Add(-time.Hour) // the look at all was in the future
	set(3, ago(time.Second))
	set(4, ago(time.Hour))
	look(0, 4, 3)
}

func eventsOf(due []store.Due) (events []int64) {
	for _, d := range due {
		events = append(events, d.Delivery.Event)
	}
	return events
}
