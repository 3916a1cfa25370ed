package validate

import (
	"bytes"
	"cmp"
	"context"
	"errors"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// tries is how often a cart that others change meanwhile is validated anew
// before the caller is told to try again.
const tries = 5

// errChanged says that the cart is another one by now, or that a secret of a validator
// that was still to be asked was destroyed with a change of the settings.
var errChanged = errors.New("the cart or the settings were changed meanwhile")

// errTooOften is the answer after so many tries.
var errTooOften = oms.Errorf(oms.Conflict, "the cart or the settings were changed again and again while it was validated; try again")

// Stored validates a stored cart and stores what the validators made of it,
// passed or not. If somebody else changes the cart during the calls, it is
// validated again as it then is: what is stored is what was validated. ifMatch
// is the version that the cart must have; 0 takes any.
func (v *Validator) Stored(ctx context.Context, tenant, id string, ifMatch int64) (*Result, *oms.Cart, error) {
	for range tries {
		cart, err := v.Store.Cart(ctx, tenant, id)
		if err != nil {
			return nil, nil, err
		}
		if ifMatch != 0 && ifMatch != cart.Version {
			return nil, nil, oms.Errorf(oms.Stale, "the cart is of version %d, not %d", cart.Version, ifMatch)
		}
		s, err := v.Store.Settings(ctx, tenant)
		if err != nil {
			return nil, nil, err
		}
		r, err := v.ask(ctx, tenant, s, cart.Doc)
		if err != nil {
			kept := v.keepCalls(ctx, tenant, r)
			if kept == nil && errors.Is(err, errChanged) {
				continue
			}
			return nil, nil, errors.Join(err, kept)
		}
		cart, err = v.store(context.WithoutCancel(ctx), tenant, cart, r)
		if !errors.Is(err, errChanged) {
			return r, cart, err
		}
	}
	return nil, nil, errTooOften
}

// store keeps the calls, and the cart if they changed it and nobody else did.
func (v *Validator) store(ctx context.Context, tenant string, asked *oms.Cart, r *Result) (cart *oms.Cart, err error) {
	var lost error
	err = v.Store.Write(ctx, func(tx store.Tx) error {
		if err := addAttempts(ctx, tx, tenant, r); err != nil {
			return err
		}
		cart, lost = tx.Cart(ctx, tenant, asked.ID)
		if lost == nil && !sameCart(cart, asked) {
			lost = errChanged
		}
		if lost != nil || len(r.Changes) == 0 {
			return nil // the calls were made all the same
		}
		cart.Advance(r.Cart.Clone(), v.Clock.Now().UTC())
		return tx.PutCart(ctx, tenant, cart)
	})
	return cart, cmp.Or(err, lost)
}

// sameCart compares the documents too: a cart that was removed and stored
// again begins at version 1 once more.
func sameCart(a, b *oms.Cart) bool {
	return a.Version == b.Version && bytes.Equal(a.Doc.JSON(), b.Doc.JSON())
}

// Given validates a cart that is not stored, and stores nothing but the calls.
func (v *Validator) Given(ctx context.Context, tenant string, cart *oms.Object) (*Result, error) {
	for range tries {
		s, err := v.Store.Settings(ctx, tenant)
		if err != nil {
			return nil, err
		}
		r, err := v.ask(ctx, tenant, s, cart)
		kept := v.keepCalls(ctx, tenant, r)
		if kept == nil && errors.Is(err, errChanged) {
			continue
		}
		if err != nil || kept != nil {
			return nil, errors.Join(err, kept)
		}
		return r, nil
	}
	return nil, errTooOften
}

// keepCalls keeps the calls that were made, and nothing that came of them.
func (v *Validator) keepCalls(ctx context.Context, tenant string, r *Result) error {
	if len(r.attempts) == 0 {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	return v.Store.Write(ctx, func(tx store.Tx) error { return addAttempts(ctx, tx, tenant, r) })
}

func addAttempts(ctx context.Context, tx store.Tx, tenant string, r *Result) error {
	for _, a := range r.attempts {
		if err := tx.AddAttempt(ctx, tenant, a); err != nil {
			return err
		}
	}
	return nil
}
