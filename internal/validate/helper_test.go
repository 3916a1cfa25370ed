package validate_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/clock/clocktest"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/validate"
)

const acme = "acme"

// bench is a validator on a store in memory, whose calls a test answers.
type bench struct {
	t     *testing.T
	v     *validate.Validator
	store *memory
	clock *clocktest.Fake
	calls []outbound.Request
}

// answer is what a test makes of the n-th call, from 0.
type answer func(n int, r outbound.Request) outbound.Exchange

type client struct {
	b  *bench
	do answer
}

// Post implements validate.Client.
func (a client) Post(_ context.Context, r outbound.Request) outbound.Exchange {
	a.b.calls = append(a.b.calls, r)
	x := a.do(len(a.b.calls)-1, r)
	x.URL = r.URL
	return x
}

// newBench has the connectors, each an object of JSON.
func newBench(t *testing.T, do answer, connectors ...string) *bench {
	t.Helper()
	b := &bench{t: t, clock: clocktest.NewFake(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))}
	b.store = &memory{}
	b.v = &validate.Validator{Store: b.store, Client: client{b, do}, Clock: b.clock, Log: slog.New(slog.DiscardHandler)}
	var err error
	b.store.settings, _, err = settings.Parse(b.doc(`{"marketGroups":[{"groupId":"nordics","marketIds":["NOR","SWE"]},{"groupId":"empty","marketIds":[]}],"connectors":[` + strings.Join(connectors, ",") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// validator is a connector; more are its further fields, with a comma in front.
func validator(more string) string {
	return `{"name":"webhookValidator","host":"https://shop.example/validate"` + more + `}`
}

func (b *bench) write(do func(tx store.Tx) error) {
	b.t.Helper()
	if err := b.store.Write(context.Background(), do); err != nil {
		b.t.Error(err)
	}
}

func (b *bench) doc(json string) *jsondoc.Object {
	b.t.Helper()
	o, err := schema.Parse([]byte(json))
	if err != nil {
		b.t.Fatal(err)
	}
	return o
}

// put stores the first version of the cart C1, or changes it by a patch.
func (b *bench) put(json string) {
	b.t.Helper()
	b.write(func(tx store.Tx) error {
		c, err := tx.Cart(context.Background(), acme, "C1")
		if err != nil {
			if c, err = cart.NewCart("C1", b.doc(json), b.clock.Now()); err != nil {
				return err
			}
			return tx.PutCart(context.Background(), acme, c)
		}
		p, err := order.APIPatch.Apply(c.Doc, b.doc(json))
		if err != nil {
			return err
		}
		c.Advance(p.Doc, b.clock.Now())
		return tx.PutCart(context.Background(), acme, c)
	})
}

func (b *bench) remove() {
	b.write(func(tx store.Tx) error { return tx.DeleteCart(context.Background(), acme, "C1") })
}

// given validates a cart that is not stored.
func (b *bench) given(cart string) *validate.Result {
	b.t.Helper()
	r, err := b.v.Given(b.t.Context(), acme, b.doc(cart))
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// stored is the cart C1 as it is.
func (b *bench) stored() string {
	b.t.Helper()
	c, err := b.store.Cart(b.t.Context(), acme, "C1")
	if err != nil {
		b.t.Fatal(err)
	}
	return string(c.Doc.JSON())
}

// saying answers every call with 200 and a body.
func saying(body string) answer {
	return func(int, outbound.Request) outbound.Exchange { return answered(200, body) }
}

func answered(status int, body string) outbound.Exchange {
	return outbound.Exchange{Status: status, Body: []byte(body)}
}

func equals(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
