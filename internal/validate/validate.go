// Package validate asks a tenant's endpoints about a cart: each approves it,
// rejects it or hands back a changed one (cart-validator.txt).
package validate

import (
	"cmp"
	"context"
	"errors"
	"log/slog"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// Client makes the calls; [hook.Client] is the real one.
type Client interface {
	Post(ctx context.Context, r hook.Request) hook.Exchange
}

// Validator asks about carts. Its methods are safe for concurrent use.
type Validator struct {
	Store  store.Store
	Client Client
	Clock  clock.Clock
	Log    *slog.Logger
}

// Result is what all validators together say of a cart.
type Result struct {
	Passed   bool
	Errors   []oms.ValidationError
	Warnings []oms.ValidationError
	Messages []string
	Cart     *oms.Object // as the validators have left it
	Changes  []oms.Change
	attempts []*oms.Attempt
}

// ask asks every validator that admits the cart's market, in the order of the
// settings, each about the cart as those before it left it. None: it passes.
//
// Where this server has trouble of its own with a call, nobody knows what that
// validator says: it is an error, with the result of those before.
func (v *Validator) ask(ctx context.Context, tenant string, s *settings.Settings, cart *oms.Object) (*Result, error) {
	r := &Result{Passed: true, Cart: cart}
	if shapes := oms.OtherShapes(cart); len(shapes) > 0 {
		r.Warnings = append(r.Warnings, oms.ShapeWarning(shapes))
	}
	for i := range s.Connectors {
		c := &s.Connectors[i]
		if c.IsValidator() && c.Admits(cart.Text("marketId")) {
			if err := v.askOne(ctx, tenant, s.Version, c, r); err != nil {
				return r, err
			}
		}
	}
	if r.Cart != cart {
		r.Changes = oms.Diff(cart, r.Cart)
	}
	return r, nil
}

// askOne makes one call, without retries, and adds what came of it.
func (v *Validator) askOne(ctx context.Context, tenant string, version int64, c *settings.Connector, r *Result) error {
	call := oms.NewID(oms.CallID)
	x := v.Client.Post(ctx, request(tenant, version, c, r.Cart, call))
	defer x.Memory.Give() // not later: the next call waits for some
	if v.overtaken(ctx, tenant, version, x.Err) {
		return errChanged
	}
	if x.Class() == hook.OwnTrouble {
		v.Log.Warn("a validator could not be asked, for this server's own trouble", "tenant", tenant, "connector", cmp.Or(c.ConnectorID, c.Name), "error", x.Failure())
		return oms.Errorf(oms.Unavailable, "a validator could not be asked: %s", x.Failure())
	}
	answer, failure := read(x)
	var patched oms.Patched
	if failure == "" && answer.Value != nil {
		var err error
		if patched, err = oms.ApplyCart(r.Cart, answer.Value, c.OnlyLineItems); err != nil {
			failure = invalid(x, "value."+err.Error())
		}
	}
	a := record(c, r.Cart, call, x, failure)
	r.attempts = append(r.attempts, a)
	if x.Refused() {
		v.Log.Warn("the target guard refused the target of a validator", "tenant", tenant, "cart", a.CartID, "connector", cmp.Or(c.ConnectorID, c.Name), "host", a.Host, "attempt", a.ID)
	}
	if failure != "" {
		r.Passed = false
		r.Errors = append(r.Errors, oms.ValidationError{Message: failure, ValidationType: oms.TypeExternal})
		return nil
	}
	for _, w := range patched.Warnings {
		answer.Unread = append(answer.Unread, oms.Warning{Path: "value." + w.Path, Message: w.Message})
	}
	a.Warnings = answer.Unread
	r.add(answer)
	if patched.Doc != nil {
		r.Cart = patched.Doc
	}
	return nil
}

// overtaken reports whether a call was not made because the settings have changed
// since, and a secret of theirs was removed.
func (v *Validator) overtaken(ctx context.Context, tenant string, version int64, err error) bool {
	if _, ok := errors.AsType[*hook.SecretError](err); !ok {
		return false
	}
	now, err := v.Store.Settings(ctx, tenant)
	return err == nil && now.Version != version
}

func (r *Result) add(answer *oms.Validation) {
	r.Passed = r.Passed && answer.Passed
	r.Errors = append(r.Errors, answer.Errors...)
	r.Warnings = append(r.Warnings, answer.Warnings...)
	if len(answer.Unread) > 0 {
		r.Warnings = append(r.Warnings, oms.UnreadWarning(answer.Unread))
	}
	if answer.Message != "" {
		r.Messages = append(r.Messages, answer.Message)
	}
}
