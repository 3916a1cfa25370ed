package outbound

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/secret"
)

// ErrURL is the failure of a request whose URL cannot be called.
var ErrURL = errors.New("invalid URL: it must be an absolute http or https URL")

// Request is what one attempt sends (docs/contract.md#headers and
// docs/contract.md#delivery). The functions of target.go make it. Secrets are references in
// it: the client opens them when it sends the request, and for nothing else.
type Request struct {
	// For is whose call it is, and so whose secrets it may have, and whom it goes to:
	// slots and memory are shared by both. Slot is the slot that the caller has got
	// for it, and gives back; nil: the client waits for one.
	For  fair.Key
	Slot *fair.Part

	URL    string
	Header []event.Header // custom headers, strongest first; see [HeaderAllowed]
	// Given are further custom headers, of a caller who has their values in
	// the clear, as a command that was given them. They are masked as the others are.
	Given     []GivenHeader
	UserAgent string // "": that of the client
	// Credentials, strongest first: BearerToken, Token, Username and Password,
	// what the URL holds. An Authorization in Header beats them all.
	BearerToken, Token secret.Value
	Username           string
	Password           secret.Value

	Body           []byte // JSON
	ID             string // the webhook-id that is signed; "": the IdempotencyKey
	IdempotencyKey string // the same for every attempt of one call; "" leaves the header out
	Kind           string // of its attempt, as in [attempt.Attempt], for those who count them
	// Delivery is the attempt's number, from 1, of at most MaxDelivery. With 0
	// both headers are left out.
	Delivery, MaxDelivery int
	Shadow                bool           // it is that of a shadow step, and says so in X-Shadow
	About                 About          // for the span of the attempt, where spans are made
	Attempt               int            // for X-Attempt, from 1; 0 leaves it out
	Place                 *event.Place   // in the endpoint's feed; nil: it has none
	SigningSecret         secret.Value   // of a connector: "whsec_" and base64, or any text
	SigningKeys           []secret.Value // of an endpoint, as in [NewSigner]
	Signer                *Signer        // where there are neither; nil signs nothing
	// Since is the version of the settings that was in force when the run that makes
	// the call began, or that the request was made of: what was removed from them
	// since is still its own. 0: it has nothing of them.
	Since   int64
	Trust   *Trust             // how TLS is verified; nil: as TLS says
	TLS     *event.EndpointTLS // of an endpoint, which must not be changed; nil: as the client does
	Timeout time.Duration      // of the whole attempt; 0: event.DefaultTimeout
	// Carrier takes the request elsewhere than to URL; nil: nobody does. See [Request.ByCarrier].
	Carrier Carrier
	// OneWay is for requests whose answer says no more than that they came: a
	// body that is not retained, and another [Exchange.Class].
	OneWay bool
	// BreaksOff has the body break off in the middle, as that of a caller who is gone: a
	// question to an endpoint under test, never a call.
	BreaksOff bool
}

// GivenHeader is a header with its value in the clear.
type GivenHeader struct{ Name, Value string }

// About is what a request is about, as its span says it. It says nothing that leads
// to what is sent.
type About struct{ OrderID, RunID, Step, EventID, EventType, EndpointID string }

// Carries reports whether a request is to carry a secret, or to be signed with it.
func (r *Request) Carries(v secret.Value) bool {
	return slices.Contains([]secret.Value{r.BearerToken, r.Token, r.Password, r.SigningSecret}, v) ||
		slices.Contains(r.SigningKeys, v) || r.TLS != nil && r.TLS.Key == v ||
		slices.ContainsFunc(r.Header, func(h event.Header) bool { return h.Value == v })
}

// build makes the message, which names those of its headers whose values are secret.
// Secrets are opened here and nowhere else, into a request that is sent at once.
func (c *Client) build(ctx context.Context, r *Request, at time.Time) (*message, error) {
	to, ok := c.known.get(r.URL)
	if !ok {
		return nil, ErrURL // without the URL, which may hold secrets
	}
	// A secret opens for the tenant and the origin of this request alone, and only if it
	// was not removed by then.
	o := &requestSecrets{secretCache: &c.secrets, ctx: ctx, tenant: r.For.Tenant, host: to.url.Host, origin: to.origin, since: r.Since}
	open, err := o.openCredentials(r)
	if err != nil {
		// Without one of its secrets it would be another request, so there is none.
		return nil, err
	}
	if r.TLS != nil && r.Trust == nil {
		if r.Trust, err = c.trust(r.TLS, open.tlsKey); err != nil {
			return nil, err
		}
	}
	for _, given := range r.Given {
		open.header = append(open.header, plainHeader{given.Name, given.Value})
	}
	h := r.headers(ctx, &open, to.url.User, cmp.Or(r.UserAgent, c.userAgent))
	// The signature covers the ids and the body, and comes last.
	r.sign(h, open.signer, at)
	m := &message{to: to, header: h, body: r.Body, breaksOff: r.BreaksOff}
	if open.signer != nil {
		m.signing = open.signer.forms
	}
	return m, nil
}
