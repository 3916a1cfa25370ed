package checkup

import (
	"context"
	"crypto/rand"
	"log/slog"

	"github.com/orderhook/orderhook/internal/secret"
)

// memorySecrets is where the secrets of a check are stored: sealed as in a database, and
// gone with the process. The client opens them as it opens those of a server.
type memorySecrets struct {
	sealer *secret.Sealer
	byID   map[string]secret.Sealed
}

// newMemorySecrets returns an empty one, with a key of its own.
func newMemorySecrets() (*memorySecrets, error) {
	var salt [16]byte
	rand.Read(salt[:]) // never fails
	sealer, err := secret.NewSealer(secret.NewKey(), salt[:])
	return &memorySecrets{sealer, map[string]secret.Sealed{}}, err
}

// seal stores a secret.
func (m *memorySecrets) seal(place string, origins []string, v secret.Value) secret.Sealed {
	s := m.sealer.Seal(tenant, place, origins, v)
	m.byID[s.ID] = s
	return s
}

// find is a [secret.Find].
func (m *memorySecrets) find(_ context.Context, _, id string) (secret.Sealed, error) {
	s, ok := m.byID[id]
	if !ok {
		return s, secret.ErrGone
	}
	return s, nil
}

// opener opens what is stored.
func (m *memorySecrets) opener(log *slog.Logger) *secret.Opener {
	return secret.NewOpener(m.sealer, m.find, log)
}
