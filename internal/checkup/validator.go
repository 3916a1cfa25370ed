package checkup

import (
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/answer"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/rerun"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/validate"
)

// validatorKind calls a validator of carts.
type validatorKind struct {
	now        func() time.Time
	connectors [signings]*settings.Connector
}

// newValidatorKind makes the settings in which the endpoint is the only validator.
func newValidatorKind(o *Options, secrets *memorySecrets) (kind, error) {
	k := &validatorKind{now: o.Now}
	for s := range signings {
		c := connector(o, s, "webhookValidator")
		if list := properties(o); list != nil {
			c.Set("properties", list)
		}
		made, err := read(jsondoc.NewObject(jsondoc.Pair("connectors", []any{c})), secrets)
		if err != nil {
			return nil, err
		}
		k.connectors[s] = &made.Connectors[0]
	}
	return k, nil
}

// example implements kind.
func (k *validatorKind) example() *jsondoc.Object { return exampleCart() }

// begin implements kind.
func (k *validatorKind) begin(doc *jsondoc.Object) (*call, error) {
	c, err := cart.NewCart(doc.Text("id"), doc.Clone(), k.now().UTC())
	if err != nil {
		return nil, err
	}
	key := ids.New(ids.Call)
	return &call{
		doc: c.Doc,
		request: func(v variation) (outbound.Request, error) {
			return validate.StandaloneRequest(tenant, k.connectors[v.signing], c.Doc, key), nil
		},
		effect: func(_ outbound.Request, x outbound.Exchange) effect { return k.effect(c.Doc, x) },
	}, nil
}

// effect says what becomes of the cart.
func (k *validatorKind) effect(sent *jsondoc.Object, x outbound.Exchange) effect {
	only := k.connectors[genuine].OnlyLineItems
	e := effect{Decision: rerun.DecideValidator(sent, only, x), after: answer.Validator(x, sent, only).Patched.Doc}
	if !e.answered() {
		e.text = "the cart is rejected at once, with an error of the type External: a validator is asked once"
		return e
	}
	said := "the cart passes"
	if !e.Passed {
		said = "the cart is rejected"
	}
	for _, wrong := range e.ValidationErrors {
		said += ": " + wrong.Message
	}
	e.text = strings.Join(append([]string{said}, changed(e.Changes)...), "; ")
	return e
}
