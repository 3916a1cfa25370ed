package answer

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/outbound"
)

// Validated is what a validator's answer says of a cart. Either Answer or Failure is set.
type Validated struct {
	Answer  *cart.Validation
	Patched order.Patched // its Doc is nil where the answer leaves the cart as it is
	// Failure is the text of the External error, with the status and the response body, or
	// the network error.
	Failure string
}

// Validator reads the exchange of a validator's call, and what it makes of the cart that
// was sent (docs/contract.md#validators). A value that cannot be applied fails the cart,
// and none of the answer is taken. Nothing is tried again: a shopper waits.
func Validator(x outbound.Exchange, sent *jsondoc.Object, onlyLineItems bool) Validated {
	if x.Class() != outbound.Answered {
		// Without a status there was no answer, so there is no body to show.
		if x.Status == 0 {
			return Validated{Failure: x.Failure()}
		}
		return Validated{Failure: strings.TrimSuffix(x.Failure()+": "+Excerpt(x.Body), ": ")}
	}
	if x.TooLarge {
		return Validated{Failure: invalid(x, tooLarge)}
	}
	parse := cart.ParseValidation
	if onlyLineItems {
		parse = cart.ParseValidationOfLines
	}
	read, err := parse(x.Body)
	if err != nil {
		return Validated{Failure: invalid(x, err.Error())}
	}
	v := Validated{Answer: read}
	if read.Value == nil {
		return v
	}
	if v.Patched, err = order.ApplyCart(sent, read.Value); err != nil {
		return Validated{Failure: invalid(x, "value."+err.Error())}
	}
	for _, w := range v.Patched.Warnings {
		read.Unread = append(read.Unread, apierr.Warning{Path: "value." + w.Path, Message: w.Message})
	}
	return v
}

// invalid is the failure of a 2xx answer that is no validation result.
func invalid(x outbound.Exchange, why string) string {
	return fmt.Sprintf("invalid response: %s (answered %d: %s)", why, x.Status, Excerpt(x.Body))
}

// mostOfBody is how much of a response an error repeats (docs/contract.md#validators).
const mostOfBody = 2 << 10

// Excerpt is the beginning of a body as text for the error. It ends between two letters,
// and what is no UTF-8 is replaced.
func Excerpt(body []byte) string {
	if len(body) > mostOfBody {
		body = body[:mostOfBody]
		for i := 0; i < utf8.UTFMax && len(body) > 0 && !utf8.Valid(body); i++ { // a letter may be cut in two
			body = body[:len(body)-1]
		}
	}
	return strings.ToValidUTF8(string(body), "\uFFFD")
}
