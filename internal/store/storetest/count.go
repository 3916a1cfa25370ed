package storetest

import (
	"testing"

	"github.com/orderhook/orderhook/internal/store"
)

// wantCount has a filter counted as what it lists.
func wantCount[F any](t *testing.T, f F, n int, count store.Count, err error) {
	t.Helper()
	if err != nil || count != (store.Count{N: n}) {
		t.Errorf("%+v is counted as %+v, %v; there are %d", f, count, err, n)
	}
}
