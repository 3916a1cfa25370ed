package api

import (
	"context"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/validate"
	"github.com/orderhook/orderhook/internal/workflow"
)

func validation(a *api) {
	handle(a, oms.Publisher, huma.Operation{OperationID: "validate-cart", Method: http.MethodPost, Path: "/api/carts/{id}/validate", Tags: []string{"Carts"},
		Summary: "Have a stored cart validated", DefaultStatus: http.StatusOK,
		Description: "200 whether it passed or not. What the validators changed is stored."}, a.validateCart)
	handle(a, oms.Publisher, huma.Operation{OperationID: "validate-given-cart", Method: http.MethodPost, Path: "/api/carts/validate", Tags: []string{"Carts"},
		Summary: "Have a cart validated that is not stored", DefaultStatus: http.StatusOK,
		RequestBody: documentBody(newCartSchema, "The cart", map[string]any{"marketId": "NOR"})}, a.validateGivenCart)
	handle(a, oms.Publisher, huma.Operation{OperationID: "order-cart", Method: http.MethodPost, Path: "/api/carts/{id}/order", Tags: []string{"Carts"},
		Summary: "Validate a cart and make an order of it", DefaultStatus: http.StatusCreated,
		Description: "201 as `POST /api/orders`; 422 with the validation's result when the cart does not pass.",
		Responses:   map[string]*huma.Response{"201": a.answerOf(reflect.TypeFor[workflowResult]()), "422": a.answerOf(reflect.TypeFor[cartValidation]())}}, a.orderCart)
}

// ValidationResult is what the validators say of a cart (API.md, "Carts").
type ValidationResult struct {
	Passed   bool                  `json:"isValidatedSuccessful"`
	Errors   []oms.ValidationError `json:"validationErrors" nullable:"false"`
	Warnings []oms.ValidationError `json:"validationWarnings" nullable:"false"`
	Message  string                `json:"validationMessage,omitempty"`
}

// cartValidation is a result with the cart as the validators left it.
type cartValidation struct {
	ValidationResult
	Value shownCart `json:"value" doc:"The cart as the validators left it"`
}

// givenCartValidation is the same for a cart that is not stored.
type givenCartValidation struct {
	ValidationResult
	Value newCartDocument `json:"value" doc:"The cart as the validators left it"`
}

func showValidation(r *validate.Result) ValidationResult {
	return ValidationResult{Passed: r.Passed, Errors: append([]oms.ValidationError{}, r.Errors...),
		Warnings: append([]oms.ValidationError{}, r.Warnings...), Message: strings.Join(r.Messages, "; ")}
}

func showCartValidation(r *validate.Result, cart *oms.Cart) *cartValidation {
	return &cartValidation{showValidation(r), shownCart{cart.Doc}}
}

type validationAnswer struct {
	ETag string `header:"ETag"`
	Body *cartValidation
}

func (a *api) validateCart(ctx context.Context, in *struct {
	CartID
	OnceParams
	MatchParams
}) (*validationAnswer, error) {
	r, cart, err := a.Validator.Stored(ctx, tenantOf(ctx), in.ID, version(in.IfMatch))
	if err != nil {
		return nil, err
	}
	return &validationAnswer{ETag: etag(cart.Version), Body: showCartValidation(r, cart)}, nil
}

func (a *api) validateGivenCart(ctx context.Context, _ *OnceParams) (*struct{ Body givenCartValidation }, error) {
	cart, _, err := oms.ParseOrder(callOf(ctx).body)
	if err == nil {
		err = oms.Complete(cart)
	}
	if err != nil {
		return nil, within(err)
	}
	r, err := a.Validator.Given(ctx, tenantOf(ctx), cart)
	if err != nil {
		return nil, err
	}
	return &struct{ Body givenCartValidation }{givenCartValidation{showValidation(r), newCartDocument{r.Cart}}}, nil
}

// orderOfCart is an order's result, or the validation that the cart did not pass.
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
func (a *api) startOrder(ctx context.Context, in *cartToOrder) (*workflow.Started, *cartValidation, error) {
	c := a.caller(ctx, in.OnceParams, MatchParams{})
	if c.Once != nil { // the key is kept with the order, so those who come meanwhile wait for that
		done, err := a.turns.take(ctx, c.Tenant+"\n"+c.Once.Key)
		if err != nil {
			return nil, nil, err
		}
		defer done()
	}
	if started, err := a.Engine.Replayed(ctx, c); started != nil || err != nil {
		return started, nil, err
	}
	r, cart, err := a.Validator.Stored(ctx, c.Tenant, in.ID, version(in.IfMatch))
	if err != nil {
		return nil, nil, err
	}
	if !r.Passed {
		return nil, showCartValidation(r, cart), nil
	}
	started, err := a.Engine.CreateOrder(ctx, c, workflow.Document{Object: oms.OrderOfCart(cart.Doc), Warnings: oms.OtherShapes(cart.Doc)}, true)
	return &started, nil, err
}
