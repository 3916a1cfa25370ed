package cart_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/order/ordertest"
)

func TestANewCartIsCompleted(t *testing.T) {
	c, err := cart.NewCart("C1", ordertest.Doc(t, `{"marketId":"NOR","status":"Draft","mine":{"x":[1.50]}}`), ordertest.Noon)
	if err != nil {
		t.Fatal(err)
	}
	ordertest.Same(t, c.Doc, `{"marketId":"NOR","status":"Draft","mine":{"x":[1.50]},"id":"C1","created":"2026-11-21T12:00:00.000000Z","version":1,"modified":"2026-11-21T12:00:00.000000Z"}`)
	later, err := cart.NewCart("C1", ordertest.Doc(t, `{"created":"2020-01-01T00:00:00Z","version":77,"a":1}`), ordertest.Noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	later.Replace(c, ordertest.Noon.Add(time.Hour))
	ordertest.Same(t, later.Doc, `{"created":"2026-11-21T12:00:00.000000Z","version":2,"a":1,"id":"C1","modified":"2026-11-21T13:00:00.000000Z"}`)
	if later.Version != 2 || !later.Created.Equal(ordertest.Noon) || !later.Modified.Equal(ordertest.Noon.Add(time.Hour)) {
		t.Errorf("the cart is %+v", later)
	}
}

func TestACartThatIsNoneNamesWhatIsWrong(t *testing.T) {
	for body, places := range map[string][]string{
		`{"id":"C2"}`:                 {"id"},
		`{"id":5}`:                    {"id"}, // the text of its digits is another id
		`{"created":"yesterday"}`:     {"created"},
		`{"id":"C2","created":"now"}`: {"created", "id"},
	} {
		_, err := cart.NewCart("C1", ordertest.Doc(t, body), ordertest.Noon)
		ordertest.Refused(t, err, apierr.Invalid, "")
		if diff := cmp.Diff(places, ordertest.Locations(err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
	for _, id := range []string{"", ".", "..", "/", "a\nb", "\x00"} {
		_, err := cart.NewCart(id, ordertest.Doc(t, `{}`), ordertest.Noon)
		ordertest.Refused(t, err, apierr.Invalid, "id: must not")
	}
}

func TestAnOrderOfACartHasAllFieldsAndALifeOfItsOwn(t *testing.T) {
	c := ordertest.Doc(t, ordertest.Basket)
	c.Set("modified", "2026-11-21T10:00:00.000000Z")
	was := string(c.JSON())
	order := cart.OrderOfCart(c)
	want := ordertest.Doc(t, ordertest.Basket)
	for _, own := range []string{"id", "version", "created", "status"} {
		want.Delete(own)
	}
	want.Object("orderForm").Set("cartId", "C1")
	ordertest.Same(t, order, string(want.JSON()))
	if string(c.JSON()) != was {
		t.Errorf("the cart became %s", c.JSON())
	}
	for _, bare := range []string{`{"id":"C1"}`, `{"id":"C1","orderForm":null}`, `{"id":"C1","orderForm":{}}`} {
		ordertest.Same(t, cart.OrderOfCart(ordertest.Doc(t, bare)), `{"orderForm":{"cartId":"C1"}}`)
	}
}
