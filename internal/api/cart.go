package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/store"
)

// carts registers the operations on stored carts (docs/contract.md#carts). Validating a
// cart, and making an order of it, is in validation.go.
func carts(a *api) {
	example := map[string]any{"marketId": "NOR", "billingCurrency": "NOK", "orderForm": map[string]any{
		"lineItems": []any{map[string]any{"lineItemId": "a1", "code": "SHOE-42", "quantity": 1, "placedPrice": 999.00}}}}
	cart := documentBody(newCartSchema, "The cart", example)
	handle(a, access.Reader, huma.Operation{OperationID: "list-carts", Method: http.MethodGet, Path: "/api/carts", Tags: []string{"Carts"},
		Summary: "List carts, the newest first"}, a.listCarts)
	handle(a, access.Reader, huma.Operation{OperationID: "get-cart", Method: http.MethodGet, Path: "/api/carts/{id}", Tags: []string{"Carts"},
		Summary: "Read a cart"}, a.getCart)
	handle(a, access.Publisher, huma.Operation{OperationID: "put-cart", Method: http.MethodPut, Path: "/api/carts/{id}", Tags: []string{"Carts"},
		Summary: "Store a cart", Description: "201 for a new one, 200 for one that was there.", RequestBody: cart, Responses: also(http.StatusCreated)}, a.putCart)
	handle(a, access.Publisher, huma.Operation{OperationID: "patch-cart", Method: http.MethodPatch, Path: "/api/carts/{id}", Tags: []string{"Carts"},
		Summary: "Change fields of a cart", Description: "By the rules of a patch of an order.",
		RequestBody: documentBody(cartPatch, "The fields to change", map[string]any{"customerEmail": "kari@example.com"})}, a.patchCart)
	handle(a, access.Publisher, huma.Operation{OperationID: "delete-cart", Method: http.MethodDelete, Path: "/api/carts/{id}", Tags: []string{"Carts"},
		Summary: "Remove a cart"}, a.deleteCart)
}

// CartID is the cart that a path names. The caller chooses it, with the first PUT.
type CartID struct {
	ID string `path:"id" doc:"The cart's id" example:"C123456"`
}

// cartAnswer shows a cart. putCart sets another status for a cart that is new.
func cartAnswer(c *cart.Cart) *documentAnswer[shownCart] {
	return &documentAnswer[shownCart]{Status: http.StatusOK, ETag: etag(c.Version), Body: shownCart{c.Doc}}
}

// listCarts lists the carts as they are stored: their text is sent as it is, and no cart
// is parsed for it.
func (a *api) listCarts(ctx context.Context, in *PageParams) (*listOf[cartDocument], error) {
	return listed(ctx, a, in.toPage(), func(p store.Page) (store.List[store.Document], error) { return a.Store.Carts(ctx, tenantOf(ctx), p) },
		func(d store.Document) cartDocument { return cartDocument{d} })
}

// getCart reads one cart, with its version as the ETag.
func (a *api) getCart(ctx context.Context, in *CartID) (*documentAnswer[shownCart], error) {
	c, err := a.Store.Cart(ctx, tenantOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return cartAnswer(c), nil
}

// putCart stores a cart whole. It keeps the time that it was first stored.
//
// With If-Match the cart must be there, in that version: 412 if it was removed or
// changed. Without it the PUT replaces whatever is there. The document is parsed once,
// and cloned for each run of the write, because NewCart works on the document that it
// gets and the write may run again.
func (a *api) putCart(ctx context.Context, in *struct {
	CartID
	MatchParams
}) (*documentAnswer[shownCart], error) {
	doc, warnings, err := schema.ParseOrder(callOf(ctx).body)
	if err != nil {
		return nil, within(err)
	}
	var out *documentAnswer[shownCart]
	err = a.Store.Write(ctx, func(tx store.Tx) error {
		cart, err := cart.NewCart(in.ID, doc.Clone(), a.Clock.Now().UTC())
		if err != nil {
			return err
		}
		was, err := a.cartToChange(ctx, tx, in.ID, in.MatchParams)
		status := http.StatusOK
		switch {
		case apierr.KindOf(err) == apierr.NotFound && version(in.IfMatch) != 0:
			return apierr.Errorf(apierr.Stale, "there is no cart %q any more", in.ID)
		case apierr.KindOf(err) == apierr.NotFound:
			status = http.StatusCreated
		case err != nil:
			return err
		default:
			cart.Replace(was, a.Clock.Now().UTC())
		}
		out = cartAnswer(cart).warned(warnings)
		out.Status = status
		return tx.PutCart(ctx, tenantOf(ctx), cart)
	})
	return out, within(err)
}

// patchCart applies a patch to a cart. If the patch changes nothing, there is no new
// version. The law of patches holds for carts as for orders (docs/contract.md#patches).
// The patch is applied to the cart as it is within the write; if another write is faster,
// it is applied again to what that left.
func (a *api) patchCart(ctx context.Context, in *struct {
	CartID
	MatchParams
}) (*documentAnswer[shownCart], error) {
	patch, warnings, err := schema.ParseOrderPatch(callOf(ctx).body)
	if err != nil {
		return nil, within(err)
	}
	var out *documentAnswer[shownCart]
	err = a.Store.Write(ctx, func(tx store.Tx) error {
		cart, err := a.cartToChange(ctx, tx, in.ID, in.MatchParams)
		if err != nil {
			return err
		}
		patched, err := order.APIPatch.Apply(cart.Doc, patch)
		if err != nil {
			return err
		}
		// This is a new variable for each run of the write, so that warnings do not add
		// up when it runs again.
		warnings := slices.Concat(warnings, patched.Warnings)
		if len(patched.Changes) == 0 {
			out = cartAnswer(cart).warned(warnings)
			return nil
		}
		cart.Advance(patched.Doc, a.Clock.Now().UTC())
		out = cartAnswer(cart).warned(warnings)
		return tx.PutCart(ctx, tenantOf(ctx), cart)
	})
	return out, within(err)
}

// deleteCart removes a cart for good. Carts have no history and no versions that would
// stay.
func (a *api) deleteCart(ctx context.Context, in *struct {
	CartID
	MatchParams
}) (*struct{}, error) {
	return nil, a.Store.Write(ctx, func(tx store.Tx) error {
		if _, err := a.cartToChange(ctx, tx, in.ID, in.MatchParams); err != nil {
			return err
		}
		return tx.DeleteCart(ctx, tenantOf(ctx), in.ID)
	})
}

// cartToChange reads a cart, which must be of the version asked for. The error is
// [apierr.NotFound] where there is none, and [apierr.Stale], which is a 412, where it has
// another version. Within a write that is enough to be safe: if the cart changes before
// the commit, the write runs again and finds out.
func (a *api) cartToChange(ctx context.Context, tx store.Tx, id string, match MatchParams) (*cart.Cart, error) {
	cart, err := tx.Cart(ctx, tenantOf(ctx), id)
	if err != nil {
		return nil, err
	}
	if want := version(match.IfMatch); want != 0 && want != cart.Version {
		return nil, apierr.Errorf(apierr.Stale, "the cart is of version %d", cart.Version)
	}
	return cart, nil
}
