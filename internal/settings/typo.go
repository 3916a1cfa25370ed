package settings

import (
	"strings"

	"github.com/orderhook/orderhook/internal/oms"
)

// The fields that are read of each kind of object. Others are kept, and one
// that is nearly one of these is more likely misspelt than meant.
var (
	documentFields  = strings.Fields(`connectors markets marketGroups orderTypes returnStatuses retention`)
	retentionFields = strings.Fields(`attempts versions history runs`)
	orderTypeFields = strings.Fields(`name default defaultOrderType orderStatuses disableWorkflow`)
	statusFields    = strings.Fields(`name workflowSteps events maxDuration shipmentStatusUpdate mainOrderStatus`)
	stepFields      = strings.Fields(`name active connector connectorId stopOnError runAfterOrderIsSaved isInvisible translateKey displayName
		properties conditions enabledForMarkets disabledForMarkets enabledForMarketGroups disabledForMarketGroups
		enabledForStores disabledForStores enabledForTags disabledForTags`)
	connectorFields = strings.Fields(`name connectorId displayName host bearerToken token username password timeout customHeaders
		signingSecret disableStandardErrorPolicy enabledForMarkets disabledForMarkets enabledForMarketGroups disabledForMarketGroups
		properties implementations breaker`)
)

// warnTypos notes fields that are not read and look like one that is.
func (n node) warnTypos(read []string) {
	for _, m := range n.obj.Members() {
		if meant := oms.Nearest(m.Name, read); meant != "" {
			n.warn(n.path(clip(m.Name)), "is not read; is %s meant?", meant)
		}
	}
}
