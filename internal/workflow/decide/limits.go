package decide

import (
	"strings"

	"github.com/orderhook/orderhook/internal/oms"
)

// overLimit is the error of a finished decision that makes more of an order than
// one write may (API.md, "Limits").
func (b *builder) overLimit() error {
	if err := oms.CheckEventCount(b.d.Events); err != nil || b.MaxOrderBytes == 0 {
		return err
	}
	before := b.Order.Doc
	if b.d.Created != nil {
		before = nil
	} else if b.doc == before {
		return nil
	}
	return oms.CheckSize(before, b.doc, b.MaxOrderBytes)
}

// finishFor is finish for a change that a caller asks for.
func (b *builder) finishFor() (*Decision, error) {
	d := b.finish()
	if err := b.overLimit(); err != nil {
		return nil, err
	}
	return d, nil
}

// clip keeps what an endpoint wrote from filling the log.
func clip(reason string) string {
	const most = 500
	if len(reason) <= most {
		return reason
	}
	return strings.ToValidUTF8(reason[:most], "") + "…"
}
