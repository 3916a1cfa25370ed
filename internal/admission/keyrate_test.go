package admission

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
)

// TestKeyRates: a second's worth at once, then as it comes in; a refused request uses up
// nothing, and a change of the limit counts at once.
func TestKeyRates(t *testing.T) {
	var k KeyRates
	now := time.Unix(1000, 0)
	take := func(id string, limit float64, want time.Duration) {
		t.Helper()
		err := k.Take(id, limit, now)
		var e *apierr.Error
		if want == 0 && err != nil || want > 0 && (!errors.As(err, &e) || e.Kind != apierr.TooMany || e.RetryAfter != want) {
			t.Errorf("%s of %v: %v, want to wait %s", id, limit, err, want)
		}
	}
	for range 3 {
		take("a", 2.5, 0) // of which one is rounded up
	}
	for range 5 {
		take("a", 2.5, 400*time.Millisecond)
	}
	take("b", 2.5, 0)
	now = now.Add(400 * time.Millisecond)
	take("a", 2.5, 0)
	take("a", 2.5, 400*time.Millisecond)
	take("a", 0, 0)
	take("a", 0.1, 10*time.Second)
	now = now.Add(10 * time.Second)
	take("a", 0.1, 0)
	take("a", 0.1, 10*time.Second)
	now = now.Add(10 * time.Second)
	take("a", 5, 0) // what was left of the limit before
	now = now.Add(time.Second)
	for range 5 {
		take("a", 5, 0) // a second's worth of the new one
	}
	take("a", 5, 200*time.Millisecond)
	now = now.Add(time.Hour)
	take("a", 2, 0)
	now = now.Add(time.Hour)
	take("a", 2, 0)
	take("a", 2, 0)
	take("a", 2, 500*time.Millisecond)
}

// TestIdleKeysAreForgotten, and those that have used something up are not.
func TestIdleKeysAreForgotten(t *testing.T) {
	var k KeyRates
	now := time.Unix(1000, 0)
	for i := range mostIdleRates - 1 {
		_ = k.Take(fmt.Sprint(i), 1, now)
	}
	now = now.Add(time.Hour)
	_ = k.Take("busy", 1, now)
	_ = k.Take("new", 1, now)
	if len(k.keys) != 2 || k.Take("busy", 1, now) == nil {
		t.Errorf("%d keys are remembered", len(k.keys))
	}
}
