package schema

import (
	"maps"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/jsondoc"
)

// otherNames are the field names that orderhook knows beyond those of the
// models in models.go: settings, step answers, validation results. Settings have a package
// of their own, but are parsed by the same reader.
const otherNames = `
	connectors connectorId connector displayName host bearerToken token username password timeout customHeaders
	signingSecret disableStandardErrorPolicy implementations enabledForMarkets disabledForMarkets
	enabledForMarketGroups disabledForMarketGroups enabledForStores disabledForStores enabledForTags disabledForTags
	enabledForStoreGroups disabledForStoreGroups markets marketIds marketGroups groupId groupName marketName
	orderTypes default defaultOrderType orderStatuses returnStatuses workflowSteps events active stopOnError
	runAfterOrderIsSaved isInvisible translateKey conditions maxDuration breaker failures window openFor whileOpen
	orderActionExecutionResults actionStatus actionType cancelWorkflow errorReason triggerNewStatus orderPatch
	isAborted isValidatedSuccessful validationErrors validationWarnings validationMessage validationType
	cart order shipment returnOrderForm origin skipRunWorkflow dryRun callWebhooks returnId
	orderLines shippingAddress workflowStep returnOrderFormId`

// Known is every field name that orderhook knows. A name that is among them costs a
// document no memory of its own.
var Known = jsondoc.NewNames(knownNames())

// knownNames puts together the names of all models and the others.
func knownNames() []string {
	all := strings.Fields(otherNames)
	for _, m := range []*Model{
		Order, OrderForm, orderLineModel, Shipment, returnFormModel, paymentModel, Address, Property,
		commentModel, externalIDModel, assetModel, entityErrorModel, discountModel, contactPersonModel, groupModel, chargeModel,
	} {
		all = slices.AppendSeq(all, maps.Keys(m.Fields))
	}
	return all
}

// CamelName returns the camelCase spelling of a field name that came in in any case:
// that of the name that is known, if one is. Tests of several packages use it.
func CamelName(name string) string { return Known.Camel(name) }
