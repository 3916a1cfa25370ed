package core_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
)

// TestEndpointsAreMadeInTurn: many who make endpoints at once do not decide again
// and again.
func TestEndpointsAreMadeInTurn(t *testing.T) {
	db := openTemp(t)
	const makers, each = 32, 10
	var decided atomic.Int64
	errs := make([]error, makers)
	var all sync.WaitGroup
	for i := range makers {
		all.Go(func() {
			for n := range each {
				e := &event.Endpoint{ID: fmt.Sprintf("ep-%d-%d", i, n), URL: "http://h", EventTypes: []string{"*"}, Enabled: true}
				errs[i] = errors.Join(errs[i], db.Write(ctx, func(tx store.Tx) error {
					decided.Add(1)
					made := *e
					return tx.PutEndpoint(ctx, acme, &made)
				}))
			}
		})
	}
	all.Wait()
	must(t, errors.Join(errs...))
	if n := decided.Load(); n != makers*each {
		t.Errorf("%d endpoints were decided %d times", makers*each, n)
	}
}
