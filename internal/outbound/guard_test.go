package outbound

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
)

// verdicts says what becomes of addresses: let through always, only with
// AllowPrivate, or never.
var verdicts = []struct{ verdict, addresses string }{
	{"always", `
		1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255
		169.255.0.0 172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 192.0.1.0 198.17.255.255 198.20.0.0
		223.255.255.255 168.63.129.15
		2606:4700:4700::1111 2001:4860:4860::8888 2a00::1 3ffe::1
		::ffff:8.8.8.8 ::8.8.8.8 ::ffff:0:8.8.8.8 64:ff9b::8.8.8.8 64:ff9b:1::8.8.8.8
		2002:808:808:: 2001:0:a00:1::f7f7:f7f7 2a00::5efe:8.8.8.8 2a00::200:5efe:8.8.8.8`},
	{"private", `
		127.0.0.1 127.255.255.254 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 100.127.255.255 0.0.0.0
		0.1.2.3 198.18.0.1 198.19.255.255 192.0.0.1 192.0.2.1 198.51.100.1 203.0.113.1
		:: ::1 fc00::1 fd12:3456::1 fec0::1 2001:2::1 2001:db8::1 3fff::1
		::ffff:127.0.0.1 ::ffff:10.0.0.1 ::127.0.0.1 ::ffff:0:127.0.0.1 64:ff9b::10.0.0.1 64:ff9b:1::127.0.0.1
		64:ff9b:1:a00:0:100:: 2002:7f00:1:: 2002:a00:1:: 2001:0:808:808::80ff:fffe 2a00::5efe:10.0.0.1
		2a00::200:5efe:192.168.0.1`},
	{"never", `
		169.254.169.254 169.254.0.1 100.100.100.200 168.63.129.16 192.0.0.192 224.0.0.1 239.255.255.255 240.0.0.1
		255.255.255.254 255.255.255.255
		fe80::1 fe80::1%eth0 febf::1 fd00:ec2::254 fd20:ce::254 fd00:c1::a9fe:a9fe ff02::1
		::ffff:169.254.169.254 ::169.254.169.254 ::ffff:0:169.254.169.254 64:ff9b::169.254.169.254
		64:ff9b:1::169.254.169.254 64:ff9b:1:a9fe:a9:fe00:: 2002:a9fe:a9fe:: 2001:0:808:808::5601:5601
		2a00::5efe:169.254.169.254 fe80::5efe:8.8.8.8`},
}

func TestGuardChecksAddresses(t *testing.T) {
	for _, test := range verdicts {
		for text := range strings.FieldsSeq(test.addresses) {
			addr := netip.MustParseAddr(text)
			strict := Guard{}.Check("", addr) == nil
			lax := Guard{AllowPrivate: true}.Check("", addr) == nil
			if strict != (test.verdict == "always") || lax != (test.verdict != "never") {
				t.Errorf("%s: passes %v, with AllowPrivate %v; want %s", text, strict, lax, test.verdict)
			}
		}
	}
}

func TestAllowHosts(t *testing.T) {
	for _, test := range []struct {
		entry, target, addr string
		want                bool
	}{
		{"shop.local", "shop.local:80", "10.0.0.1", true},
		{"SHOP.local.", "Shop.Local:80", "10.0.0.1", true},
		{"BÜCHER.local", "xn--bcher-kva.local:80", "10.0.0.1", true},
		{"bücher.local:81", "xn--bcher-kva.local:80", "10.0.0.1", false},
		{"shop.local", "shop.local.:80", "169.254.169.254", true},
		{"shop.local:8080", "shop.local:8080", "10.0.0.1", true},
		{"shop.local:8080", "shop.local:80", "10.0.0.1", false},
		{"shop.local", "other.local:80", "10.0.0.1", false},
		{"shop.local", "a.shop.local:80", "10.0.0.1", false},
		{"10.0.0.1", "10.0.0.1:80", "10.0.0.1", true},
		{"10.0.0.1", "name:80", "10.0.0.1", true},
		{"10.0.0.1:81", "10.0.0.1:80", "10.0.0.1", false},
		{"10.0.0.1:80", "name:80", "10.0.0.1", true},
		{"::1", "[::1]:80", "::1", true},
		{"[::1]", "[0:0::1]:80", "::1", true},
		{"[::1]:80", "[::1]:80", "::1", true},
		{"[::1]:81", "[::1]:80", "::1", false},
		{"10.0.0.0/8", "name:80", "10.9.9.9", true},
		{"10.0.0.0/8", "name:80", "::ffff:10.9.9.9", true},
		{"10.0.0.0/8", "name:80", "64:ff9b::10.9.9.9", true},
		{"10.0.0.0/8", "name:80", "192.168.0.1", false},
		{"64:ff9b::/96", "name:80", "64:ff9b::10.9.9.9", true},
		{"169.254.169.254/32", "name:80", "169.254.169.254", true},
		{"fe80::/10", "name:80", "fe80::1%eth0", true},
		{"", ":80", "10.0.0.1", false},
		{"10.0.0.0/99", "name:80", "10.0.0.1", false},
	} {
		err := Guard{AllowHosts: []string{"else.where", test.entry}}.Check(test.target, netip.MustParseAddr(test.addr))
		if (err == nil) != test.want {
			t.Errorf("%q, %s at %s: %v", test.entry, test.target, test.addr, err)
		}
	}
}

