package admission

import (
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/orderhook/orderhook/internal/apierr"
)

// mostIdleRates is how many keys are remembered before those are forgotten that have been
// idle: a limiter that is full is as good as a new one.
const mostIdleRates = 4096

// KeyRates bounds how many requests a second come with each key that has a limit. A key may
// use up to a second's worth at once. It counts what comes to this process alone: several
// nodes let through as much each. It is safe for concurrent use, and its zero value is ready.
type KeyRates struct {
	mu   sync.Mutex
	keys map[string]*rate.Limiter // by the id of the key

	refused int64
}

// Take counts a request with a key of so many requests a second; 0 is no limit. A request
// beyond the limit is [apierr.TooMany], which says when another one may come.
func (k *KeyRates) Take(id string, limit float64, now time.Time) error {
	if limit == 0 {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.limiter(id, rate.Limit(limit), now)
	r := l.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	r.CancelAt(now) // a refused request uses up nothing
	k.refused++
	return &apierr.Error{Kind: apierr.TooMany, RetryAfter: wait,
		Detail: fmt.Sprintf("the key's rateLimit of %v requests a second is used up", limit)}
}

// Refused returns how many requests were refused.
func (k *KeyRates) Refused() int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.refused
}

// limiter returns the limiter of a key, with the limit that the key has now.
func (k *KeyRates) limiter(id string, limit rate.Limit, now time.Time) *rate.Limiter {
	burst := max(1, int(math.Ceil(float64(limit))))
	l := k.keys[id]
	switch {
	case l == nil:
		l = rate.NewLimiter(limit, burst)
		k.forgetIdle(now)
		k.keys[id] = l
	case l.Limit() != limit: // somebody changed the key
		l.SetLimitAt(now, limit)
		l.SetBurstAt(now, burst)
	}
	return l
}

// forgetIdle makes room for one more key.
func (k *KeyRates) forgetIdle(now time.Time) {
	if k.keys == nil {
		k.keys = map[string]*rate.Limiter{}
	}
	if len(k.keys) < mostIdleRates {
		return
	}
	for id, l := range k.keys {
		if l.TokensAt(now) >= float64(l.Burst()) {
			delete(k.keys, id)
		}
	}
}
