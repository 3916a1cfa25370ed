package outbound

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
)

func trust(t *testing.T, o TrustOptions) *Trust {
	t.Helper()
	made, err := NewTrust(o)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestTrustDecidesWhoIsSpokenTo(t *testing.T) {
	ca, other := issue(t, nil, "ca", valid), issue(t, nil, "other", valid)
	mine, late, stranger := issue(t, ca, "mine", valid), issue(t, ca, "late", expired), issue(t, other, "stranger", valid)
	server := issue(t, ca, "server", valid)
	open, asking := serveTLS(t, server, nil), serveTLS(t, server, ca)
	stale := serveTLS(t, issue(t, ca, "stale", expired), nil)
	showing := func(who *issued) TrustOptions {
		return TrustOptions{CA: certPEM(ca), Certificate: certPEM(who), Key: who.keyPEM()}
	}
	for name, test := range map[string]struct {
		url     string
		options TrustOptions
		body    string
		failure string // a piece of it; "": answered
	}{
		"right CA":             {open, TrustOptions{CA: certPEM(ca)}, "", ""},
		"right CA among two":   {open, TrustOptions{CA: certPEM(other, ca)}, "", ""},
		"wrong CA":             {open, TrustOptions{CA: certPEM(other)}, "", "TLS: certificate signed by unknown authority"},
		"no CA":                {open, TrustOptions{}, "", "TLS: certificate signed by unknown authority"},
		"all":                  {open, TrustOptions{TrustAll: true}, "", ""},
		"expired":              {stale, TrustOptions{CA: certPEM(ca)}, "", "TLS: certificate has expired or is not yet valid"},
		"expired, all":         {stale, TrustOptions{TrustAll: true}, "", ""},
		"certificate given":    {asking, showing(mine), "mine", ""},
		"given, but not asked": {open, showing(mine), "", ""},
		"given, all":           {asking, TrustOptions{TrustAll: true, Certificate: certPEM(mine, ca), Key: mine.keyPEM()}, "mine", ""},
		"certificate missing":  {asking, TrustOptions{CA: certPEM(ca)}, "", "certificate required"},
		"certificate expired":  {asking, showing(late), "", "expired certificate"},
		"certificate unknown":  {asking, showing(stranger), "", "unknown certificate authority"},
	} {
		t.Run(name, func(t *testing.T) {
			x := newClient(t, nil).Post(t.Context(), Request{URL: test.url, Trust: trust(t, test.options), OneWay: true})
			if got := x.Failure(); (got == "") != (test.failure == "") || !strings.Contains(got, test.failure) || string(x.Body) != test.body {
				t.Errorf("failure %q, body %q", got, x.Body)
			}
		})
	}
}

func TestConnectionsAreNotSharedAcrossTrusts(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RemoteAddr) }))
	t.Cleanup(s.Close)
	c := newClient(t, roots(s))
	from := func(trust *Trust) string {
		x := c.Post(t.Context(), Request{URL: s.URL, Trust: trust})
		if x.Err != nil {
			t.Fatal(x.Err)
		}
		return string(x.Body)
	}
	one, two := trust(t, TrustOptions{TrustAll: true}), trust(t, TrustOptions{TrustAll: true})
	seen := map[string]bool{}
	for _, trust := range []*Trust{nil, one, two} {
		first := from(trust)
		if seen[first] || from(trust) != first {
			t.Errorf("%s is shared, or not cached", first)
		}
		seen[first] = true
	}
}

// It fails by never ending.
func TestADroppedTrustLeavesNothingBehind(t *testing.T) {
	closed := make(chan struct{})
	url := listen(t, func(conn net.Conn) {
		defer close(closed)
		acknowledging(conn) // until the client closes the connection
	})
	c := newClient(t, nil)
	if x := c.Post(t.Context(), Request{URL: url, Trust: trust(t, TrustOptions{TrustAll: true})}); x.Err != nil {
		t.Fatal(x.Err)
	}
	for open := true; open; {
		runtime.GC()
		select {
		case <-closed:
			open = false
		default:
		}
	}
	n := c.network.Load()
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.kinds) != 0 {
		t.Errorf("%d transports are left", len(n.kinds))
	}
}

func TestWrongTrustIsNamed(t *testing.T) {
	ca := issue(t, nil, "ca", valid)
	one, two := issue(t, ca, "one", expired), issue(t, ca, "two", valid)
	broken := "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"
	encrypted := string(writePEM(t, one, nil, "s3cret"))
	for _, test := range []struct {
		options    TrustOptions
		field, why string
	}{
		{TrustOptions{}, "", ""},
		{TrustOptions{CA: certPEM(ca, one), Certificate: certPEM(one, ca), Key: one.keyPEM()}, "", ""},
		{TrustOptions{Certificate: certPEM(ca, one), Key: one.keyPEM()}, "", ""},
		{TrustOptions{CA: "hello"}, "ca", "there is no certificate in the PEM"},
		{TrustOptions{CA: one.keyPEM()}, "ca", "there is no certificate in the PEM"},
		{TrustOptions{CA: certPEM(ca) + broken}, "ca", "certificate 2 is malformed"},
		{TrustOptions{Certificate: certPEM(one)}, "key", "missing beside a certificate"},
		{TrustOptions{Key: one.keyPEM()}, "certificate", "missing beside a key"},
		{TrustOptions{Certificate: "hello", Key: one.keyPEM()}, "certificate", "there is no certificate in the PEM"},
		{TrustOptions{Certificate: certPEM(one), Key: certPEM(one)}, "key", "there is no private key in the PEM"},
		{TrustOptions{Certificate: certPEM(one), Key: two.keyPEM()}, "key", "the private key does not match the certificate"},
		{TrustOptions{Certificate: certPEM(one), Key: one.keyPEM() + two.keyPEM()}, "key", "there is more than one private key in it"},
		{TrustOptions{Certificate: certPEM(one), Key: encrypted}, "key", "the private key is encrypted, and no password is given"},
		{TrustOptions{Certificate: certPEM(one), Key: strings.ReplaceAll(broken, "CERTIFICATE", "PRIVATE KEY")}, "key", "the private key is malformed, or of an unknown kind"},
	} {
		_, err := NewTrust(test.options)
		wrong, ok := errors.AsType[*TrustError](err)
		switch {
		case test.field == "":
			if err != nil {
				t.Errorf("%+v: %v", test.options, err)
			}
		case !ok || *wrong != TrustError{test.field, test.why}:
			t.Errorf("%v, want %s: %s", err, test.field, test.why)
		}
	}
}

func TestTheChainIsInOrder(t *testing.T) {
	root := issue(t, nil, "root", valid)
	middle := issue(t, root, "middle", valid)
	leaf := issue(t, middle, "leaf", valid)
	made := trust(t, TrustOptions{Certificate: certPEM(root, middle, issue(t, nil, "unrelated", valid), leaf), Key: leaf.keyPEM()})
	want := fmt.Sprint([][]byte{leaf.cert.Raw, middle.cert.Raw, root.cert.Raw})
	if got := fmt.Sprint(made.own.Certificate); got != want {
		t.Errorf("%d certificates, or in another order", len(made.own.Certificate))
	}
}
