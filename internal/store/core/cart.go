package core

import (
	"context"
	"fmt"

	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/store"
)

// cartColumns are what committedCart reads.
const cartColumns = `id, version, created, modified, doc`

// committedCart reads a cart as it was committed last. It may be stored compressed
// (pack.go).
func (q queries) committedCart(ctx context.Context, tenant, id string) (*cart.Cart, error) {
	var doc []byte
	var created, modified int64
	c := &cart.Cart{}
	err := one(ctx, q.q, []any{&c.ID, &c.Version, &created, &modified, &doc}, `SELECT `+cartColumns+` FROM carts WHERE tenant = ? AND id = ?`, tenant, id)
	if err != nil {
		return nil, orNotFound(err, "cart %q", id)
	}
	c.Created, c.Modified = fromMicros(created), fromMicros(modified)
	json, err := unpacked(ctx, doc)
	if err != nil {
		return nil, fmt.Errorf("stored cart %q: %w", c.ID, err)
	}
	if c.Doc, err = schema.ParseStored(json); err != nil {
		return nil, fmt.Errorf("stored cart %q: %s", c.ID, err) // not with %w: it is no error of the caller's
	}
	return c, nil
}

// Cart implements [store.Reader]. A write takes the cart's turn, and depends on the version
// that it reads. The times are compared, too: a cart that was deleted may have been made
// anew, and its versions begin at 1 again.
func (q queries) Cart(ctx context.Context, tenant, id string) (*cart.Cart, error) {
	if q.own != nil {
		if err := q.own.reads(key{tenant, "cart/" + id}); err != nil {
			return nil, err
		}
	}
	c, err := q.committedCart(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	if q.own != nil {
		// Several writes may depend on one version of a cart; only who changes it has the
		// lock for itself.
		q.own.of(tenant).lockShared(tenant, "cart/"+id)
		q.own.checkOnce(key{tenant, "cart/" + id}, `SELECT 1 FROM carts WHERE tenant = ? AND id = ? AND version = ? AND created = ? AND modified = ?`,
			tenant, id, c.Version, micros(c.Created), micros(c.Modified))
	}
	return c, nil
}

// Carts implements [store.Reader]. A cart is unpacked, but not parsed: the API answers with
// its text.
func (q queries) Carts(ctx context.Context, tenant string, p store.Page) (store.List[store.Document], error) {
	return newestFirst(ctx, q, tenant, newestOf(tenant, "carts"), p, paged[store.Document]{`id, created, doc`, func(r Row) (d store.Document, err error) {
		var created int64
		var doc []byte
		if err = r.Scan(&d.ID, &created, &doc); err != nil {
			return d, err
		}
		// The page has the size of what its caller will get, not of what is stored.
		json, err := unpacked(ctx, doc)
		weigh(r, len(json)-len(doc))
		d.Created, d.JSON = fromMicros(created), string(json)
		return d, err
	}, documentCursor})
}

// PutCart implements [store.Tx]. The version is compared twice: here, so that a caller who
// has another one is told so, and in the statement, because another write may be committed
// before this one.
func (d *draft) PutCart(ctx context.Context, tenant string, c *cart.Cart) error {
	d.touch(tenant, changes.TopicCarts)
	var before int64
	err := one(ctx, d.q, []any{&before}, `SELECT coalesce(max(version), 0) FROM carts WHERE tenant = ? AND id = ?`, tenant, c.ID)
	if err != nil {
		return err
	}
	if before != c.Version-1 {
		return d.stale(key{tenant, "cart/" + c.ID}, "the cart %q is not at the version before %d", c.ID, c.Version)
	}
	d.of(tenant).lock(tenant, "cart/"+c.ID)
	d.of(tenant).changeOne(`
		INSERT INTO carts (tenant, id, version, created, modified, doc) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
		ON CONFLICT (tenant, id) DO UPDATE SET version = ?3, modified = ?5, doc = ?6 WHERE carts.version = ?3 - 1`,
		tenant, c.ID, c.Version, micros(c.Created), micros(c.Modified), packed(c.Doc.JSON()))
	return nil
}

// DeleteCart implements [store.Tx]. It is [apierr.NotFound] if there is no such cart.
func (d *draft) DeleteCart(ctx context.Context, tenant, id string) error {
	d.touch(tenant, changes.TopicCarts)
	if _, err := d.Cart(ctx, tenant, id); err != nil {
		return err
	}
	d.of(tenant).lock(tenant, "cart/"+id)
	d.of(tenant).changeOne(`DELETE FROM carts WHERE tenant = ? AND id = ?`, tenant, id)
	return nil
}
