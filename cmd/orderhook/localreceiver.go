package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/orderhook/orderhook/internal/listen"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/weburl"
)

// localReceiver is the receiver on this machine.
type localReceiver struct {
	url    string
	client *http.Client              // for events
	calls  *http.Client              // for calls, whose time the server says
	signer *standardwebhooks.Webhook // nil: requests are not signed
}

// newLocalClient returns a client that follows no redirect, as the server follows none.
func newLocalClient(timeout time.Duration) *http.Client {
	return &http.Client{Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// post hands on an event, as a delivery would. The status is 0 where no answer came.
func (r *localReceiver) post(ctx context.Context, e listen.Event) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(e.Body))
	if err != nil {
		return 0, err
	}
	h, now := req.Header, time.Now()
	h.Set("Content-Type", "application/json")
	h.Set("Accept", "application/json")
	h.Set("User-Agent", outbound.DefaultUserAgent(versionText()))
	h.Set("X-Attempt", "1")
	h.Set("Webhook-Id", e.WebhookID)
	h.Set("Webhook-Timestamp", fmt.Sprint(now.Unix()))
	if e.Position != "" {
		h.Set("Webhook-Position", e.Position)
		h.Set("Webhook-Previous-Position", e.Previous)
	}
	if r.signer != nil {
		signature, err := r.signer.Sign(e.WebhookID, now, e.Body)
		if err != nil {
			return 0, err
		}
		h.Set("Webhook-Signature", signature)
	}
	resp, err := r.client.Do(req)
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		wrapped.URL = weburl.PublicURL(r.url) // its query and its user may be secrets
	}
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, maxRemoteAnswer))
	return resp.StatusCode, err
}

// acknowledges reports whether a status acknowledges an event, as it does to the server.
func acknowledges(status int) bool {
	return status == http.StatusOK || status == http.StatusCreated || status == http.StatusAccepted || status == http.StatusNoContent
}

// call hands on a call, as the server would have sent it to the endpoint, and returns the
// answer. One that is larger than the server takes is cut where it notices that.
func (r *localReceiver) call(ctx context.Context, c *listen.Call) listen.Answer {
	failed := func(err error) listen.Answer {
		if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
			err = wrapped.Err // without the URL, which is this machine's business
		}
		text := oneLine(err)
		return listen.Answer{Error: text[:min(len(text), mostCallError)]}
	}
	body, err := c.Bytes()
	if err != nil {
		return failed(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return failed(err)
	}
	for name, value := range c.Headers {
		req.Header.Set(name, value)
	}
	resp, err := r.calls.Do(req)
	if err != nil {
		return failed(err)
	}
	defer resp.Body.Close()
	a := listen.Answer{Status: resp.StatusCode, Headers: map[string]string{}}
	for name, values := range resp.Header {
		a.Headers[name] = strings.Join(values, ", ")
	}
	if a.Body, err = io.ReadAll(io.LimitReader(resp.Body, outbound.MaxBody+1)); err != nil {
		return failed(err)
	}
	return a
}

// mostCallError is how many bytes of an error go to the server, which takes 200.
const mostCallError = 200
