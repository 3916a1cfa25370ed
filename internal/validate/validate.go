// Package validate asks a tenant's endpoints about a cart: each approves it,
// rejects it or hands back a changed one (docs/contract.md#validators). It knows neither
// the API nor SQL, and decides nothing about a cart itself: what an answer does to it is in
// package order. Begin to read with [Validator.Stored] and ask.
package validate

import (
	"context"
	"errors"
	"log/slog"

	"github.com/orderhook/orderhook/internal/answer"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// Client makes the calls; [outbound.Client] is the real one. Post never fails: what went
// wrong is in the exchange. Tests put an endpoint of their own in its place.
type Client interface {
	Post(ctx context.Context, r outbound.Request) outbound.Exchange
}

// Validator asks about carts. Its methods are safe for concurrent use. All fields are
// needed.
type Validator struct {
	Store  store.Store
	Client Client
	Clock  clock.Clock
	Log    *slog.Logger
}

// Result is what all validators together say of a cart. One request makes it, and the API
// shows it. attempts are the calls for the record, in their order; their answers are in it
// already.
type Result struct {
	Passed   bool
	Errors   []cart.ValidationError
	Warnings []cart.ValidationError
	Messages []string
	Cart     *jsondoc.Object // as the validators have left it
	Changes  []order.Change
	attempts []*attempt.Attempt
}

// ask asks every validator that admits the cart's market, in the order of the
// settings, each about the cart as those before it left it. None: it passes.
//
// Where this server has trouble of its own with a call, nobody knows what that
// validator says: it is an error, with the result of those before.
func (v *Validator) ask(ctx context.Context, tenant string, s *settings.Settings, crt *jsondoc.Object) (*Result, error) {
	r := &Result{Passed: true, Cart: crt}
	if shapes := schema.OtherShapes(crt); len(shapes) > 0 {
		r.Warnings = append(r.Warnings, cart.ShapeWarning(shapes))
	}
	for i := range s.Connectors {
		c := &s.Connectors[i]
		// A connector that this market is closed to is not asked, and does not fail the
		// cart either.
		if c.IsValidator() && c.Admits(crt.Text("marketId")) {
			if err := v.askOne(ctx, tenant, s.Version, c, r); err != nil {
				return r, err
			}
		}
	}
	if r.Cart != crt {
		r.Changes = order.Diff(crt, r.Cart)
	}
	return r, nil
}

// askOne makes one call, without retries, and adds what came of it. The order of its parts
// matters: trouble of this server's own must not count as a no of the validator, and an
// answer counts only once its value could be applied.
func (v *Validator) askOne(ctx context.Context, tenant string, version int64, c *settings.Connector, r *Result) error {
	call := ids.New(ids.Call)
	x := v.Client.Post(ctx, request(tenant, version, c, r.Cart, call))
	defer x.Memory.Give() // not later: the next call waits for some
	if v.overtaken(ctx, tenant, version, x.Err) {
		return errChanged
	}
	if x.Class() == outbound.OwnTrouble {
		v.Log.Warn("a validator could not be asked, for this server's own trouble", "tenant", tenant, "connector", c.Label(), "error", x.Failure())
		return apierr.Errorf(apierr.Unavailable, "a validator could not be asked: %s", x.Failure())
	}
	read := answer.Validator(x, r.Cart, c.OnlyLineItems)
	a := record(c, r.Cart, call, x, read.Failure)
	r.attempts = append(r.attempts, a)
	if x.Refused() {
		v.Log.Warn("the target guard refused the target of a validator", "tenant", tenant, "cart", a.CartID, "connector", c.Label(), "host", a.Host, "attempt", a.ID)
	}
	if read.Failure != "" {
		r.Passed = false
		r.Errors = append(r.Errors, cart.ValidationError{Message: read.Failure, ValidationType: cart.TypeExternal})
		return nil
	}
	a.Warnings = read.Answer.Unread
	r.add(read.Answer)
	if read.Patched.Doc != nil {
		r.Cart = read.Patched.Doc
	}
	return nil
}

// overtaken reports whether a call was not made because the settings have changed
// since, and a secret of theirs was removed. Then the cart is asked about again, with the
// secrets of the newer settings (docs/contract.md#validators).
func (v *Validator) overtaken(ctx context.Context, tenant string, version int64, err error) bool {
	if _, ok := errors.AsType[*outbound.SecretError](err); !ok {
		return false
	}
	now, err := v.Store.Settings(ctx, tenant)
	return err == nil && now.Version != version
}

// add puts an answer beside those of the validators before. One that says no is enough for
// the cart to fail.
func (r *Result) add(answer *cart.Validation) {
	r.Passed = r.Passed && answer.Passed
	r.Errors = append(r.Errors, answer.Errors...)
	r.Warnings = append(r.Warnings, answer.Warnings...)
	if len(answer.Unread) > 0 {
		r.Warnings = append(r.Warnings, cart.UnreadWarning(answer.Unread))
	}
	if answer.Message != "" {
		r.Messages = append(r.Messages, answer.Message)
	}
}
