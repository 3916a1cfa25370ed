package bench

import (
	"encoding/json"
	"strconv"
	"testing"
)

// TestPublication reads what is published: each event is about the order that its
// data is of, the orders' numbers ascend, and each order has five events.
func TestPublication(t *testing.T) {
	type event struct {
		Type    string
		OrderID string
		Data    struct{ ID string }
	}
	for _, events := range []int{1, 100} {
		p := newPublication(events)
		seen := map[int]int{}
		for n := range int64(20) {
			text := p.appendNth([]byte("before"), n)[len("before"):]
			list := make([]event, 1)
			var into any = &list
			if events == 1 {
				into = &list[0]
			}
			if err := json.Unmarshal(text, into); err != nil {
				t.Fatal(err)
			}
			if len(list) != events {
				t.Fatalf("%d events, want %d", len(list), events)
			}
			for i, e := range list {
				number, err := strconv.Atoi(e.OrderID)
				if want := firstOrder + int(n)*events/eventsOfOrder + i; err != nil || number != want || e.Data.ID != e.OrderID || e.Type != eventType {
					t.Fatalf("event %d of publication %d is %+v, want the order %d", i, n, e, want)
				}
				seen[number]++
			}
		}
		if number := firstOrder + 19*events/eventsOfOrder - 1; seen[number] != eventsOfOrder {
			t.Errorf("in publications of %d, order %d has %d events", events, number, seen[number])
		}
	}
}
