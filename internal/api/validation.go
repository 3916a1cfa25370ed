package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/validate"
	"github.com/orderhook/orderhook/internal/workflow"
)

// validation registers the operations that ask the validators about a cart
// (docs/contract.md#validators).
func validation(a *api) {
	handle(a, access.Publisher, huma.Operation{OperationID: "validate-cart", Method: http.MethodPost, Path: "/api/carts/{id}/validate", Tags: []string{"Carts"},
		Summary: "Have a stored cart validated", DefaultStatus: http.StatusOK,
		Description: "200 whether it passed or not. What the validators changed is stored."}, a.validateCart)
	handle(a, access.Publisher, huma.Operation{OperationID: "validate-given-cart", Method: http.MethodPost, Path: "/api/carts/validate", Tags: []string{"Carts"},
		Summary: "Have a cart validated that is not stored", DefaultStatus: http.StatusOK,
		RequestBody: documentBody(newCartSchema, "The cart", map[string]any{"marketId": "NOR"})}, a.validateGivenCart)
	handle(a, access.Publisher, huma.Operation{OperationID: "order-cart", Method: http.MethodPost, Path: "/api/carts/{id}/order", Tags: []string{"Carts"},
		Summary: "Validate a cart and make an order of it", DefaultStatus: http.StatusCreated,
		Description: "201 as `POST /api/orders`; 422 with the validation's result when the cart does not pass.",
		Responses:   map[string]*huma.Response{"201": a.answerOf(reflect.TypeFor[workflowResult]()), "422": a.answerOf(reflect.TypeFor[cartValidation]())}}, a.orderCart)
}

// ValidationResult is what the validators say of a cart (docs/contract.md#carts). The
// lists are never null, since the specification has them so.
type ValidationResult struct {
	Passed   bool                   `json:"isValidatedSuccessful"`
	Errors   []cart.ValidationError `json:"validationErrors" nullable:"false"`
	Warnings []cart.ValidationError `json:"validationWarnings" nullable:"false"`
	Message  string                 `json:"validationMessage,omitempty"`
}

// cartValidation is a result with the cart as the validators left it. The value is the
// stored cart, with its id and version.
type cartValidation struct {
	ValidationResult
	Value shownCart `json:"value" doc:"The cart as the validators left it"`
}

// givenCartValidation is the same for a cart that is not stored.
type givenCartValidation struct {
	ValidationResult
	Value newCartDocument `json:"value" doc:"The cart as the validators left it"`
}

// showValidation puts the messages of several validators into one text.
func showValidation(r *validate.Result) ValidationResult {
	// The lists begin empty, since a nil list would be null in JSON.
	return ValidationResult{Passed: r.Passed, Errors: append([]cart.ValidationError{}, r.Errors...),
		Warnings: append([]cart.ValidationError{}, r.Warnings...), Message: strings.Join(r.Messages, "; ")}
}

// showCartValidation shows a result beside the cart that was stored.
func showCartValidation(r *validate.Result, cart *cart.Cart) *cartValidation {
	return &cartValidation{showValidation(r), shownCart{cart.Doc}}
}

// validationAnswer has the version of the cart, which a validation may have raised.
type validationAnswer struct {
	ETag string `header:"ETag"`
	Body *cartValidation
}

// validateCart has a stored cart validated, and what the validators changed is stored,
// passed or not. A repeated request is given the answer of the first one.
func (a *api) validateCart(ctx context.Context, in *struct {
	CartID
	OnceParams
	MatchParams
}) (*validationAnswer, error) {
	given, err := a.validatedOnce(ctx, in.OnceParams, func(ctx context.Context) (*givenValidation, error) {
		r, cart, err := a.Validator.Stored(ctx, tenantOf(ctx), in.ID, version(in.IfMatch))
		if err != nil {
			return nil, err
		}
		return &givenValidation{cart.Version, showValidation(r), cart.Doc}, nil
	})
	if err != nil {
		return nil, err
	}
	return &validationAnswer{ETag: etag(given.Version), Body: &cartValidation{given.Result, shownCart{given.Value}}}, nil
}

// validateGivenCart has a cart validated that is in the body, and stores nothing but the
// calls. Its amounts are worked out first, as those of a stored cart are.
func (a *api) validateGivenCart(ctx context.Context, in *OnceParams) (*struct{ Body givenCartValidation }, error) {
	cart, _, err := schema.ParseOrder(callOf(ctx).body)
	if err == nil {
		err = order.Complete(cart)
	}
	if err != nil {
		return nil, within(err)
	}
	given, err := a.validatedOnce(ctx, *in, func(ctx context.Context) (*givenValidation, error) {
		r, err := a.Validator.Given(ctx, tenantOf(ctx), cart)
		if err != nil {
			return nil, err
		}
		return &givenValidation{0, showValidation(r), r.Cart}, nil
	})
	if err != nil {
		return nil, err
	}
	return &struct{ Body givenCartValidation }{givenCartValidation{given.Result, newCartDocument{given.Value}}}, nil
}

