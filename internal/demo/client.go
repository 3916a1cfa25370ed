package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// client calls orderhook's API as any other program would. It has no way into the server
// but this one, so whatever the demo shows, a reader of the documents can do, too.
type client struct {
	url, key string
	http     *http.Client
}

// newClient makes a client with connections of its own, which close ends. The time-out is
// longer than any workflow of the demo takes.
func newClient(url, key string) *client {
	return &client{url: url, key: key, http: &http.Client{Transport: &http.Transport{}, Timeout: 2 * time.Minute}}
}

// close closes the connections that are idle, so that the server can stop at once.
func (c *client) close() { c.http.CloseIdleConnections() }

// answer is how a call went. The demo prints both.
type answer struct {
	status int
	took   time.Duration
}

// call makes a call and reads the answer into `into`. What is no 2xx is an error. The
// error has what the server said, since that names what is wrong.
func (c *client) call(ctx context.Context, method, path string, body []byte, into any) (a answer, err error) {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	// It is the admin key that the server has made at its start.
	req.Header.Set("Authorization", "Bearer "+c.key)
	began := time.Now()
	resp, err := c.http.Do(req)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return a, err
	}
	a = answer{resp.StatusCode, time.Since(began)}
	// The demo ends with the first error: what follows would make no sense.
	if resp.StatusCode/100 != 2 {
		return a, fmt.Errorf("%s %s was answered with %d: %s", method, path, resp.StatusCode, data)
	}
	return a, json.Unmarshal(data, into)
}

// get reads something whose status and time nobody prints.
func (c *client) get(ctx context.Context, path string, into any) error {
	_, err := c.call(ctx, http.MethodGet, path, nil, into)
	return err
}
