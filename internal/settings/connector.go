package settings

import (
	"cmp"
	"encoding/base64"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/secret"
)

// connectors reads the connectors, and remembers their names and ids: steps are held
// against them.
func (p *parser) connectors() []Connector {
	p.ids, p.connectorNames = names{}, names{}
	var out []Connector
	for _, n := range p.root.nodes("connectors") {
		c := p.connector(n)
		p.ids.claim(n, "connectorId", c.ConnectorID)
		p.connectorNames.add(c.Name, n.at)
		out = append(out, c)
	}
	return out
}

// connector reads one entry of `connectors` (docs/contract.md#settings). It notes all
// errors that it finds, and what looks like a slip.
func (p *parser) connector(n node) Connector {
	n.warnUnread(connectorKind)
	markets := p.markets.lists(n)
	c := Connector{
		Name:                       n.required("name"),
		ConnectorID:                n.text("connectorId"),
		Host:                       p.host(n, "host"),
		BearerToken:                credential(n, "bearerToken"),
		Token:                      credential(n, "token"),
		Username:                   n.text("username"),
		Timeout:                    timeout(n),
		SigningSecret:              signingSecret(n),
		DisableStandardErrorPolicy: n.flag("disableStandardErrorPolicy", false),
		EnabledForMarkets:          markets.enabled,
		DisabledForMarkets:         markets.disabled,
		NoMarket:                   markets.none,
		Breaker:                    breaker(n),
	}
	c.Password, _ = n.secret("password")
	// This field is only shown, but it must be text.
	n.text("displayName")
	headers := headerList{names: names{}}
	for _, h := range n.nodes("customHeaders") {
		h.warnUnread(headerKind)
		headers.add(h)
	}
	c.CustomHeaders = headers.list
	connectorProperties(n, &c)
	validator(n, &c)
	// It may still lend its credentials to such steps.
	if !c.IsValidator() && !n.obj.Has("host") {
		n.warn(n.path("host"), "is not given, so only steps with a Host property of their own can use this connector")
	}
	credentials(n, &c)
	return c
}

// credential reads what follows a scheme in Authorization, and must fit there. A text with
// a line break in it, say, could add a header to the request.
func credential(n node, field string) secret.Value {
	v, text := n.secret(field)
	if !httpguts.ValidHeaderFieldValue(text) {
		n.wrong(n.path(field), badHeaderValue)
	}
	return v
}

// credentials checks what Authorization is made of: at most one of the three
// schemes is meant.
func credentials(n node, c *Connector) {
	if strings.Contains(c.Username, ":") {
		n.wrong(n.path("username"), "must hold no colon, which ends the user name in Basic authentication")
	}
	if (c.Username == "") != c.Password.IsZero() {
		n.warn(n.path("username"), "username and password go together, and only one of them is given")
	}
	given := 0
	for _, is := range []bool{!c.BearerToken.IsZero(), !c.Token.IsZero(), c.Username != ""} {
		if is {
			given++
		}
	}
	if given > 1 {
		n.warn(n.at, "more than one of bearerToken, token and username is given; the first of them in this order is sent")
	}
}

// timeout reads how long one attempt may take. .NET writes out a TimeSpan that
// nobody has set as 00:00:00, so that is the default (docs/contract.md#settings).
func timeout(n node) time.Duration {
	d, _ := n.length("timeout")
	return cmp.Or(d, event.DefaultTimeout)
}

// signingSecret reads a secret as Standard Webhooks writes them, "whsec_" and
// base64, or any other text.
func signingSecret(n node) secret.Value {
	v, s := n.secret("signingSecret")
	// The text of a secret that is stored already is not known here, and was checked when
	// it came in.
	if encoded, ok := strings.CutPrefix(s, "whsec_"); ok {
		if key, err := base64.StdEncoding.DecodeString(encoded); err != nil || len(key) == 0 {
			n.wrong(n.path("signingSecret"), "must be base64 after whsec_")
		}
	}
	return v
}
