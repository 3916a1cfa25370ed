package settings

import "strings"

// kind is a kind of object of the document, and what is read of it.
type kind struct {
	name string   // as a message names it
	read []string // its fields that are read
	// kept are fields that the published model of order management has, and that
	// orderhook keeps without reading them: they are no slips.
	kept []string
	// properties are the keys of its `properties` that are read, in the seeds' spelling.
	properties []string
	// limited says that an unknown field may be there to limit it.
	limited bool
}

func (k kind) has(field string) bool { return isIn(field, k.read) || isIn(field, k.kept) }

var (
	documentKind  = kind{name: "the document", read: strings.Fields(`connectors markets marketGroups storeGroups orderTypes returnStatuses retention`)}
	retentionKind = kind{name: "retention", read: strings.Fields(`attempts versions history runs`)}
	breakerKind   = kind{name: "a breaker", read: strings.Fields(`failures window openFor whileOpen`)}
	marketKind    = kind{name: "a market", read: strings.Fields(`marketId`)}
	propertyKind  = kind{name: "a property", read: strings.Fields(`key value keyGroup`), kept: strings.Fields(`valueType`)}
	headerKind    = kind{name: "a header", read: strings.Fields(`key value`), kept: strings.Fields(`keyGroup valueType`)}

	orderTypeKind = kind{name: "an order type", limited: true,
		read: strings.Fields(`name default defaultOrderType orderStatuses disableWorkflow`)}
	statusKind = kind{name: "a status", limited: true,
		read: strings.Fields(`name workflowSteps events maxDuration shipmentStatusUpdate mainOrderStatus`),
		kept: strings.Fields(`displayName translateKey properties condition`)}
	stepKind = kind{name: "a step", limited: true,
		read: strings.Fields(`name active connector connectorId stopOnError runAfterOrderIsSaved isInvisible translateKey displayName
			properties conditions workflowStepConditions implementations
			enabledForMarkets disabledForMarkets enabledForMarketGroups disabledForMarketGroups
			enabledForStores disabledForStores enabledForStoreGroups disabledForStoreGroups
			enabledForTags disabledForTags enabledForWarehouses disabledForWarehouses
			enabledForShipmentOptions disabledForShipmentOptions`),
		properties: []string{hostKey, errorStatusKey}}
	connectorKind = kind{name: "a connector", limited: true,
		read: strings.Fields(`name connectorId displayName host bearerToken token username password timeout customHeaders
			signingSecret disableStandardErrorPolicy enabledForMarkets disabledForMarkets enabledForMarketGroups disabledForMarketGroups
			properties implementations breaker`),
		properties: []string{wrapperKey, onlyLinesKey}}
)

// groupKind is a group of markets or of stores, whose members are in that field.
func groupKind(members string) kind {
	return kind{name: "a group", read: []string{"groupId", members}, kept: []string{"groupName"}}
}

// kinds are those whose fields are recognized at a wrong place.
var kinds = []kind{documentKind, retentionKind, breakerKind, orderTypeKind, statusKind, stepKind, connectorKind}

// common are fields of so many kinds, or so usual as the owner's own, that they
// say nothing about where they belong.
var common = strings.Fields(`name displayName properties default history runs window failures implementations`)
