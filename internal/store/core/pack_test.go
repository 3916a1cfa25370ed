package core_test

import (
	"bytes"
	"math/rand"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// TestPacked: a document comes back as it was, whatever its size; a large one
// takes much less room.
func TestPacked(t *testing.T) {
	noise := make([]byte, 100_000)
	rand.New(rand.NewSource(1)).Read(noise)
	for name, test := range map[string]struct {
		json   []byte
		packed bool
	}{
		"nothing":        {[]byte{}, false},
		"small":          {[]byte(`{"a":1}`), false},
		"just small":     {bytes.Repeat([]byte("x"), core.PackFrom-1), false},
		"large":          {bytes.Repeat([]byte(`{"a":1.10,"Å":"é"}`), 10_000), true},
		"just large":     {bytes.Repeat([]byte("x"), core.PackFrom), true},
		"incompressible": {noise, false},
	} {
		stored := core.Packed(test.json)
		if got := strings.HasPrefix(stored, "z") && len(stored) < len(test.json)/2; got != test.packed {
			t.Errorf("%s: %d of %d bytes are stored", name, len(stored), len(test.json))
		}
		if got := core.JSONSize(stored); got != len(test.json) {
			t.Errorf("%s: its size is told as %d, not %d", name, got, len(test.json))
		}
		back, err := core.Unpacked([]byte(stored))
		if err != nil || !bytes.Equal(back, test.json) {
			t.Errorf("%s: %v, %d bytes came back", name, err, len(back))
		}
	}
	for _, broken := range []string{"z", "z!", "zAAAA", core.Packed(bytes.Repeat([]byte("x"), core.PackFrom))[:20]} {
		core.JSONSize(broken) // without a panic
		if back, err := core.Unpacked([]byte(broken)); err == nil && len(back) > 0 {
			t.Errorf("%q became %q", broken, back)
		}
	}
}

// TestLargeOrdersAreFoundAsSmallOnes: by each way that looks into documents.
func TestLargeOrdersAreFoundAsSmallOnes(t *testing.T) {
	db := openTemp(t)
	doc, err := schema.Parse([]byte(`{"id":"big","status":"New","tags":["gift"],"note":"under the Blåbær","long":"` + strings.Repeat("words and words ", 10_000) + `","price":0.10}`))
	must(t, err)
	o := &order.Order{ID: "big", Version: 1, StatusVersion: 1, Created: time.Unix(1, 0), Modified: time.Unix(1, 0), Doc: doc}
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.InsertOrder(ctx, acme, o) }))
	next := *o
	next.Version, next.Doc = 2, doc.Clone()
	next.Doc.Set("b", true)
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.UpdateOrder(ctx, acme, &next) }))
	must(t, db.Write(ctx, func(tx store.Tx) error {
		return tx.PutCart(ctx, acme, &cart.Cart{ID: "big", Version: 1, Created: time.Unix(1, 0), Modified: time.Unix(1, 0), Doc: doc})
	}))
	now, err := db.Order(ctx, acme, "big")
	must(t, err)
	then, err := db.OrderVersion(ctx, acme, "big", 1)
	must(t, err)
	cart, err := db.Cart(ctx, acme, "big")
	must(t, err)
	if !bytes.Equal(now.Doc.JSON(), next.Doc.JSON()) || !bytes.Equal(then.Doc.JSON(), doc.JSON()) || !bytes.Equal(cart.Doc.JSON(), doc.JSON()) {
		t.Error("a document is another")
	}
	for _, f := range []store.OrderFilter{{}, {Tag: "gift"}, {Text: "blåBÆR"}, {Text: "0.10"}, {Tag: "gift", Text: "words and"}} {
		list, err := db.Orders(ctx, acme, f, store.Page{})
		must(t, err)
		if len(list.Items) != 1 || list.Items[0].JSON != string(next.Doc.JSON()) || list.Bytes < len(next.Doc.JSON()) {
			t.Errorf("%+v finds %d, of %d bytes", f, len(list.Items), list.Bytes)
		}
	}
	for _, f := range []store.OrderFilter{{Tag: "gif"}, {Text: "blaubeere"}} {
		list, err := db.Orders(ctx, acme, f, store.Page{})
		must(t, err)
		if len(list.Items) != 0 {
			t.Errorf("%+v finds it", f)
		}
	}
	carts, err := db.Carts(ctx, acme, store.Page{})
	must(t, err)
	if len(carts.Items) != 1 || carts.Items[0].JSON != string(doc.JSON()) || carts.Bytes < len(doc.JSON()) {
		t.Errorf("%d carts, %d bytes", len(carts.Items), carts.Bytes)
	}
}
