package validate

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/settings"
)

// request is the call of one validator: the cart in camelCase, bare or in an
// envelope (docs/contract.md#validators). version is that of the settings. They say which
// secrets the call may have. call names the request in the attempts log.
func request(tenant string, version int64, c *settings.Connector, cart *jsondoc.Object, call string) outbound.Request {
	body := cart.JSON()
	if c.WrapsRequest {
		body = jsondoc.NewObject(jsondoc.Member{Name: "cart", Value: cart}).JSON()
	}
	// The connector decides credentials, headers and the time that the call may take.
	r := outbound.ToConnector(tenant, settings.Target{URL: c.Host, Connector: c}, nil, version)
	r.Kind, r.Body, r.IdempotencyKey = attempt.KindValidator, body, call
	return r
}

// read reads what came back. A failure is the text of the External error, with
// the status and the response body, or the network error. Nothing is tried again: a shopper
// waits for the answer.
func read(x outbound.Exchange) (*cart.Validation, string) {
	if x.Class() != outbound.Answered {
		// Without a status there was no answer, so there is no body to show.
		if x.Status == 0 {
			return nil, x.Failure()
		}
		return nil, strings.TrimSuffix(x.Failure()+": "+excerpt(x.Body), ": ")
	}
	if x.TooLarge {
		return nil, invalid(x, fmt.Sprintf("the body is larger than %d bytes", outbound.MaxBody))
	}
	answer, err := cart.ParseValidation(x.Body)
	if err != nil {
		return nil, invalid(x, err.Error())
	}
	return answer, ""
}

// invalid is the failure of a 2xx answer that is no validation result.
func invalid(x outbound.Exchange, why string) string {
	return fmt.Sprintf("invalid response: %s (answered %d: %s)", why, x.Status, excerpt(x.Body))
}

// mostOfBody is how much of a response an error repeats (docs/contract.md#validators).
const mostOfBody = 2 << 10

// excerpt is the beginning of a body as text for the error. It ends between two letters,
// and what is no UTF-8 is replaced.
func excerpt(body []byte) string {
	if len(body) > mostOfBody {
		body = body[:mostOfBody]
		for i := 0; i < utf8.UTFMax && len(body) > 0 && !utf8.Valid(body); i++ { // a letter may be cut in two
			body = body[:len(body)-1]
		}
	}
	return strings.ToValidUTF8(string(body), "\uFFFD")
}

// record is the call as the attempts log has it. It has the cart's id, by which it is
// found; a cart that is not stored may have none.
func record(c *settings.Connector, cart *jsondoc.Object, call string, x outbound.Exchange, failure string) *attempt.Attempt {
	a := x.Record(attempt.KindValidator, failure)
	a.CallID, a.ConnectorID, a.CartID = call, c.ConnectorID, cart.Text("id")
	return a
}
