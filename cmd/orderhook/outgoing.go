package main

import (
	"fmt"
	"math"

	"github.com/dustin/go-humanize"

	"github.com/orderhook/orderhook/internal/app"
)

// outgoing is the flags that bound what outgoing calls may take.
type outgoing struct {
	MaxOutgoing            count       `default:"2048" help:"Outgoing calls at once, which tenants share, and the endpoints and connectors of each: nobody may have more than three times as many as are left."`
	MaxAnswerBytesInFlight answerBytes `default:"256MiB" placeholder:"SIZE" help:"Bytes of answers that may be read at once, and bytes that answers may take until they are applied, shared as calls are."`
}

// set completes the options of a server.
func (o *outgoing) set(to *app.Options) error {
	if o.MaxOutgoing == 0 {
		return app.Mistakef("--max-outgoing must be 1 or more")
	}
	to.MaxOutgoing, to.MaxAnswerBytes = int64(o.MaxOutgoing), int64(o.MaxAnswerBytesInFlight)
	return nil
}

// leastAnswerBytes is room for one answer of the greatest length, and some more.
const leastAnswerBytes = 8 << 20

// answerBytes is a flag that takes a number of bytes, not too few for any answer.
type answerBytes int64

// String writes it as it may be given.
func (b answerBytes) String() string {
	if b%(1<<20) == 0 {
		return fmt.Sprintf("%dMiB", b>>20)
	}
	return fmt.Sprint(int64(b))
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *answerBytes) UnmarshalText(text []byte) error {
	n, err := humanize.ParseBytes(string(text))
	if err != nil || n < leastAnswerBytes || n > math.MaxInt64>>10 {
		return fmt.Errorf("%q is no number of bytes of 8MiB or more: write 256MiB or 268435456", text)
	}
	*b = answerBytes(n)
	return nil
}
