package storetest

import (
	"testing"

	"github.com/orderhook/orderhook/internal/store"
)

// wantCount checks that a count says n, and that it is exact. Every list that can be
// counted is compared with its count through this, so that the number above a list never
// contradicts the list. No test stores so much that a count stops at its limit, except
// testManyWait, which does not use this.
func wantCount[F any](t *testing.T, f F, n int, count store.Count, err error) {
	t.Helper()
	if err != nil || count != (store.Count{N: n}) {
		t.Errorf("%+v is counted as %+v, %v; there are %d", f, count, err, n)
	}
}
