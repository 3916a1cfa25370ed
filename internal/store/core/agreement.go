package core

import (
	"context"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/changes"
)

// Agreements implements [store.Reader]. There are few: one for each shadow of the settings.
func (q queries) Agreements(ctx context.Context, tenant string) ([]*attempt.Agreement, error) {
	return collect(ctx, q.q.Query, scanAgreement, `SELECT doc, revision FROM agreements WHERE tenant = ? ORDER BY id`, tenant)
}

// scanAgreement reads doc and revision. The revision is not in the document, because each
// write raises it.
func scanAgreement(r Row) (*attempt.Agreement, error) {
	var doc []byte
	a := &attempt.Agreement{}
	if err := r.Scan(&doc, &a.Revision); err != nil {
		return nil, err
	}
	return a, decode(doc, a, "agreement")
}

// Agreement implements [store.Tx]. The write takes the turn of the shadow: many of its calls
// may end at the same time, and each is to be counted.
func (d *draft) Agreement(ctx context.Context, tenant, id string) (*attempt.Agreement, error) {
	if err := d.reads(key{tenant, "agreement/" + id}); err != nil {
		return nil, err
	}
	found, err := collect(ctx, d.q.Query, scanAgreement, `SELECT doc, revision FROM agreements WHERE tenant = ? AND id = ?`, tenant, id)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// PutAgreement implements [store.Tx]. If another node has counted meanwhile, the write is
// overtaken.
func (d *draft) PutAgreement(_ context.Context, tenant string, a *attempt.Agreement) error {
	d.touch(tenant, changes.TopicAttempts)
	doc, err := encode(a)
	if err != nil {
		return err
	}
	a.Revision++
	d.of(tenant).changeOne(`
		INSERT INTO agreements (tenant, id, doc, revision) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT (tenant, id) DO UPDATE SET doc = ?3, revision = ?4 WHERE agreements.revision = ?4 - 1`, tenant, a.ID, doc, a.Revision)
	return nil
}

// DropAgreement implements [store.Tx].
func (d *draft) DropAgreement(_ context.Context, tenant, id string) error {
	d.of(tenant).change(`DELETE FROM agreements WHERE tenant = ? AND id = ?`, tenant, id)
	return nil
}
