package decide

import (
	"fmt"
	"strings"
)

// overLimit says how a finished decision goes beyond what the answer of a step
// may make of an order; "" if it does not. An order that is too large already may
// still become smaller.
func (b *builder) overLimit() string {
	if most := b.Limits.Events; most > 0 && len(b.d.Events) > most {
		return fmt.Sprintf("it makes %d events of one write, which may be at most %d", len(b.d.Events), most)
	}
	most := b.Limits.OrderBytes
	if most == 0 || !b.d.Changed {
		return ""
	}
	if size := len(b.doc.JSON()); size > most && size > len(b.Order.Doc.JSON()) {
		return fmt.Sprintf("it makes the order %d bytes large, which may be at most %d (--max-order-bytes)", size, most)
	}
	return ""
}

// clip keeps what an endpoint wrote from filling the log.
func clip(reason string) string {
	const most = 500
	if len(reason) <= most {
		return reason
	}
	return strings.ToValidUTF8(reason[:most], "") + "…"
}