func TestRefusalNamesTheAddressAndWhatAdmitsIt(t *testing.T) {
	const admitted = "; --allow-private-targets (allowPrivateTargets), or outgoing.allowHosts in the config file, admits it"
	for text, want := range map[string]string{
		"10.0.0.1":          "refused by the target guard: 10.0.0.1 is a private address" + admitted,
		"::ffff:127.0.0.1":  "refused by the target guard: 127.0.0.1 is a loopback address" + admitted,
		"64:ff9b::10.0.0.1": "refused by the target guard: 10.0.0.1 is a private address (inside 64:ff9b::a00:1)" + admitted,
		"169.254.169.254":   "refused by the target guard: 169.254.169.254 is a metadata address; outgoing.allowHosts in the config file admits it",
	} {
		if err := (Guard{}).Check("", netip.MustParseAddr(text)); err == nil || err.Error() != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestGuardChecksWhatIsDialed(t *testing.T) {
	var requests atomic.Int32
	url := serve(t, func(http.ResponseWriter, *http.Request) { requests.Add(1) })
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	for _, test := range []struct {
		host  string
		guard Guard
		want  bool
	}{
		{"127.0.0.1", Guard{}, false},
		{"localhost", Guard{}, false},
		{"[::ffff:127.0.0.1]", Guard{}, false},
		{"0.0.0.0", Guard{}, false},
		{"127.0.0.1", Guard{AllowPrivate: true}, true},
		{"localhost", Guard{AllowPrivate: true}, true},
		{"localhost", Guard{AllowHosts: []string{"LOCALHOST"}}, true},
		{"localhost", Guard{AllowHosts: []string{"localhost:" + port}}, true},
		{"localhost", Guard{AllowHosts: []string{"localhost:1"}}, false},
		{"localhost", Guard{AllowHosts: []string{"127.0.0.0/8"}}, true},
		{"127.0.0.1", Guard{AllowHosts: []string{"127.0.0.1"}}, true},
		{"127.0.0.1", Guard{AllowHosts: []string{"localhost"}}, false},
	} {
		requests.Store(0)
		c := New(Options{Guard: test.guard})
		x := c.Post(t.Context(), Request{URL: "http://" + test.host + ":" + port + "/"})
		c.Close()
		if passed := x.Class() == Answered; passed != test.want || requests.Load() == 1 != test.want {
			t.Errorf("%s with %+v: %d requests, %s", test.host, test.guard, requests.Load(), x.Failure())
		}
		refused, ok := errors.AsType[*RefusedError](x.Err)
		if !test.want && (!ok || x.Class() != Final || !refused.Addr.IsValid()) {
			t.Errorf("%s with %+v: class %v, %v", test.host, test.guard, x.Class(), x.Err)
		}
	}
}

// TestGuardChecksHosts: a host is refused before it is looked up if it is known
// where it leads.
func TestGuardChecksHosts(t *testing.T) {
	for _, test := range []struct {
		allowed, target string
		refused         bool
	}{
		{"", "localhost:80", true},
		{"", "LOCALHOST.:80", true},
		{"", "shop.localhost:80", true},
		{"", "a.b.Localhost.:443", true},
		{"", "127.0.0.1:80", true},
		{"", "[::1]:80", true},
		{"", "[fe80::1%eth0]:80", true},
		{"", "10.0.0.1:80", true},
		{"", "8.8.8.8:80", false},
		{"", "shop.example:80", false},
		{"", "notlocalhost:80", false},
		{"", "localhost.example.com:80", false},
		{"localhost", "localhost:80", false},
		{"localhost", "shop.localhost:80", true},
		{"localhost:81", "localhost:80", true},
		{"127.0.0.0/8", "localhost:80", false},
		{"::1", "localhost:80", false},
		{"10.0.0.0/8", "localhost:80", true},
	} {
		strict := Guard{AllowHosts: strings.Fields(test.allowed)}
		if err := strict.CheckHost(test.target); (err != nil) != test.refused {
			t.Errorf("%s, with %q allowed: %v", test.target, test.allowed, err)
		}
		never := strings.HasPrefix(test.target, "[fe80")
		if err := (Guard{AllowPrivate: true}).CheckHost(test.target); (err != nil) != never {
			t.Errorf("%s, with AllowPrivate: %v", test.target, err)
		}
	}
}
