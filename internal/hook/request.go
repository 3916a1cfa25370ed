package hook

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
)

// ErrURL is the failure of a request whose URL cannot be called.
var ErrURL = errors.New("invalid URL: it must be an absolute http or https URL")

// Request is what one attempt sends (CONTRACT.md, "Request" and "Event
// notifications").
type Request struct {
	// For is whose call it is, and so whose secrets it may have, and whom it goes to:
	// slots and memory are shared by both. Slot is the slot that the caller has got
	// for it, and gives back; nil: the client waits for one.
	For  fair.Key
	Slot *fair.Part

	URL    string
	Header []oms.Header // custom headers, strongest first; see [HeaderAllowed]
	// Credentials, strongest first: BearerToken, Token, Username and Password,
	// what the URL holds. An Authorization in Header beats them all.
	BearerToken, Token secret.Value
	Username           string
	Password           secret.Value

	Body           []byte // JSON
	ID             string // the webhook-id that is signed; "": the IdempotencyKey
	IdempotencyKey string // the same for every attempt of one call; "" leaves the header out
	// Delivery is the attempt's number, from 1, of at most MaxDelivery. With 0
	// both headers are left out.
	Delivery, MaxDelivery int
	Attempt               int            // for X-Attempt, from 1; 0 leaves it out
	SigningSecret         secret.Value   // of a connector: "whsec_" and base64, or any text
	SigningKeys           []secret.Value // of an endpoint, as of [NewSigner]
	Signer                *Signer        // where there are neither; nil signs nothing
	// Since is the version of the settings that was in force when the run that makes
	// the call began, or that the request was made of: what was removed from them
	// since is still its own. 0: it has nothing of them.
	Since   int64
	Trust   *Trust           // how TLS is verified; nil: as TLS says
	TLS     *oms.EndpointTLS // of an endpoint, which must not be changed; nil: as the client does
	Timeout time.Duration    // of the whole attempt; 0: settings.DefaultTimeout
	// OneWay is for requests whose answer says no more than that they came: a
	// body that is not kept, and another [Exchange.Class].
	OneWay bool
}

// Carries reports whether a request is to carry a secret, or to be signed with it.
func (r *Request) Carries(v secret.Value) bool {
	return slices.Contains([]secret.Value{r.BearerToken, r.Token, r.Password, r.SigningSecret}, v) ||
		slices.Contains(r.SigningKeys, v) || r.TLS != nil && r.TLS.Key == v ||
		slices.ContainsFunc(r.Header, func(h oms.Header) bool { return h.Value == v })
}

// build makes the HTTP request, and names those of its headers whose values are secret.
func (c *Client) build(ctx context.Context, r *Request, at time.Time) (*http.Request, []string, error) {
	u, ok := oms.ParseURL(r.URL)
	if !ok {
		return nil, nil, ErrURL // without the URL, which may hold secrets
	}
	o := &opening{vault: &c.secrets, ctx: ctx, tenant: r.For.Tenant, host: u.Host, origin: oms.OriginOf(u), since: r.Since}
	open, err := o.credentials(r)
	if err != nil {
		return nil, nil, err
	}
	if r.TLS != nil && r.Trust == nil {
		if r.Trust, err = c.trust(r.TLS, open.tlsKey); err != nil {
			return nil, nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "", bytes.NewReader(r.Body))
	if err != nil {
		return nil, nil, err
	}
	req.URL, req.Host = u, u.Host
	h := r.headers(&open, req.URL.User, c.userAgent)
	req.Header = h.Header
	r.sign(h, open.signer, at)
	return req, h.secret, nil
}
