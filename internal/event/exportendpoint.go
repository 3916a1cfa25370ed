package event

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/orderhook/orderhook/internal/ids"
)

// ExportEndpointID is the id of the endpoint behind an ExportOrder step. Steps of
// one connector share one, unless they have headers of their own: then step is not
// nil, and the endpoint is that step's alone. It is a hash of what leads to the connector
// and the step, so the same step finds the same endpoint each time. Names count without
// regard to case, the host as it is. A hash also keeps the host, in whose query there may
// be a key, out of the id.
func ExportEndpointID(c ConnectorRef, step *StepRef) string {
	names := []string{c.Name, c.ID}
	if step != nil {
		names = append(names, fmt.Sprintf("%s\x00%s\x00%d", cmp.Or(step.OrderType, "returnStatuses"), step.Status, step.Index))
	}
	hash := sha256.Sum256([]byte(strings.ToLower(strings.Join(names, "\x00")) + "\x00" + c.Host))
	return ids.Endpoint + "export_" + hex.EncodeToString(hash[:16])
}
