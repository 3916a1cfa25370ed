package answer

import (
	"fmt"

	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// Step reads the exchange of a workflow step's call as docs/contract.md#outcomes says. Of
// this server's own trouble, which is no attempt ([outbound.OwnTrouble]), it says the
// failure alone.
func Step(x outbound.Exchange) decide.Outcome {
	switch x.Class() {
	case outbound.Answered:
		if x.TooLarge {
			return decide.Invalid(tooLarge)
		}
		// An answer that cannot be read would be the same the next time, so it is no reason
		// to try again.
		read, err := run.ParseStepAnswer(x.Body)
		if err != nil {
			return decide.Invalid(err.Error())
		}
		return decide.Outcome{Answer: read}
	case outbound.Retry:
		return decide.Outcome{Failure: x.Failure(), Retry: true}
	}
	// The rest is final: the endpoint said no, or the target guard let nothing out.
	return decide.Outcome{Failure: x.Failure(), Refused: x.Refused()}
}

// tooLarge is what is wrong with an answer that was not read to its end.
var tooLarge = fmt.Sprintf("the body is larger than %d bytes", outbound.MaxBody)
