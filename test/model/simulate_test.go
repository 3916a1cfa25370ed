package model

import (
	"context"
	"strings"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/simulate"
	"github.com/orderhook/orderhook/internal/store"
)

// reproduces has all that happened to the orders of the tenant happen once more by the record
// alone: the very same must come of it.
func (r *rig) reproduces(t *rapid.T, tenant string) {
	s := &simulate.Simulation{From: r.store, Tenant: tenant}
	list, err := r.store.Orders(context.Background(), tenant, store.OrderFilter{}, store.Page{Limit: store.MaxLimit})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list.Items {
		c, err := s.Check(context.Background(), o.ID)
		if err != nil {
			t.Fatal(err)
		}
		if c.Reason != "" {
			t.Errorf("what happened to the order %s does not come out the same once more: %s", o.ID, c.Reason)
		}
	}
}

// tenantOf is the tenant of a rig of [rig.tenant].
func (r *rig) tenantOf() string { return strings.TrimPrefix(r.key, "model-key-0123456789-") }
