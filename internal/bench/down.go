package bench

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"
)

// down is an endpoint that answers 503 until it is up. Its fields are read by the
// measurement while the server's goroutines set them, so all are atomic.
type down struct {
	*httptest.Server
	up       atomic.Bool
	first    atomic.Pointer[time.Time] // when the first request came; nil: none yet
	answered atomic.Int64              // requests, since it was up
}

// startDown starts such an endpoint. The caller closes it.
func startDown() *down {
	d := &down{}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		// Only the first request of a start is noted; the measurement sets the field back
		// before the next.
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

// await returns how long after a time the first request came. The time begins outside of
// the process that makes the request, so it has the start of that process in it.
func (d *down) await(ctx context.Context, begun time.Time) (time.Duration, error) {
	err := until(ctx, "an attempt has arrived", patience, time.Millisecond, func() (bool, error) { return d.first.Load() != nil, nil })
	if err != nil {
		return 0, err
	}
	return d.first.Load().Sub(begun), nil
}
