package event

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
)

func TestCheckEventCount(t *testing.T) {
	if err := CheckEventCount(make([]*Event, MaxOrderEvents)); err != nil {
		t.Error(err)
	}
	err := CheckEventCount(make([]*Event, MaxOrderEvents+1))
	if apierr.KindOf(err) != apierr.Invalid || !strings.Contains(err.Error(), "at most 1000 events") {
		t.Error(err)
	}
}
