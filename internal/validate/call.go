package validate

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
)

// request is the call of one validator: the cart in camelCase, bare or in an
// envelope (cart-validator.txt, "Request"). version is that of the settings.
func request(tenant string, version int64, c *settings.Connector, cart *oms.Object, call string) hook.Request {
	body := cart.JSON()
	if c.WrapsRequest {
		body = oms.NewObject(oms.Member{Name: "cart", Value: cart}).JSON()
	}
	return hook.Request{
		For: fair.Key{Tenant: tenant, Member: cmp.Or(c.ConnectorID, c.Host)},
		URL: c.Host, Header: c.CustomHeaders, BearerToken: c.BearerToken, Token: c.Token, Username: c.Username, Password: c.Password,
		Body: body, IdempotencyKey: call, SigningSecret: c.SigningSecret, Timeout: c.Timeout, Since: version,
	}
}

// read reads what came back. A failure is the text of the External error, with
// the status and the response body, or the network error.
func read(x hook.Exchange) (*oms.Validation, string) {
	if x.Class() != hook.Answered {
		if x.Status == 0 {
			return nil, x.Failure()
		}
		return nil, strings.TrimSuffix(x.Failure()+": "+excerpt(x.Body), ": ")
	}
	if x.TooLarge {
		return nil, invalid(x, fmt.Sprintf("the body is larger than %d bytes", hook.MaxBody))
	}
	answer, err := oms.ParseValidation(x.Body)
	if err != nil {
		return nil, invalid(x, err.Error())
	}
	return answer, ""
}

// invalid is the failure of a 2xx answer that is no validation result.
func invalid(x hook.Exchange, why string) string {
	return fmt.Sprintf("invalid response: %s (answered %d: %s)", why, x.Status, excerpt(x.Body))
}

// mostOfBody is how much of a response an error repeats (CONTRACT.md, "Cart validator").
const mostOfBody = 2 << 10

func excerpt(body []byte) string {
	if len(body) > mostOfBody {
		body = body[:mostOfBody]
		for i := 0; i < utf8.UTFMax && len(body) > 0 && !utf8.Valid(body); i++ { // a letter may be cut in two
			body = body[:len(body)-1]
		}
	}
	return strings.ToValidUTF8(string(body), "\uFFFD")
}

// record is the call as the attempts log keeps it.
func record(c *settings.Connector, cart *oms.Object, call string, x hook.Exchange, failure string) *oms.Attempt {
	a := &oms.Attempt{
		ID: oms.NewIDAt(oms.AttemptID, x.StartedAt), Kind: oms.KindValidator, CallID: call, Number: 1, MaxNumber: 1,
		StartedAt: x.StartedAt, DurationMs: float64(x.Duration.Microseconds()) / 1000,
		URL: x.URL, Host: x.Host, Status: x.Status, Outcome: oms.OutcomeSucceeded, Error: failure,
		ConnectorID: c.ConnectorID, Related: oms.Related{CartID: cart.Text("id")}, Detail: x.Detail(),
	}
	if failure != "" {
		a.Outcome = oms.OutcomeFailed
	}
	return a
}