// givenValidation is the answer to a validation, as it is stored under an Idempotency-Key.
type givenValidation struct {
	Version int64 // of the stored cart; 0: it is not stored
	Result  ValidationResult
	Value   *jsondoc.Object
}

// validatedOnce has the validators asked, once for an Idempotency-Key. A validation makes
// nothing that could be read again, and its cart may be another one by then, so the answer
// itself is stored under the key (docs/contract.md#idempotency).
func (a *api) validatedOnce(ctx context.Context, in OnceParams, ask func(context.Context) (*givenValidation, error)) (given *givenValidation, err error) {
	earlier, err := a.onceOutside(ctx, in, func(ctx context.Context) (string, error) {
		// Without a key nothing is stored, so no text is made of the answer.
		if given, err = ask(ctx); err != nil || in.IdempotencyKey == "" {
			return "", err
		}
		result, err := json.Marshal(given.Result)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%d %s\n%s", given.Version, result, given.Value.JSON()), nil
	})
	// This was the first request with its key, or it had none.
	if err != nil || earlier == nil {
		return given, err
	}
	head, cart, _ := strings.Cut(earlier.Resource, "\n") // JSON has no line break of its own
	version, result, _ := strings.Cut(head, " ")
	given = &givenValidation{}
	given.Version, err = strconv.ParseInt(version, 10, 64)
	if err == nil {
		err = json.Unmarshal([]byte(result), &given.Result)
	}
	if err == nil {
		given.Value, err = schema.ParseStored([]byte(cart))
	}
	if err != nil {
		return nil, fmt.Errorf("what is stored under an Idempotency-Key: %w", err)
	}
	return given, nil
}

// orderOfCart is an order's result, or the validation that the cart did not pass. Body is
// a *workflowResult or a *cartValidation, as Status says.
type orderOfCart struct {
	Status   int
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     any
}

// cartToOrder is a POST that makes an order of a cart.
type cartToOrder struct {
	CartID
	OnceParams
	MatchParams
	WaitParams
}

// orderCart validates a cart and makes an order of it. A cart that does not pass is a 422
// whose body is the validation, and no problem, since the shop shows it to its customer.
// The cart stays.
func (a *api) orderCart(ctx context.Context, in *cartToOrder) (*orderOfCart, error) {
	wait, err := in.duration()
	if err != nil {
		return nil, err
	}
	started, failed, err := a.startOrder(ctx, in)
	if err != nil {
		return nil, err
	}
	if failed != nil {
		return &orderOfCart{Status: http.StatusUnprocessableEntity, Body: failed}, nil
	}
	out, err := a.answerResult(ctx, *started, wait, http.StatusCreated)
	if err != nil {
		return nil, err
	}
	return &orderOfCart{Status: out.Status, ETag: out.ETag, Location: out.Location, Body: out.Body}, nil
}

// startOrder validates a cart and makes an order of it, once for an
// Idempotency-Key. The validation is not nil when the cart does not pass.
//
// The validation makes requests, and so is outside of the write that makes the order. The
// turn of the key is held over both, or a repeated request could validate, and make a
// second order. A cart that does not pass leaves the key free.
func (a *api) startOrder(ctx context.Context, in *cartToOrder) (*workflow.Started, *cartValidation, error) {
	c := a.caller(ctx, in.OnceParams)
	done, err := a.turnOf(ctx, c) // the key is stored with the order, so those who come meanwhile wait for that
	if err != nil {
		return nil, nil, err
	}
	defer done()
	// If the order is there already, the validators are not asked again.
	if started, err := a.Engine.Earlier(ctx, c); started != nil || err != nil {
		return started, nil, err
	}
	r, crt, err := a.Validator.Stored(ctx, c.Tenant, in.ID, version(in.IfMatch))
	if err != nil {
		return nil, nil, err
	}
	if !r.Passed {
		return nil, showCartValidation(r, crt), nil
	}
	started, err := a.Engine.CreateOrder(ctx, c, workflow.Document{Object: cart.OrderOfCart(crt.Doc), Warnings: schema.OtherShapes(crt.Doc)}, true)
	return &started, nil, err
}
