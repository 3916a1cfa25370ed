package core

import (
	"context"
	"fmt"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

const cartColumns = `id, version, created, modified, doc`

func (q queries) committedCart(ctx context.Context, tenant, id string) (*oms.Cart, error) {
	var doc []byte
	var created, modified int64
	c := &oms.Cart{}
	err := one(ctx, q.q, []any{&c.ID, &c.Version, &created, &modified, &doc}, `SELECT `+cartColumns+` FROM carts WHERE tenant = ? AND id = ?`, tenant, id)
	if err != nil {
		return nil, orNotFound(err, "no cart %q", id)
	}
	c.Created, c.Modified = fromMicros(created), fromMicros(modified)
	json, err := unpacked(ctx, doc)
	if err != nil {
		return nil, fmt.Errorf("stored cart %q: %w", c.ID, err)
	}
	if c.Doc, err = oms.ParseStored(json); err != nil {
		return nil, fmt.Errorf("stored cart %q: %s", c.ID, err) // not with %w: it is no mistake of the caller's
	}
	return c, nil
}

// Cart implements [store.Reader].
func (q queries) Cart(ctx context.Context, tenant, id string) (*oms.Cart, error) {
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
		q.own.checkOnce(key{tenant, "cart/" + id}, `SELECT 1 FROM carts WHERE tenant = ? AND id = ? AND version = ? AND created = ? AND modified = ?`,
			tenant, id, c.Version, micros(c.Created), micros(c.Modified))
	}
	return c, nil
}

// Carts implements [store.Reader].
func (q queries) Carts(ctx context.Context, tenant string, p store.Page) (store.List[store.Document], error) {
	return newestFirst(ctx, q, tenant, newestOf(tenant, "carts"), p, `id, created, doc`, func(r Row) (d store.Document, err error) {
		var created int64
		var doc []byte
		if err = r.Scan(&d.ID, &created, &doc); err != nil {
			return d, err
		}
		json, err := unpacked(ctx, doc)
		weigh(r, len(json)-len(doc))
		d.Created, d.JSON = fromMicros(created), string(json)
		return d, err
	}, documentCursor)
}

// PutCart implements [store.Tx].
func (d *draft) PutCart(ctx context.Context, tenant string, c *oms.Cart) error {
	d.touch(tenant, oms.TopicCarts)
	var before int64
	err := one(ctx, d.q, []any{&before}, `SELECT coalesce(max(version), 0) FROM carts WHERE tenant = ? AND id = ?`, tenant, c.ID)
	if err != nil {
		return err
	}
	if before != c.Version-1 {
		return d.stale(key{tenant, "cart/" + c.ID}, "the cart %q is not at the version before %d", c.ID, c.Version)
	}
	d.of(tenant).changeOne(`
		INSERT INTO carts (tenant, id, version, created, modified, doc) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
		ON CONFLICT DO UPDATE SET version = ?3, modified = ?5, doc = ?6 WHERE version = ?3 - 1`,
		tenant, c.ID, c.Version, micros(c.Created), micros(c.Modified), packed(c.Doc.JSON()))
	return nil
}

// DeleteCart implements [store.Tx].
func (d *draft) DeleteCart(ctx context.Context, tenant, id string) error {
	d.touch(tenant, oms.TopicCarts)
	if _, err := d.Cart(ctx, tenant, id); err != nil {
		return err
	}
	d.of(tenant).changeOne(`DELETE FROM carts WHERE tenant = ? AND id = ?`, tenant, id)
	return nil
}
