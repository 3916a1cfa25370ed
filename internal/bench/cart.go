package bench

import (
	"context"
	"fmt"
	"net/http"
)

// carts compares, turn by turn, a validator's bare call with the validation of a stored
// cart. The difference of each round is what orderhook adds.
func (b *bench) carts(ctx context.Context) (string, error) {
	// The validator is the endpoint that answers steps. There is no new cart in its
	// answer, so the cart has the same contents in all rounds.
	if err := b.call(ctx, http.MethodPut, b.url+"/api/settings", fmt.Sprintf(`{"connectors":[{"name":"webhookValidator","host":%q}]}`, b.target), http.StatusOK); err != nil {
		return "", err
	}
	cart := orderOf("bench-cart", "Draft")
	if err := b.call(ctx, http.MethodPut, b.url+"/api/carts/bench-cart", cart, http.StatusCreated); err != nil {
		return "", err
	}
	// The first posts the same document to the validator as the second does through
	// orderhook.
	times, err := inTurn(ctx, b.budget,
		func() error { return b.post(ctx, b.target, cart, http.StatusOK) },
		func() error { return b.post(ctx, b.url+"/api/carts/bench-cart/validate", "", http.StatusOK) })
	if err != nil {
		return "", err
	}
	bare, whole := times[0], times[1]
	return fmt.Sprintf(`
## Validating a cart

%d rounds of one bare POST of the cart to the validator, and one validation of the stored cart, in turn. The
validation includes the durable record of the call.

| what | p50 | p99 |
|---|---|---|
| bare POST of the cart to the validator | %s | %s |
| POST /api/carts/{id}/validate | %s | %s |
| **overhead of the validation** | **%s** | %s |
`, len(whole), bare.p(50), bare.p(99), whole.p(50), whole.p(99), whole.less(bare).p(50), whole.less(bare).p(99)), nil
}
