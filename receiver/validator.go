package receiver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
)

// CartRequest is a cart that is to be validated (docs/contract.md#validators). Cart is there to
// be changed: Accept and Reject answer with what differs.
type CartRequest struct {
	Call
	Cart Cart
	sent Cart
}

// CartAnswer is what a validator answers.
type CartAnswer struct {
	Success  bool        `json:"isValidatedSuccessful"`
	Errors   []CartEntry `json:"validationErrors,omitempty"`
	Warnings []CartEntry `json:"validationWarnings,omitempty"`
	Message  string      `json:"validationMessage,omitempty"`
	// Value is the changed fields of the cart.
	Value json.RawMessage `json:"value,omitempty"`
}

// CartEntry is an error or a warning of a validator.
type CartEntry struct {
	Message        string `json:"message,omitempty"`
	TranslateKey   string `json:"translateKey,omitempty"`
	ValidationType string `json:"validationType,omitempty"`
	ReferenceID    string `json:"referenceId,omitempty"` // such as the id of a line
}

// Accept lets the cart pass, with what was changed in it and any warnings.
func (r *CartRequest) Accept(warnings ...CartEntry) (CartAnswer, error) {
	value, err := r.changes()
	return CartAnswer{Success: true, Warnings: warnings, Value: value}, err
}

// Reject does not let it pass. What was changed in it is applied all the same.
func (r *CartRequest) Reject(entries ...CartEntry) (CartAnswer, error) {
	value, err := r.changes()
	return CartAnswer{Errors: entries, Value: value}, err
}

// changes is what differs from the cart that was sent, by the rules of a validator's value:
// lists replace, and nothing that is left out is removed.
func (r *CartRequest) changes() (json.RawMessage, error) {
	var c cartDiffer
	members := c.inObject(reflect.ValueOf(r.sent), reflect.ValueOf(r.Cart), "")
	if err := errors.Join(c.errs...); err != nil || len(members) == 0 {
		return nil, err
	}
	return marshal(members)
}

// Validator returns a handler for carts. Its calls are answered once each, as those of Step.
func (r *Receiver) Validator(name string, answer func(context.Context, *CartRequest) (CartAnswer, error)) http.Handler {
	return r.handler(func(ctx context.Context, call Call) ([]byte, error) {
		req := &CartRequest{Call: call}
		cart := cartOf(call.Body)
		for _, into := range []*Cart{&req.Cart, &req.sent} {
			if err := json.Unmarshal(cart, into); err != nil {
				return nil, unreadable(err)
			}
		}
		return r.once(ctx, name, call, func(ctx context.Context) ([]byte, error) {
			a, err := answer(ctx, req)
			if err != nil {
				return nil, err
			}
			return marshal(a)
		})
	})
}

// cartOf takes a cart out of its envelope, {"cart": …}, which has nothing else in it.
func cartOf(body []byte) []byte {
	if members, ok := membersOf(body); ok && len(members) == 1 {
		if cart, ok := membersOf(members["cart"]); ok && cart != nil {
			return members["cart"]
		}
	}
	return body
}

// cartDiffer finds what a validator has to say of a cart.
type cartDiffer struct{ errs []error }

func (c *cartDiffer) inObject(before, after reflect.Value, path string) map[string]any {
	p := planOf(after.Type())
	out := map[string]any{}
	for _, f := range p.fields {
		was, is, at := before.Field(f.index), after.Field(f.index), join(path, f.name)
		switch {
		case is.Kind() == reflect.Pointer && !is.IsNil() && !was.IsNil():
			if members := c.inObject(was.Elem(), is.Elem(), at); len(members) > 0 {
				out[f.name] = members
			}
		case is.Kind() == reflect.Slice && sameList(was, is), is.Kind() == reflect.Pointer && is.IsNil() && was.IsNil():
		case is.Kind() == reflect.Slice:
			out[f.name] = whole(f, was, is, at, c.impossible)
		case is.Kind() != reflect.Pointer && sameValue(was, is):
		default:
			if is.IsZero() && (is.Kind() == reflect.Pointer || is.Type() == reflect.TypeFor[Number]()) {
				c.impossible(at)
			}
			out[f.name] = is.Interface()
		}
	}
	was, _ := before.Field(p.other).Interface().(Members)
	is, _ := after.Field(p.other).Interface().(Members)
	c.members(out, was, is, path)
	return out
}

func (c *cartDiffer) impossible(path string) {
	c.errs = append(c.errs, fmt.Errorf("%s: a validator cannot remove it", path))
}

func (c *cartDiffer) members(out map[string]any, before, after Members, path string) {
	after = after.spelledAs(before)
	for name, was := range before {
		if after[name] == nil && string(was) != "null" {
			c.impossible(join(path, name))
		}
	}
	for name, is := range after {
		inner, ok := membersOf(is)
		outer, ok2 := membersOf(before[name])
		switch {
		case sameJSON(before[name], is):
		case ok && ok2:
			merged := map[string]any{}
			if c.members(merged, outer, inner, join(path, name)); len(merged) > 0 {
				out[name] = merged
			}
		default:
			out[name] = is
		}
	}
}
