package apierr_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
)

func TestAnErrorSaysItsFieldsElseItsDetail(t *testing.T) {
	for want, err := range map[string]error{
		`no order "BGO-1"`:           apierr.Errorf(apierr.NotFound, "no order %q", "BGO-1"),
		"tags[0]: must be text":      apierr.Wrong("tags[0]", "must be %s", "text"),
		"a: wrong; at the top wrong": &apierr.Error{Fields: []apierr.FieldError{{Location: "a", Message: "wrong"}, {Message: "at the top wrong"}}},
	} {
		if got := err.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestTheKindOfAnErrorIsFoundInsideOthers(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want apierr.Kind
	}{
		{apierr.Errorf(apierr.Stale, "x"), apierr.Stale},
		{fmt.Errorf("saving: %w", apierr.Wrong("id", "x")), apierr.Invalid},
		{errors.Join(errors.New("a"), apierr.Errorf(apierr.TooLarge, "x")), apierr.TooLarge},
		{errors.New("disk"), apierr.Internal},
		{nil, apierr.Internal},
	} {
		if got := apierr.KindOf(tc.err); got != tc.want {
			t.Errorf("KindOf(%v) = %d, want %d", tc.err, got, tc.want)
		}
	}
}
