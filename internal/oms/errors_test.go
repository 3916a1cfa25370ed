package oms_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
)

func TestAnErrorSaysItsFieldsElseItsDetail(t *testing.T) {
	for want, err := range map[string]error{
		`no order "BGO-1"`:           oms.Errorf(oms.NotFound, "no order %q", "BGO-1"),
		"tags[0]: must be text":      oms.Wrong("tags[0]", "must be %s", "text"),
		"a: wrong; at the top wrong": &oms.Error{Fields: []oms.FieldError{{Location: "a", Message: "wrong"}, {Message: "at the top wrong"}}},
	} {
		if got := err.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestTheKindOfAnErrorIsFoundInsideOthers(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want oms.Kind
	}{
		{oms.Errorf(oms.Stale, "x"), oms.Stale},
		{fmt.Errorf("saving: %w", oms.Wrong("id", "x")), oms.Invalid},
		{errors.Join(errors.New("a"), oms.Errorf(oms.TooLarge, "x")), oms.TooLarge},
		{errors.New("disk"), oms.Internal},
		{nil, oms.Internal},
	} {
		if got := oms.KindOf(tc.err); got != tc.want {
			t.Errorf("KindOf(%v) = %d, want %d", tc.err, got, tc.want)
		}
	}
}
