package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// bench is what the measurements share.
type bench struct {
	url    string // of the server
	target string // URL of the endpoint
	budget time.Duration
	quick  bool
	client *http.Client
}

// newClient keeps as many connections as the largest measurement has callers.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}}
}

// post makes a POST and fails unless it is answered with the status.
func (b *bench) post(ctx context.Context, url, body string, want int) error {
	return b.call(ctx, http.MethodPost, url, body, want)
}

func (b *bench) call(ctx context.Context, method, url, body string, want int) error {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := b.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != want {
		err = fmt.Errorf("%s %s answered %d: %.300s", method, url, resp.StatusCode, answer)
	}
	return err
}
