package outbound

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"testing"
	"time"
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

func TestAcknowledgedByFourStatuses(t *testing.T) {
	refused := Guard{}.Check("", netip.MustParseAddr("10.0.0.1"))
	for status := 0; status < 1000; status++ {
		want := status == 200 || status == 201 || status == 202 || status == 204
		if got := acknowledges(status); got != want {
			t.Errorf("%d: %v", status, got)
		}
		for _, err := range []error{failure("connection reset"), ErrCanceled, ErrURL, refused} {
			x := Exchange{OneWay: true, Status: status, Err: err}
			if x.Class() != Retry {
				t.Errorf("%d, %v: %v", status, err, x.Class())
			}
		}
	}
}

func TestFailuresOfOneWayRequests(t *testing.T) {
	broken := failure("connection reset")
	for _, test := range []struct {
		status int
		err    error
		want   string
	}{
		{200, nil, ""},
		{204, nil, ""},
		{203, nil, "answered 203 Non-Authoritative Information"},
		{206, nil, "answered 206 Partial Content"},
		{206, broken, "answered 206 Partial Content"},
		{302, nil, "answered 302 Found"},
		{400, nil, "answered 400 Bad Request"},
		{410, nil, "answered 410 Gone"},
		{500, broken, "answered 500 Internal Server Error"},
		{201, broken, "connection reset"},
		{0, broken, "connection reset"},
		{0, ErrURL, ErrURL.Error()},
	} {
		x := Exchange{OneWay: true, Status: test.status, Err: test.err}
		if got := x.Failure(); got != test.want || (x.Class() == Answered) != (got == "") {
			t.Errorf("%d, %v: %q, class %v", test.status, test.err, got, x.Class())
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"120": 2 * time.Minute, " 120 ": 2 * time.Minute, "0": 0, "31536000": mostRetryAfter,
		now.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second,
		now.Add(time.Hour).Format(time.RFC850):            time.Hour,
		now.Add(time.Hour).Format(time.ANSIC):             time.Hour,
		now.Add(-time.Hour).Format(http.TimeFormat):       0,
		now.AddDate(2, 0, 0).Format(http.TimeFormat):      mostRetryAfter,
		now.AddDate(900, 0, 0).Format(http.TimeFormat):    mostRetryAfter,
		now.Add(time.Hour).Format(time.RFC3339):           0,
		"":                                                0, "-1": 0, "+1": 0, "1.5": 0, "1e3": 0, "0x10": 0, "1_000": 0, "soon": 0, "-99999999999999999999": 0,
		"31536001": mostRetryAfter, "9223372036854775808": mostRetryAfter, "99999999999999999999": mostRetryAfter,
	} {
		x := Exchange{Header: http.Header{"Retry-After": {value}}}
		if got := x.RetryAfter(now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}
