package validate_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/validate"
)

// validated validates the stored cart C1.
func (b *bench) validated() (*validate.Result, *cart.Cart, error) {
	return b.v.Stored(b.t.Context(), acme, "C1", 0)
}

func TestAStoredCartIsStoredAsTheValidatorsLeaveIt(t *testing.T) {
	b := newBench(t, saying(`{"isValidatedSuccessful":false,"value":{"tags":["a"]}}`), validator(""), validator(""))
	b.put(`{"marketId":"NOR"}`)
	b.clock.Advance(time.Hour)
	r, c, err := b.validated()
	if err != nil {
		t.Fatal(err)
	}
	equals(t, "passed, version", fmt.Sprint(r.Passed, c.Version), "false 2")
	equals(t, "stored", b.stored(), `{"marketId":"NOR","id":"C1","created":"2026-11-21T09:00:00.000000Z","version":2,"modified":"2026-11-21T10:00:00.000000Z","tags":["a"]}`)
	equals(t, "answered", string(c.Doc.JSON()), b.stored())
	_, c, err = b.validated()
	equals(t, "the second time nothing changes", fmt.Sprint(c.Version, err), "2 <nil>")
	equals(t, "attempts", len(b.store.attempts), 4)
}

func TestChangesThatCancelOutMakeNoVersion(t *testing.T) {
	bodies := []string{`{"value":{"tags":["b"],"customerEmail":"x"}}`, `{"value":{"tags":["a"],"customerEmail":"kari"}}`}
	b := newBench(t, func(n int, _ outbound.Request) outbound.Exchange { return answered(200, bodies[n]) }, validator(""), validator(""))
	b.put(`{"tags":["a"],"customerEmail":"kari"}`)
	was := b.stored()
	if _, c, err := b.validated(); err != nil || c.Version != 1 {
		t.Errorf("cart %+v, %v", c, err)
	}
	equals(t, "stored", b.stored(), was)
}

func TestAChangeMeanwhileIsValidatedToo(t *testing.T) {
	var b *bench
	b = newBench(t, func(n int, _ outbound.Request) outbound.Exchange {
		if n == 0 {
			b.put(`{"customerEmail":"kari"}`)
		}
		return answered(200, `{"value":{"tags":["checked"]}}`)
	}, validator(""))
	b.put(`{"tags":["a"]}`)
	r, c, err := b.validated()
	equals(t, "passed, version", fmt.Sprint(r.Passed, c.Version, err), "true 3 <nil>")
	equals(t, "cart", fmt.Sprint(c.Doc.Text("customerEmail"), c.Doc.Texts("tags")), "kari[checked]")
	equals(t, "calls and attempts", fmt.Sprint(len(b.calls), len(b.store.attempts)), "2 2")
	sent := b.doc(string(b.calls[1].Body))
	equals(t, "the second call is about the cart as it is", sent.Text("customerEmail"), "kari")
}

func TestAChangeAgainAndAgainIsAConflict(t *testing.T) {
	var b *bench
	b = newBench(t, func(n int, _ outbound.Request) outbound.Exchange {
		b.put(fmt.Sprintf(`{"customerEmail":"%d"}`, n))
		return answered(200, `{"value":{"tags":["checked"]}}`)
	}, validator(""))
	b.put(`{}`)
	_, _, err := b.validated()
	equals(t, "error", fmt.Sprint(apierr.KindOf(err) == apierr.Conflict, err), "true the cart or the settings were changed again and again while it was validated; try again")
	equals(t, "calls and attempts", fmt.Sprint(len(b.calls), len(b.store.attempts)), "5 5")
	equals(t, "theirs stands", b.doc(b.stored()).Text("customerEmail"), "4")
	equals(t, "ours does not", b.doc(b.stored()).Has("tags"), false)
}

func TestACartThatIsRemovedMeanwhileStaysRemoved(t *testing.T) {
	var b *bench
	b = newBench(t, func(int, outbound.Request) outbound.Exchange {
		b.remove()
		return answered(200, `{"value":{"tags":["checked"]}}`)
	}, validator(""))
	b.put(`{}`)
	_, _, err := b.validated()
	equals(t, "not found", apierr.KindOf(err) == apierr.NotFound, true)
	equals(t, "the call is recorded all the same", len(b.store.attempts), 1)
	_, _, err = b.validated()
	equals(t, "no cart, no call", fmt.Sprint(apierr.KindOf(err) == apierr.NotFound, len(b.calls)), "true 1")
}

func TestACartThatIsAnotherOneByNowIsValidatedAsThat(t *testing.T) {
	var b *bench
	b = newBench(t, func(n int, _ outbound.Request) outbound.Exchange {
		if n == 0 {
			b.remove()
			b.put(`{"customerEmail":"the next customer"}`)
		}
		return answered(200, `{"value":{"tags":["checked"]}}`)
	}, validator(""))
	b.put(`{"customerEmail":"kari"}`)
	_, c, err := b.validated()
	equals(t, "cart", fmt.Sprint(c.Version, c.Doc.Text("customerEmail"), c.Doc.Texts("tags"), err), "2the next customer[checked] <nil>")
}

func TestAnotherVersionIsStale(t *testing.T) {
	var b *bench
	b = newBench(t, func(n int, _ outbound.Request) outbound.Exchange {
		b.put(fmt.Sprintf(`{"customerEmail":"%d"}`, n))
		return answered(200, `{}`)
	}, validator(""))
	b.put(`{}`)
	_, _, err := b.v.Stored(t.Context(), acme, "C1", 2)
	equals(t, "stale, no call", fmt.Sprint(apierr.KindOf(err) == apierr.Stale, len(b.calls)), "true 0")
	_, _, err = b.v.Stored(t.Context(), acme, "C1", 1)
	equals(t, "stale by now, one call", fmt.Sprint(apierr.KindOf(err) == apierr.Stale, len(b.calls), len(b.store.attempts)), "true 1 1")
}

func TestACallerWhoHangsUpLosesNoRecord(t *testing.T) {
	var hangUp context.CancelFunc
	b := newBench(t, func(int, outbound.Request) outbound.Exchange {
		hangUp()
		return outbound.Exchange{Err: outbound.ErrCanceled}
	}, validator(""))
	b.put(`{}`)
	was := b.stored()
	for _, do := range []func(ctx context.Context) (*validate.Result, error){
		func(ctx context.Context) (*validate.Result, error) {
			r, _, err := b.v.Stored(ctx, acme, "C1", 0)
			return r, err
		},
		func(ctx context.Context) (*validate.Result, error) { return b.v.Given(ctx, acme, b.doc(`{}`)) },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		hangUp = cancel
		r, err := do(ctx)
		equals(t, "result", fmt.Sprint(r.Passed, r.Errors[0].Message, err), "false"+outbound.ErrCanceled.Error()+"<nil>")
	}
	equals(t, "attempts", fmt.Sprint(len(b.store.attempts), b.store.attempts[1].Error), "2"+outbound.ErrCanceled.Error())
	equals(t, "stored", b.stored(), was)
}

func TestAGivenCartIsNotStored(t *testing.T) {
	b := newBench(t, saying(`{"value":{"tags":["a"]}}`), validator(""))
	b.put(`{"customerEmail":"kari"}`)
	was := b.stored()
	r := b.given(`{"id":"C1","version":9,"created":"mine"}`)
	equals(t, "cart", string(r.Cart.JSON()), `{"id":"C1","version":9,"created":"mine","tags":["a"]}`)
	equals(t, "stored", b.stored(), was)
	equals(t, "attempts", fmt.Sprint(len(b.store.attempts), b.store.attempts[0].CartID), "1C1")
}
