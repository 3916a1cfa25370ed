package oms

import (
	"strings"
	"unicode"
	"unicode/utf8"
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

// spellings maps the spelling of every known name to itself.
var spellings = func() map[string]string {
	m := map[string]string{}
	for _, name := range known {
		m[name] = name
	}
	return m
}()

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

// raised is a field's name on the wire of the steps: with its first letter in
// upper case (CONTRACT.md, "Names").
func raised(name string) string {
	r, size := utf8.DecodeRuneInString(name)
	if up := unicode.ToUpper(r); up != r && r != utf8.RuneError {
		return string(up) + name[size:]
	}
	return name
}

// unraised is the name with its first letter in lower case, of which [raised] made
// the given one.
func unraised(name string) string {
	r, size := utf8.DecodeRuneInString(name)
	if low := unicode.ToLower(r); low != r && r != utf8.RuneError {
		return string(low) + name[size:]
	}
	return name
}

// lowered is how a field that an answer brings is stored: with its first letter
// in lower case, unless the second is in upper case, as in EUR.
func lowered(name string) string {
	r, size := utf8.DecodeRuneInString(name)
	second, _ := utf8.DecodeRuneInString(name[size:])
	if low := unicode.ToLower(r); low != r && r != utf8.RuneError && !unicode.IsUpper(second) {
		return string(low) + name[size:]
	}
	return name
}

// respelled returns a value of an answer with the names that it is stored under:
// those of the value that it replaces, where that has them. The elements of a
// list take after the one at their place, or the last.
func respelled(v, like any) any {
	switch v := v.(type) {
	case *Object:
		was, _ := like.(*Object)
		out := &Object{}
		for _, m := range v.Members() {
			name, value := lowered(m.Name), any(nil)
			if i := was.counterpart(m.Name, v); i >= 0 {
				name, value = was.members[i].Name, was.members[i].Value
			}
			if out.findExact(name) >= 0 { // both Name and name came
				name = m.Name
			}
			out.put(name, respelled(m.Value, value))
		}
		return out
	case []any:
		was, _ := like.([]any)
		out := make([]any, len(v))
		for i, e := range v {
			var value any
			if len(was) > 0 {
				value = was[min(i, len(was)-1)]
			}
			out[i] = respelled(e, value)
		}
		return out
	}
	return v
}

// SameName compares two names of things that have no case: statuses, order
// types, markets, connectors. White space around a name does not count
// (CONTRACT.md, "Configuration"). All of orderhook compares such names here.
func SameName(a, b string) bool { return a == b || FoldName(a) == FoldName(b) }

// FoldName returns the text that all spellings of a name share, for maps and for
// columns of a database.
func FoldName(name string) string { return fold(strings.TrimSpace(name)) }

// sameName compares two field names without regard to case.
func sameName(a, b string) bool {
	if a == b {
		return true
	}
	if isASCII(a) && isASCII(b) {
		return len(a) == len(b) && strings.EqualFold(a, b)
	}
	return fold(a) == fold(b)
}

// fold maps names that differ only in case to one text. Upper case comes
// first so that it agrees with the PascalCase of the wire: letters that share
// a capital are one letter there.
func fold(name string) string {
	if isASCII(name) {
		return strings.ToLower(name)
	}
	return strings.ToLower(strings.ToUpper(name))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
