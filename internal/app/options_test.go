package app

import (
	"errors"
	"net"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
)

func TestWhoMayReachPrivateTargets(t *testing.T) {
	yes, no := true, false
	for _, c := range []struct {
		ip   string
		flag *bool
		want bool
	}{
		{"127.0.0.1", nil, true}, {"127.8.0.1", nil, true}, {"::1", nil, true},
		{"0.0.0.0", nil, false}, {"::", nil, false}, {"10.0.0.1", nil, false}, {"192.0.2.1", nil, false},
		{"0.0.0.0", &yes, true}, {"127.0.0.1", &no, false},
	} {
		o := Options{Targets: Targets{AllowPrivate: c.flag, AllowHosts: []string{"erp"}}}
		g := o.guard(&net.TCPAddr{IP: net.ParseIP(c.ip)})
		if g.AllowPrivate != c.want || len(g.AllowHosts) != 1 {
			t.Errorf("on %s: %v", c.ip, g)
		}
	}
}

func TestPublicURL(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "https://a.example": "https://a.example", "http://a.example:8080/hooks/": "http://a.example:8080/hooks",
	} {
		if got, err := checkPublicURL(text); got != want || err != nil {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"a.example", "/hooks", "ftp://a.example", "https://", "https://:80", "https://u:p@a.example", "https://a.example/?q", "https://a.example/#f", "://"} {
		if _, err := checkPublicURL(text); !IsUserError(err) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestWhatIsAUserError(t *testing.T) {
	for want, errs := range map[bool][]error{
		true:  {UserErrorf("x"), errors.Join(nil, UserErrorf("x")), apierr.Errorf(apierr.NotFound, "x"), apierr.Wrong("a", "x"), apierr.Errorf(apierr.Conflict, "x")},
		false: {nil, errors.New("x"), apierr.Errorf(apierr.Unavailable, "x")},
	} {
		for _, err := range errs {
			if IsUserError(err) != want {
				t.Errorf("%v: %v", err, !want)
			}
		}
	}
}
