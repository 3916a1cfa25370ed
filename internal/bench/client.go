package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/app"
)

// bench is what the parts of a measurement share. There is one for each measurement. A
// measurement with a server of its own makes a copy with another URL.
type bench struct {
	server   *app.App // in this process
	url      string   // of it
	target   string   // URL of the endpoint
	engine   engine
	database *database // of the server
	budget   time.Duration
	scale    float64 // of what has a fixed size, at most 1
	folder   string  // where files may be put
	client   *http.Client
}

// of is how many of n there are in this run. There is always one at least, so that even
// the smallest run does everything once.
func (b *bench) of(n int) int { return max(1, int(float64(n)*b.scale)) }

// newClient keeps as many connections as the largest measurement has callers. Answers are
// not compressed, since that would be measured, too.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}}
}

// post makes a POST and fails unless it is answered with the status.
func (b *bench) post(ctx context.Context, url, body string, want int) error {
	return b.call(ctx, http.MethodPost, url, body, want)
}

// call makes a request and fails unless it is answered with the status.
func (b *bench) call(ctx context.Context, method, url, body string, want int) error {
	_, err := b.ask(ctx, method, url, body, want)
	return err
}

// get reads an answer's JSON.
func (b *bench) get(ctx context.Context, url string, into any) error {
	answer, err := b.ask(ctx, http.MethodGet, url, "", http.StatusOK)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, into)
}

// ask makes a request with the key of the server, and returns the body of the answer. Any
// other status than the one that is wanted is an error, with the beginning of what was
// answered.
func (b *bench) ask(ctx context.Context, method, url, body string, want int) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := b.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != want {
		err = fmt.Errorf("%s %s answered %d: %.300s", method, url, resp.StatusCode, answer)
	}
	return answer, err
}

// send sends an event to its endpoint with nothing around it, as the bare client
// that servers are measured against. It has no key, and nothing that a server would add.
func (b *bench) send(ctx context.Context, c *http.Client, url, id, body string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	// A receiver finds the id of an event in this header, so the bare client sends it,
	// too.
	req.Header.Set("Webhook-Id", id)
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusNoContent {
		err = fmt.Errorf("the sink answered %d", resp.StatusCode)
	}
	// The body is read to its end, or the connection could not be used again.
	_, _ = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}
