package settings

import "github.com/orderhook/orderhook/internal/weburl"

// host reads an endpoint's URL, "" where there is none, and returns its normal
// spelling. Errors do not repeat the URL: it may hold a password, or an access
// key in its query. A host that the guard will refuse is stored nevertheless.
func (p *parser) host(n node, field string) string {
	s, given := value[string](n, field, "a URL, as text")
	if !given {
		return ""
	}
	u, ok := weburl.ParseURL(s)
	switch {
	case !ok:
		n.wrong(n.path(field), "must be an absolute http or https URL, as https://example.com/orders")
	case weburl.OddHost(u):
		n.wrong(n.path(field), "%s", weburl.WrongHost)
	case weburl.HasMaskedQuery(s):
		n.wrong(n.path(field), "%s", weburl.MaskedQuery)
	case u.User != nil:
		n.wrong(n.path(field), "must hold no user name or password; they belong in the connector's username and password")
	// That is a warning: another flag of the server may admit the host.
	case p.refused != nil:
		if why := p.refused(u); why != "" {
			n.warn(n.path(field), "no call will be made there: %s", why)
		}
	}
	return weburl.NormalURL(s)
}
