package settings

import (
	"strings"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/spelling"
)

// ValidatorConnector is the name of connectors that validate carts, in any
// case (docs/contract.md#validators).
const ValidatorConnector = "webhookValidator"

// Keys of a validator's properties (docs/contract.md#validators).
const (
	wrapperKey   = "IsRequestWrapperEnabled"
	onlyLinesKey = "IsOnlyLineItemsUpdated"
)

// validatorInterface is what a validator implements (docs/contract.md#validators).
const validatorInterface = "IValidator"

// IsValidator reports whether carts are sent to the connector.
func (c *Connector) IsValidator() bool { return spelling.SameName(c.Name, ValidatorConnector) }

// validator checks what only a validator needs, or may not have, and notes a
// connector that looks as if it was to be one: no cart would ever be sent there. Its name
// alone makes a connector one.
func validator(n node, c *Connector) {
	implementations := n.texts("implementations")
	if !c.IsValidator() {
		switch like := meant(c.Name, []string{ValidatorConnector}); {
		case like != "":
			n.warn(n.path("name"), "is not the name of cart validators, so no cart is sent there%s", like)
		case isIn(validatorInterface, implementations):
			n.warn(n.path("name"), "is not %s, so no cart is sent there, whatever the connector implements", ValidatorConnector)
		}
		return
	}
	if c.Breaker != nil {
		n.warn(n.path("breaker"), "is not used: a cart's validation is never put off or passed over")
	}
	if !n.obj.Has("host") {
		n.wrong(n.path("host"), "is needed: carts are posted there")
	}
}

// connectorProperties reads the properties of a connector.
func connectorProperties(n node, c *Connector) {
	seen := names{}
	for _, prop := range n.nodes("properties") {
		prop.warnUnread(propertyKind)
		prop.text("keyGroup")
		key := prop.text("key")
		switch spelled(key, connectorKind.properties) {
		case wrapperKey:
			prop.setOnce(seen, &c.WrapsRequest)
		case onlyLinesKey:
			prop.setOnce(seen, &c.OnlyLineItems)
		default:
			prop.text("value")
			prop.warnKey(key, connectorKind)
			warnNoKey(prop, key)
			warnConnectorHeader(prop)
			continue
		}
		if !c.IsValidator() {
			prop.warn(prop.path("key"), "does nothing here: it is a property of %s", ValidatorConnector)
		}
	}
}

// setOnce reads the value of a property that is true or false. Where two have one key, the
// first counts, and the second makes a warning.
func (n node) setOnce(seen names, to *bool) {
	on := n.truth("value")
	if first, there := seen.add(n.obj.Text("key"), n.at); there {
		n.warn(n.path("key"), "is that of %s too, and only the first counts", first.at)
		return
	}
	*to = on
}

// truth reads true or false, also as a text, in any case: the values of
// properties are texts (docs/contract.md#validators).
func (n node) truth(field string) bool {
	raw, _ := n.obj.Get(field)
	text, isText := raw.(string)
	text = strings.TrimSpace(text)
	switch on, isBool := raw.(bool); {
	case raw == nil:
		return false
	case isBool:
		return on
	case isText && strings.EqualFold(text, "true"):
		return true
	case isText && strings.EqualFold(text, "false"):
		return false
	}
	n.wrong(n.path(field), "must be true or false, not %s", jsondoc.TypeName(raw))
	return false
}

// warnConnectorHeader notes a header that stands where only steps have theirs.
func warnConnectorHeader(prop node) {
	if isHeader(prop.obj) || headerLike(prop.obj.Text("keyGroup")) {
		prop.warn(prop.path("keyGroup"), "makes no header of this, and no secret: the headers of a connector are its customHeaders")
	}
}
