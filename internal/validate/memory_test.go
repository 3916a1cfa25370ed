package validate_test

import (
	"context"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// memory is as much of a store as a validator needs, for one tenant and one
// cart. What the real one does with carts, package storetest proves.
type memory struct {
	store.Store
	settings *settings.Settings
	cart     *cart.Cart
	attempts []*attempt.Attempt
}

// memoryTx is memory within a write.
type memoryTx struct {
	store.Tx
	m *memory
}

func (m *memory) Write(ctx context.Context, do func(store.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	was := *m
	err := do(memoryTx{m: m})
	if err != nil {
		*m = was
	}
	return err
}

func (m *memory) Settings(context.Context, string) (*settings.Settings, error) {
	return m.settings, nil
}

func (m *memory) Cart(_ context.Context, _, id string) (*cart.Cart, error) {
	if m.cart == nil || m.cart.ID != id {
		return nil, apierr.Errorf(apierr.NotFound, "no cart %q", id)
	}
	c := *m.cart
	c.Doc = c.Doc.Clone()
	return &c, nil
}

func (t memoryTx) Cart(ctx context.Context, tenant, id string) (*cart.Cart, error) {
	return t.m.Cart(ctx, tenant, id)
}

func (t memoryTx) PutCart(_ context.Context, _ string, c *cart.Cart) error {
	t.m.cart = c
	return nil
}

func (t memoryTx) DeleteCart(context.Context, string, string) error {
	t.m.cart = nil
	return nil
}

func (t memoryTx) AddAttempt(_ context.Context, _ string, a *attempt.Attempt) error {
	t.m.attempts = append(t.m.attempts, a)
	return nil
}
