package bench

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"
)

// down is an endpoint that answers 503 until it is up.
type down struct {
	*httptest.Server
	up       atomic.Bool
	first    atomic.Pointer[time.Time] // when the first request came; nil: none yet
	answered atomic.Int64              // requests, since it was up
}

func startDown() *down {
	d := &down{}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		now := time.Now()
		d.first.CompareAndSwap(nil, &now)
		if !d.up.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		d.answered.Add(1)
		w.WriteHeader(http.StatusNoContent)
	}))
	return d
}

// await returns how long after a time the first request came.
func (d *down) await(ctx context.Context, begun time.Time) (time.Duration, error) {
	err := until(ctx, "an attempt has arrived", patience, time.Millisecond, func() (bool, error) { return d.first.Load() != nil, nil })
	if err != nil {
		return 0, err
	}
	return d.first.Load().Sub(begun), nil
}
