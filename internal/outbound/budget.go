package outbound

import (
	"context"

	"github.com/orderhook/orderhook/internal/fair"
)

// Limits of a [Client], unless its options say otherwise (docs/contract.md#limits).
const (
	DefaultMaxOutgoing    = 2048
	DefaultMaxAnswerBytes = 256 << 20
)

// parsedTimes is how many times its length an answer takes while somebody reads
// and applies it: parsed JSON takes 10 to 18 times its text, measured, and what
// becomes of the document by it is there once more. It is rather more than needed: too
// little would fill the memory.
const parsedTimes = 32

// hold reserves memory for an answer. The caller frees it with x.Memory.Give. If the answer
// will be parsed, hold waits for the memory; that wait is not part of the attempt's timeout.
func (c *Client) hold(ctx context.Context, k fair.Key, x *Exchange) (err error) {
	if x.Class() == OwnTrouble { // of an answer that was not read whole nobody wants the beginning
		x.Body = nil
	}
	if len(x.Body) == 0 {
		return nil
	}
	// Nobody parses this answer, so it takes no more than its bytes. It is here already, so
	// nothing is waited for.
	if x.OneWay || x.Class() != Answered {
		x.Memory = c.reading.Add(k, int64(len(x.Body)))
		return nil
	}
	x.Memory, err = c.parsing.Take(ctx, k, parsedTimes*int64(len(x.Body)))
	return err
}
