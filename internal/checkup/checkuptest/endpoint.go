// Package checkuptest is endpoints for the tests of the check of endpoints: a good one of
// each kind, and what endpoints get wrong, one habit at a time.
package checkuptest

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Secret signs the calls that an [Endpoint] takes.
const Secret = "whsec_c2l4dGVlbiBieXRlcyBhbmQgYSBoYWxmIG9mIHRoZW0="

// Call is a call as an endpoint sees it.
type Call struct {
	*http.Request
	Body []byte
	Sent map[string]any // all of the body
}

// Order is the order that a step was sent, the cart, or what an event is about.
func (c Call) Order() map[string]any {
	for _, name := range []string{"Value", "data"} {
		if of, ok := c.Sent[name].(map[string]any); ok {
			return of
		}
	}
	return c.Sent
}

// Endpoint is a good one: it verifies, answers a repeated key as it did before, and takes
// whatever comes. Each part of it may be replaced by one with a bad habit, before it
// serves.
type Endpoint struct {
	Verify   func(Call) bool
	Repeated func(w http.ResponseWriter, first string)
	Answer   func(Call) string                    // the body
	Before   func(http.ResponseWriter, Call) bool // true: it has answered
	Header   func(http.Header)
	Broken   func() // a body broke off

	mu       sync.Mutex
	answered map[string]string
}

// New returns a good endpoint for a kind of calls: step, return, validator or event.
func New(kind string) *Endpoint {
	answers := map[string]string{
		"step":      `{"OrderActionExecutionResults":[{"ActionStatus":"Success"}],"OrderPatch":{"Tags":["checked"],"Properties":[{"Key":"Score","Value":"95"}]}}`,
		"return":    `{"OrderActionExecutionResults":[{"ActionStatus":"Success"}],"OrderPatch":{"Tags":["refunded"]}}`,
		"validator": `{"isValidatedSuccessful":true,"value":{"tags":["validated"]}}`,
		"event":     `{}`,
	}
	return &Endpoint{
		Verify: Verified, answered: map[string]string{}, Answer: func(Call) string { return answers[kind] },
		Repeated: func(w http.ResponseWriter, first string) { fmt.Fprint(w, first) }, Header: func(http.Header) {},
		Before: func(http.ResponseWriter, Call) bool { return false }, Broken: func() {},
	}
}

// Verified reports whether a call was signed with the secret, in the last five minutes.
func Verified(c Call) bool {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(Secret, "whsec_"))
	at, err := strconv.ParseInt(c.Header.Get("Webhook-Timestamp"), 10, 64)
	if err != nil || time.Since(time.Unix(at, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.%s", c.Header.Get("Webhook-Id"), at, c.Body)
	return c.Header.Get("Webhook-Signature") == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// ServeHTTP implements http.Handler.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		e.Broken()
		panic(http.ErrAbortHandler)
	}
	c := Call{Request: r, Body: body}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&c.Sent) != nil {
		http.Error(w, "no JSON", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	e.Header(w.Header())
	if e.Before(w, c) {
		return
	}
	if !e.Verify(c) {
		http.Error(w, "wrong signature", http.StatusUnauthorized)
		return
	}
	key := cmp.Or(r.Header.Get("Webhook-Id"), r.Header.Get("Idempotency-Key"))
	e.mu.Lock()
	first, again := e.answered[key]
	e.mu.Unlock()
	if again {
		e.Repeated(w, first)
		return
	}
	text := e.Answer(c)
	e.mu.Lock()
	e.answered[key] = text
	e.mu.Unlock()
	fmt.Fprint(w, text)
}
