package core_test

import (
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
)

func wantKind(t *testing.T, err error, kind oms.Kind) {
	t.Helper()
	if err == nil || oms.KindOf(err) != kind {
		t.Errorf("error %v, want one of kind %d", err, kind)
	}
}
