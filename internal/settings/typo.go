package settings

import (
	"strings"

	"github.com/orderhook/orderhook/internal/oms"
)

// The fields that are read of each kind of object. Others are kept, and one
// that is nearly one of these is more likely misspelt than meant.
var (
	documentFields  = strings.Fields(`connectors markets marketGroups orderTypes returnStatuses`)
	orderTypeFields = strings.Fields(`name default orderStatuses`)
	statusFields    = strings.Fields(`name workflowSteps events maxDuration`)
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
		if meant := nearest(m, read); meant != "" {
			n.warn(n.path(clip(m.Name)), "is not read; is %s meant?", meant)
		}
	}
}

// nearest returns the field that a member's name is a slip away from, "" if it
// is one itself or is like none.
func nearest(m oms.Member, read []string) (meant string) {
	for _, field := range read {
		if same(field, m.Name) {
			return ""
		}
		if near(fold(field), fold(m.Name)) {
			meant = field
		}
	}
	return meant
}

// near reports whether one text becomes the other by a letter put in, left out
// or changed, or by two in a long one.
func near(a, b string) bool {
	most := 1
	if len(a) >= 6 {
		most = 2
	}
	if max(len(a)-len(b), len(b)-len(a)) > most {
		return false
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)] <= most
}
