package hook

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
)

func TestClassifyEveryStatus(t *testing.T) {
	broken := failure("connection reset")
	for status := 0; status < 1000; status++ {
		whole, brokenOff := Retry, Retry
		switch {
		case status == 400 || status == 404:
			whole, brokenOff = Final, Final
		case status >= 200 && status <= 299:
			whole = Answered
		}
		if got := Classify(status, nil); got != whole {
			t.Errorf("%d: %v, want %v", status, got, whole)
		}
		if got := Classify(status, broken); got != brokenOff {
			t.Errorf("%d, broken off: %v, want %v", status, got, brokenOff)
		}
	}
}

func TestClassifyErrors(t *testing.T) {
	refused := Guard{}.Check("", netip.MustParseAddr("10.0.0.1"))
	for _, test := range []struct {
		err  error
		want Class
	}{
		{failure("timed out after 30s"), Retry},
		{failure("no such host"), Retry},
		{errors.New("anything"), Retry},
		{ErrCanceled, Retry},
		{ErrURL, Final},
		{ErrSecret, Final},
		{refused, Final},
		{fmt.Errorf("dial: %w", refused), Final},
	} {
		if got := Classify(0, test.err); got != test.want {
			t.Errorf("%v: %v, want %v", test.err, got, test.want)
		}
	}
}
