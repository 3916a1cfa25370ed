package settings

import (
	"strings"

	"github.com/orderhook/orderhook/internal/spelling"
)

// kind is a kind of object of the document, and what is read of it. Messages, hints and the
// shapes of the OpenAPI document are made of it.
type kind struct {
	name string   // as a message names it
	read []string // its fields that are read
	// properties are the keys of its `properties` that are read, in the
	// specification's spelling.
	properties []string
	// limited says that an unknown field may be there to limit it.
	limited bool

	known map[string]bool // folded: the fields that are read, and those that are stored without being read
}

// newKind makes a kind of the fields that are read, and of those that the
// published model of order management has and that orderhook stores without
// reading them: they are no slips.
func newKind(name, read, stored string, properties ...string) kind {
	k := kind{name: name, read: strings.Fields(read), properties: properties, known: map[string]bool{}}
	for _, field := range append(strings.Fields(stored), k.read...) {
		k.known[spelling.Fold(field)] = true
	}
	return k
}

// limitable makes a kind of which an unknown field may be a limit. Such a field is refused
// rather than stored: what it says would not be heeded.
func limitable(k kind) kind {
	k.limited = true
	return k
}

// These are all kinds. A field that is in none of the lists is the owner's own: it is
// stored, and sent where the whole object is.
var (
	documentKind    = newKind("the document", `connectors markets marketGroups storeGroups orderTypes returnStatuses retention`, "")
	retentionKind   = newKind("retention", `attempts versions history runs audit`, "")
	breakerKind     = newKind("a breaker", `failures window openFor whileOpen`, "")
	marketKind      = newKind("a market", `marketId`, "")
	marketGroupKind = newKind("a market group", `groupId marketIds`, `groupName`)
	storeGroupKind  = newKind("a store group", `groupId storeIds`, `groupName`)
	propertyKind    = newKind("a property", `key value keyGroup`, `valueType`)
	headerKind      = newKind("a header", `key value`, `keyGroup valueType`)

	orderTypeKind = limitable(newKind("an order type", `name default defaultOrderType orderStatuses disableWorkflow`, ""))
	statusKind    = limitable(newKind("a status", `name workflowSteps events maxDuration shipmentStatusUpdate mainOrderStatus`,
		`displayName translateKey properties condition`))
	// What is read of a step stands in the catalogue; the rest is names, and lists of other kinds.
	stepKind = limitable(newKind("a step", "name displayName properties implementations "+strings.Join(namesOf(callProperties()), " "), "",
		namesOf(callListedProperties())...))
	connectorKind = limitable(newKind("a connector", `name connectorId displayName host bearerToken token username password timeout customHeaders
		signingSecret disableStandardErrorPolicy enabledForMarkets disabledForMarkets enabledForMarketGroups disabledForMarketGroups
		properties implementations breaker`, "", wrapperKey, onlyLinesKey))
)

// kinds are those whose fields are recognized at a wrong place.
var kinds = []kind{documentKind, retentionKind, breakerKind, orderTypeKind, statusKind, stepKind, connectorKind}

// common are fields of so many kinds, or so usual as the owner's own, that they
// say nothing about where they belong.
var common = strings.Fields(`name displayName properties default history runs window failures implementations`)
