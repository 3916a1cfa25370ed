package decide

import (
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/spelling"
)

// overLimit is the error of a finished decision that makes more of an order than
// one write may (docs/contract.md#limits). An order that was too large before, as under
// another limit, may stay so large or become smaller.
func (b *builder) overLimit() error {
	if err := event.CheckEventCount(b.d.Events); err != nil {
		return err
	}
	before := b.Order.Doc
	if b.d.Created != nil {
		before = nil
	} else if b.doc == before {
		return nil
	}
	if err := order.CheckIDs(before, b.doc); err != nil || b.MaxOrderBytes == 0 {
		return err
	}
	return order.CheckSize(before, b.doc, b.MaxOrderBytes)
}

// finishFor is finish for a change that a caller asks for. The caller gets the error, and
// nothing is stored. What becomes of a step's answer that is too large, [Answer] says.
func (b *builder) finishFor() (*Decision, error) {
	d := b.finish()
	if err := b.overLimit(); err != nil {
		return nil, err
	}
	return d, nil
}

// clip keeps what an endpoint wrote from filling the log. The history has the whole text.
func clip(reason string) string {
	return spelling.Clip(reason, 500)
}
