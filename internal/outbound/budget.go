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

// hold has the memory that an answer takes while its caller is at work with it
// counted until that gives x.Memory back. Where somebody will parse it, it waits until
// there is as much: not within the attempt's timeout, since the answer is here.
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
