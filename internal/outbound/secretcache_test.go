package outbound

import (
	"context"
	"log/slog"
	"sync"

	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/weburl"
)

// testSecrets is where the tests' secrets are stored.
var testSecrets = newTestStore()

type testStore struct {
	sealer *secret.Sealer
	opener *secret.Opener
	mu     sync.Mutex
	rows   map[[2]string]secret.Sealed // by tenant and id
	read   int
	err    error // of reading; nil: none
}

func newTestStore() *testStore {
	sealer, err := secret.NewSealer(secret.NewKey(), make([]byte, 16))
	if err != nil {
		panic(err)
	}
	s := &testStore{sealer: sealer, rows: map[[2]string]secret.Sealed{}}
	s.opener = secret.NewOpener(sealer, s.find, slog.New(slog.DiscardHandler))
	return s
}

func (s *testStore) find(_ context.Context, tenant, id string) (secret.Sealed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read++
	if one, ok := s.rows[[2]string{tenant, id}]; ok || s.err != nil {
		return one, s.err
	}
	return secret.Sealed{}, secret.ErrGone
}

func (s *testStore) put(tenant string, one secret.Sealed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows[[2]string{tenant, one.ID}] = one
}

// give stores a secret for a tenant and the origin of a URL.
func (s *testStore) give(tenant, text, url string) secret.Value {
	one := s.sealer.Seal(tenant, "a place", []string{weburl.URLOrigin(url)}, secret.New(text))
	s.put(tenant, one)
	return one.Reference()
}

// given stores a secret that may go anywhere.
func given(text string) secret.Value {
	if text == "" {
		return secret.Value{}
	}
	one := testSecrets.sealer.Seal("", "anywhere", []string{secret.Anywhere}, secret.New(text))
	testSecrets.put("", one)
	return one.Reference()
}
