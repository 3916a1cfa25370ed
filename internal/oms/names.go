package oms

import (
	"strings"
	"unicode"
)

// otherNames are the field names that orderhook knows beyond those of the
// models in models.go: settings, step answers, validation results.
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

// known maps the folded form of every known name to its spelling.
var known = knownNames()

func knownNames() map[string]string {
	m := map[string]string{}
	for _, mod := range []*model{
		orderModel, orderFormModel, orderLineModel, shipmentModel, returnFormModel, paymentModel, addressModel, propertyModel,
		commentModel, externalIDModel, assetModel, entityErrorModel, discountModel, contactPersonModel, groupModel, chargeModel,
	} {
		for name := range mod.fields {
			m[fold(name)] = name
		}
	}
	for name := range strings.FieldsSeq(otherNames) {
		m[fold(name)] = name
	}
	for _, name := range m {
		m[name] = name // the usual case costs one look-up and no new string
	}
	return m
}

// CamelName returns the camelCase spelling of a field name that came in in any
// case. A known name gets its own spelling. Of any other a leading run of
// capitals is lowered, as .NET's JSON does it: CustomField becomes
// customField, SKU sku, URLPath urlPath.
func CamelName(name string) string {
	if k, ok := known[name]; ok {
		return k
	}
	if k, ok := known[fold(name)]; ok {
		return k
	}
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsUpper(r) {
			break
		}
		if i > 0 && i+1 < len(runes) && unicode.IsLower(runes[i+1]) {
			break
		}
		runes[i] = unicode.ToLower(r)
	}
	return string(runes)
}
