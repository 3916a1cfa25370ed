package outbound

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func TestPatternsOfHosts(t *testing.T) {
	for _, entry := range strings.Fields("a a.example a.example:8080 *.example *.example:443 .example * *:443 10.0.0.0/8 10.0.0.1 10.0.0.1:80 ::1 [::1] [::1]:80 fd00::/8 bücher.example") {
		if err := CheckPattern(entry); err != nil {
			t.Errorf("%q: %v", entry, err)
		}
	}
	for _, entry := range []string{"", ":80", "http://a", "a/b", "10.0.0.0/33", "::ffff:8.8.0.0/95", "10.0.0.0/8:80", "a b", "u@a", "a?b", "a#b", "a,b", "*a", "*a.example", "**", "a.*.example", "a:0", "a:70000", "a:b", "a:", "1::2::3", "."} {
		if CheckPattern(entry) == nil {
			t.Errorf("%q is taken", entry)
		}
	}
}

// TestListsOfHosts: what the lists of an operator let through, before a name is looked up and
// with the address that it leads to.
func TestListsOfHosts(t *testing.T) {
	only := func(entries string) Hosts { return Hosts{Only: strings.Fields(entries)} }
	deny := func(entries string) Hosts { return Hosts{Deny: strings.Fields(entries)} }
	for _, c := range []struct {
		hosts        Hosts
		target, addr string
		before, then bool // whether it passes
	}{
		{Hosts{}, "a.example:443", "8.8.8.8", true, true},
		{only("a.example"), "A.Example.:443", "8.8.8.8", true, true},
		{only("a.example"), "b.a.example:443", "8.8.8.8", false, false},
		{only("a.example:443"), "a.example:80", "8.8.8.8", false, false},
		{only("*.example"), "a.b.example:443", "8.8.8.8", true, true},
		{only(".example"), "a.example:443", "8.8.8.8", true, true},
		{only("*.example"), "example:443", "8.8.8.8", false, false},
		{only("*.example"), "badexample:443", "8.8.8.8", false, false},
		{only("*:443"), "a.example:443", "8.8.8.8", true, true},
		{only("*:443"), "a.example:80", "8.8.8.8", false, false},
		{only("8.8.0.0/16"), "a.example:443", "8.8.8.8", true, true},
		{only("8.8.0.0/16"), "a.example:443", "9.9.9.9", true, false},
		{only("8.8.8.8"), "a.example:443", "8.8.8.8", true, true},
		{only("8.8.8.8"), "a.example:443", "9.9.9.9", true, false},
		{only("a.example"), "8.8.8.8:443", "8.8.8.8", false, false},
		{only("8.8.0.0/16"), "a.example:443", "2a00::5efe:8.8.8.8", true, false}, // anybody can write that address
		{only("10.0.0.0/8"), "a.example:443", "10.1.1.1", true, false},           // it is private for all that
		{deny("a.example"), "a.example:443", "8.8.8.8", false, false},
		{deny("a.example"), "b.example:443", "8.8.8.8", true, true},
		{deny("*.example"), "a.example:443", "8.8.8.8", false, false},
		{deny("8.8.0.0/16"), "a.example:443", "8.8.8.8", true, false},
		{deny("8.8.0.0/16"), "8.8.8.8:443", "8.8.8.8", false, false},
		{deny("8.8.0.0/16"), "a.example:443", "::ffff:8.8.8.8", true, false},
		{deny("8.8.0.0/16"), "a.example:443", "64:ff9b::8.8.8.8", true, false},
		{deny("*:25"), "a.example:25", "8.8.8.8", false, false},
		{Hosts{Only: []string{"*.example"}, Deny: []string{"a.example"}}, "a.example:443", "8.8.8.8", false, false},
		{deny("a.example:443"), "a.example:0443", "8.8.8.8", false, false},
		{deny("a.example:00443"), "a.example:443", "8.8.8.8", false, false},
		{deny("8.8.8.8:443"), "8.8.8.8:0443", "8.8.8.8", false, false},
		{only("a.example:0443"), "a.example:443", "8.8.8.8", true, true},
		{only("a.example:443"), "a.example:0", "8.8.8.8", false, false},
		{deny("::ffff:8.8.0.0/112"), "a.example:443", "8.8.8.8", true, false},
		{deny("*"), "a.example:443", "8.8.8.8", false, false},
	} {
		addr := netip.MustParseAddr(c.addr)
		for where, g := range map[string]Guard{"of all": {Hosts: c.hosts}, "of one": Guard{TenantHosts: map[string]Hosts{"acme": c.hosts}}.For("acme")} {
			if err := g.CheckHost(c.target); (err == nil) != c.before {
				t.Errorf("%s, %+v: %s before it is looked up: %v", where, c.hosts, c.target, err)
			}
			if err := g.Check(c.target, addr); (err == nil) != c.then {
				t.Errorf("%s, %+v: %s at %s: %v", where, c.hosts, c.target, c.addr, err)
			}
		}
		other := Guard{TenantHosts: map[string]Hosts{"acme": c.hosts}}.For("outlet")
		if other.CheckHost("a.example:443") != nil || other.Check("a.example:443", netip.MustParseAddr("8.8.8.8")) != nil {
			t.Errorf("%+v holds for another tenant", c.hosts)
		}
	}
}

func TestARefusalNamesTheList(t *testing.T) {
	g := Guard{Hosts: Hosts{Deny: []string{"8.0.0.0/8"}}, TenantHosts: map[string]Hosts{"acme": {Only: []string{"a.example"}}}}.For("acme")
	for _, c := range []struct{ target, addr, want string }{
		{"b.example:443", "9.9.9.9", "refused by the target guard: b.example (9.9.9.9) is not among outgoing.tenants.acme.onlyHosts in the config file"},
		{"a.example:443", "8.8.8.8", "refused by the target guard: a.example (8.8.8.8) is among outgoing.denyHosts in the config file"},
		{"8.8.8.8:443", "8.8.8.8", "refused by the target guard: 8.8.8.8 is among outgoing.denyHosts in the config file"},
	} {
		if err := g.Check(c.target, netip.MustParseAddr(c.addr)); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.target, err, c.want)
		}
	}
}

// TestNoTenantUsesAConnectionOfAnother that it may not make itself.
func TestNoTenantUsesAConnectionOfAnother(t *testing.T) {
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	c := New(Options{Guard: Guard{AllowPrivate: true, TenantHosts: map[string]Hosts{"acme": {Deny: []string{"127.0.0.0/8"}}}}})
	defer c.Close()
	for tenant, want := range map[string]bool{"outlet": false, "acme": true} {
		for range 2 {
			r := Request{URL: strings.Replace(url, "127.0.0.1", "localhost", 1)}
			r.For.Tenant = tenant
			if x := c.Post(t.Context(), r); x.Refused() != want {
				t.Errorf("%s: %v", tenant, x.Err)
			}
		}
	}
}

// TestReloadingTheGuard: rules that are new hold for connections that are there, too.
func TestReloadingTheGuard(t *testing.T) {
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	lax := Options{Guard: Guard{AllowPrivate: true}}
	c := New(lax)
	defer c.Close()
	for range 2 {
		c.Reload(lax)
		if x := c.Post(t.Context(), Request{URL: url}); x.Err != nil {
			t.Fatal(x.Err)
		}
		c.Reload(Options{Guard: Guard{Hosts: Hosts{Deny: []string{"127.0.0.1"}}, AllowPrivate: true}})
		if x := c.Post(t.Context(), Request{URL: url}); !x.Refused() {
			t.Errorf("after the reload: %v", x.Err)
		}
	}
}
