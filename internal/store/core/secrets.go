package core

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
)

// Secrets implements [store.Store].
func (s *Store) Secrets() *secret.Opener { return s.opener }

// SecretIs implements [store.Store].
func (s *Store) SecretIs(ctx context.Context, tenant string, v secret.Value, text string) bool {
	return s.opener.Is(ctx, tenant, v, text)
}

// findSecret is a [secret.Find].
func (s *Store) findSecret(ctx context.Context, tenant, id string) (secret.Sealed, error) {
	found := secret.Sealed{ID: id}
	var origins []byte
	err := one(ctx, s.q, []any{&found.Place, &origins, &found.Text, &found.Retired},
		`SELECT place, origins, sealed, retired FROM secrets WHERE tenant = ? AND id = ?`, tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		return found, secret.ErrGone
	}
	if err != nil {
		return found, err
	}
	if json.Unmarshal(origins, &found.Origins) != nil {
		return found, secret.ErrMoved // nobody but a stranger's hand wrote that
	}
	return found, nil
}

var insertSecrets = &Insertion{Table: "secrets", Often: []string{"tenant", "id", "place", "origins", "sealed", "given", "created"}}

// addSecrets adds rows of secrets to a batch. version is that of the settings which
// they are given with, 0 for those of endpoints.
func (s *shared) addSecrets(b *Batch, tenant string, version int64, all []secret.Sealed) {
	for _, one := range all {
		b.insert(insertSecrets, Tuple{Often: []any{tenant, one.ID, one.Place, jsonTexts(one.Origins), one.Text, version, micros(s.clock())}})
	}
}

// The secrets of settings that the next version refers to no more are retired; an
// earlier version that is restored has them in use again.
const (
	retireSecrets = `UPDATE secrets INDEXED BY secrets_in_use SET retired = ?3 WHERE tenant = ?1 AND retired = 0 AND place >= 'settings/' AND place < 'settings0'
		AND id NOT IN (SELECT value FROM json_each(?2))`
	reuseSecrets = `UPDATE secrets SET retired = 0 WHERE tenant = ?1 AND retired > 0 AND id IN (SELECT value FROM json_each(?2))`
)

// useSecrets retires the secrets of settings that a version does not refer to.
func useSecrets(b *Batch, tenant string, version int64, ids []string) {
	list := jsonTexts(ids)
	b.news.secrets = true
	b.change(retireSecrets, tenant, list, version)
	b.change(reuseSecrets, tenant, list)
}

// removeSecrets removes those of an endpoint that its next state does not refer to.
func (d *draft) removeSecrets(tenant string, before, after *oms.Endpoint) {
	keeps := secretsOf(after)
	for _, id := range secretsOf(before) {
		if !slices.Contains(keeps, id) {
			d.batch.news.secrets = true
			d.of(tenant).change(`DELETE FROM secrets WHERE tenant = ? AND id = ?`, tenant, id)
		}
	}
}

// secretsOf returns the ids of an endpoint's secrets.
func secretsOf(e *oms.Endpoint) (ids []string) {
	if e != nil {
		e.WithSecrets(func(_ string, _ []string, v secret.Value) secret.Value {
			ids = append(ids, v.ID())
			return v
		})
	}
	return ids
}

func jsonTexts(list []string) string {
	if len(list) == 0 {
		return "[]"
	}
	out, _ := json.Marshal(list) // texts
	return string(out)
}

// sealEndpoint returns an endpoint as it is stored, the secrets that are to be
// stored with it, and the endpoint as it will be read again: a copy that the caller
// has no hand in.
func (s *shared) sealEndpoint(tenant string, e *oms.Endpoint) (doc string, fresh []secret.Sealed, kept *oms.Endpoint, err error) {
	refers := e.WithSecrets(func(place string, origins []string, v secret.Value) secret.Value {
		if v.ID() != "" {
			return v
		}
		one := s.sealer.Seal(tenant, place, origins, v)
		fresh = append(fresh, one)
		return one.Reference()
	})
	plain, err := encode(refers)
	if err == nil {
		kept, err = decodeEndpoint(e.No, plain)
	}
	return s.sealer.SealDocument(tenant, endpointPlace(e.No), plain), fresh, kept, err
}

func decodeEndpoint(no int64, doc string) (*oms.Endpoint, error) {
	e := &oms.Endpoint{}
	if err := decode([]byte(doc), e, "endpoint"); err != nil {
		return nil, err
	}
	e.No = no
	return e.WithSecrets(func(place string, _ []string, v secret.Value) secret.Value { return v.At(place) }), nil
}
