package hook

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
)

// ErrURL is the failure of a request whose URL cannot be called.
var ErrURL = errors.New("invalid URL: it must be an absolute http or https URL")

// Request is what one attempt sends (CONTRACT.md, "Request" and "Event
// notifications").
type Request struct {
	// For is whose call it is, and whom it goes to: slots and memory are shared by
	// it. Slot is the slot that the caller has got for it, and gives back; nil: the
	// client waits for one.
	For  fair.Key
	Slot *fair.Part

	URL    string
	Header []settings.Header // custom headers, strongest first; see [HeaderAllowed]
	// Credentials, strongest first: BearerToken, Token, Username and Password,
	// what the URL holds. An Authorization in Header beats them all.
	BearerToken, Token, Username, Password string

	Body           []byte // JSON
	ID             string // the webhook-id that is signed; "": the IdempotencyKey
	IdempotencyKey string // the same for every attempt of one call; "" leaves the header out
	// Delivery is the attempt's number, from 1, of at most MaxDelivery. With 0
	// both headers are left out.
	Delivery, MaxDelivery int
	Attempt               int           // for X-Attempt, from 1; 0 leaves it out
	SigningSecret         string        // "whsec_" and base64, or any text; "": see Signer
	Signer                *Signer       // where there is no SigningSecret; nil signs nothing
	Trust                 *Trust        // how TLS is verified; nil: as the client does
	Timeout               time.Duration // of the whole attempt; 0: settings.DefaultTimeout
	// OneWay is for requests whose answer says no more than that they came: a
	// body that is not kept, and another [Exchange.Class].
	OneWay bool
}

// build makes the HTTP request, and names those of its headers whose values are secret.
func (r *Request) build(ctx context.Context, userAgent string, at time.Time) (*http.Request, []string, error) {
	u, ok := oms.ParseURL(r.URL)
	if !ok {
		return nil, nil, ErrURL // without the URL, which may hold secrets
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "", bytes.NewReader(r.Body))
	if err != nil {
		return nil, nil, err
	}
	req.URL, req.Host = u, u.Host
	h := r.headers(req.URL.User, userAgent)
	req.Header = h.Header
	err = r.sign(h, at)
	return req, h.secret, err
}
