package order_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/schema"
)

// The corpora are in testdata/fuzz, one folder for each target.

func FuzzParse(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := schema.Parse(data); err != nil {
			mustBeCallersFault(t, err)
		}
		o, _, err := schema.ParseOrder(data)
		if err != nil {
			mustBeCallersFault(t, err)
			return
		}
		survives(t, o)
		if c := order.Diff(o, o.Clone()); len(c) > 0 {
			t.Errorf("a clone differs: %v", paths(c))
		}
		if body := run.StepRequest(o, o, order.StepScope{ShipmentID: "1"}); !json.Valid(body) {
			t.Errorf("the step's request is %s", body)
		}
	})
}

// mustBeCallersFault checks that an error can be shown to whoever sent the bytes.
func mustBeCallersFault(t failer, err error) {
	e, ok := errors.AsType[*apierr.Error](err)
	if !ok || e.Kind != apierr.Malformed && e.Kind != apierr.Invalid || e.Error() == "" {
		t.Errorf("error %v (%T)", err, err)
	}
}

func FuzzPatch(f *testing.F) {
	f.Fuzz(func(t *testing.T, document, patch []byte) {
		o, _, err1 := schema.ParseOrder(document)
		p, _, err2 := schema.ParseOrderPatch(patch)
		if err1 != nil || err2 != nil {
			return
		}
		for _, rules := range []*order.PatchRules{order.APIPatch, order.OrderStepPatch, order.ReturnStepPatch} {
			applyAny(t, rules, o, p)
		}
	})
}

// applyAny applies a patch of any shape and checks what holds for all of them.
func applyAny(t failer, rules *order.PatchRules, o, p *jsondoc.Object) {
	was, wasPatch := string(o.JSON()), string(p.JSON())
	got, err := rules.Apply(o, p)
	if string(o.JSON()) != was || string(p.JSON()) != wasPatch {
		t.Errorf("%s became %s\n%s became %s", was, o.JSON(), wasPatch, p.JSON())
	}
	if err != nil {
		mustBeCallersFault(t, err)
		return
	}
	survives(t, got.Doc)
	if again, err := rules.Apply(o, p); err != nil || string(again.Doc.JSON()) != string(got.Doc.JSON()) {
		t.Errorf("once %s, then %s, %v", got.Doc.JSON(), again.Doc.JSON(), err)
	}
	if equal := jsondoc.Equal(counted(o), counted(got.Doc)); equal != (len(got.Changes) == 0) {
		t.Errorf("%s became %s: changes %v", was, got.Doc.JSON(), paths(got.Changes))
	}
	for _, name := range got.NotApplied {
		a, _ := o.Get(name)
		if b, _ := got.Doc.Get(name); !jsondoc.Equal(a, b) {
			t.Errorf("%s was %v, is %v", name, a, b)
		}
	}
	stays(t, o, got.Doc, p)
	order.Conflicts(got.Changes, got.Set)
}

// counted is a document without the fields that are no change.
func counted(o *jsondoc.Object) *jsondoc.Object {
	o = o.Clone()
	o.Delete("version")
	o.Delete("modified")
	return o
}

// stays checks that the fields that a patch does not have are as they were.
func stays(t failer, before, after, patch *jsondoc.Object) {
	for _, m := range before.Members() {
		_, named := patch.Get(m.Name)
		is, _ := after.Get(m.Name)
		alias := []string{"orderOrigin", "customerName"} // which a return's patch spells otherwise
		if !named && m.Name != "properties" && !slices.Contains(alias, m.Name) && !jsondoc.Equal(m.Value, is) {
			t.Errorf("%s was %v, is %v", m.Name, m.Value, is)
		}
	}
}

func FuzzStepAnswer(f *testing.F) {
	o, _, err := schema.ParseOrder([]byte(`{"id":"BGO-1","status":"New","tags":["vip"],"orderForm":{"lineItems":[{"lineItemId":"1","placedPrice":10.10,"quantity":2,"extendedPrice":20.20}],"subTotal":20.20,"total":20.20}}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := run.ParseStepAnswer(body)
		if err != nil {
			mustBeCallersFault(t, err)
			return
		}
		if a.Status != run.ActionSuccess && a.Status != run.ActionWarning && a.Status != run.ActionError {
			t.Errorf("the status is %q", a.Status)
		}
		if a.Patch == nil {
			return
		}
		applyAny(t, order.OrderStepPatch, o, a.Patch)
		applyAny(t, order.ReturnStepPatch, o, a.Patch)
	})
}

func FuzzValidation(f *testing.F) {
	c, _, err := schema.ParseOrder([]byte(ordertest.Basket))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := cart.ParseValidation(body)
		if err != nil {
			mustBeCallersFault(t, err)
			return
		}
		if v.Passed && len(v.Errors) > 0 {
			t.Errorf("passed with %v", v.Errors)
		}
		if v.Value == nil {
			return
		}
		applyAnyCart(t, c, v.Value)
	})
}
