package validate

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/store"
)

// tries is how often a cart that others change meanwhile is validated anew
// before the caller is told to try again. A cart that is always changed would have its
// validators called without end.
const tries = 5

// errChanged says that the cart is another one by now, or that a secret of a validator
// that was still to be asked was destroyed with a change of the settings.
var errChanged = errors.New("the cart or the settings were changed meanwhile")

// errTooOften is the answer after so many tries.
var errTooOften = apierr.Errorf(apierr.Conflict, "the cart or the settings were changed again and again while it was validated; try again")

// Stored validates a stored cart and stores what the validators made of it,
// passed or not. If somebody else changes the cart during the calls, it is
// validated again as it then is: what is stored is what was validated. ifMatch
// is the version that the cart must have; 0 takes any. The calls are made outside of any
// write. They are recorded even if nothing else is stored of them: the requests have left.
func (v *Validator) Stored(ctx context.Context, tenant, id string, ifMatch int64) (*Result, *cart.Cart, error) {
	for range tries {
		cart, err := v.Store.Cart(ctx, tenant, id)
		if err != nil {
			return nil, nil, err
		}
		if ifMatch != 0 && ifMatch != cart.Version {
			return nil, nil, apierr.Errorf(apierr.Stale, "the cart is of version %d, not %d", cart.Version, ifMatch)
		}
		s, err := v.Store.Settings(ctx, tenant)
		if err != nil {
			return nil, nil, fmt.Errorf("read the settings: %w", err)
		}
		r, err := v.ask(ctx, tenant, s, cart.Doc)
		if err != nil {
			// The calls of before the error are recorded all the same. Then the whole cart
			// is asked about anew, with the settings as they are.
			storeErr := v.storeCalls(ctx, tenant, r)
			if storeErr == nil && errors.Is(err, errChanged) {
				continue
			}
			return nil, nil, errors.Join(err, storeErr)
		}
		// The endpoints were called, so a caller who hangs up now must not keep their
		// answers from being stored.
		cart, err = v.store(context.WithoutCancel(ctx), tenant, cart, r)
		if !errors.Is(err, errChanged) {
			return r, cart, err
		}
	}
	return nil, nil, errTooOften
}

// store stores the calls, and the cart if they changed it and nobody else did. It returns
// the cart as it is stored then; errChanged if another one than the one that was asked
// about is stored by now.
func (v *Validator) store(ctx context.Context, tenant string, asked *cart.Cart, r *Result) (cart *cart.Cart, err error) {
	var lost error
	err = v.record(ctx, r, func(tx store.Tx) error {
		if err := addAttempts(ctx, tx, tenant, r); err != nil {
			return err
		}
		cart, lost = tx.Cart(ctx, tenant, asked.ID)
		// The cart is compared within the write, so nobody can change it between that and
		// the commit.
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
// again begins at version 1 once more. The text is compared, so that not even the order of
// fields may differ.
func sameCart(a, b *cart.Cart) bool {
	return a.Version == b.Version && bytes.Equal(a.Doc.JSON(), b.Doc.JSON())
}

// Given validates a cart that is not stored, and stores nothing but the calls. The cart may
// be of a shop that keeps its carts itself.
func (v *Validator) Given(ctx context.Context, tenant string, cart *jsondoc.Object) (*Result, error) {
	for range tries {
		s, err := v.Store.Settings(ctx, tenant)
		if err != nil {
			return nil, fmt.Errorf("read the settings: %w", err)
		}
		r, err := v.ask(ctx, tenant, s, cart)
		storeErr := v.storeCalls(ctx, tenant, r)
		if storeErr == nil && errors.Is(err, errChanged) {
			continue
		}
		if err != nil || storeErr != nil {
			return nil, errors.Join(err, storeErr)
		}
		return r, nil
	}
	return nil, errTooOften
}

// storeCalls stores the calls that were made, and nothing that came of them.
func (v *Validator) storeCalls(ctx context.Context, tenant string, r *Result) error {
	if len(r.attempts) == 0 {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	return v.record(ctx, r, func(tx store.Tx) error { return addAttempts(ctx, tx, tenant, r) })
}

// record makes a write that records the calls.
func (v *Validator) record(ctx context.Context, r *Result, do func(store.Tx) error) error {
	return store.Recording(func() error { return v.Store.Write(ctx, do) }, r.attempts...)
}

// addAttempts records the calls, in the write of whoever stores what came of them.
func addAttempts(ctx context.Context, tx store.Tx, tenant string, r *Result) error {
	for _, a := range r.attempts {
		if err := tx.AddAttempt(ctx, tenant, a); err != nil {
			return fmt.Errorf("store a validator's attempt: %w", err)
		}
	}
	return nil
}
