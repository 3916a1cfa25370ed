package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/app"
)

// remote is the flags of commands that ask a server that runs, by its API.
type remote struct {
	URL     string `name:"url" placeholder:"URL" help:"Address of a server that runs, as http://127.0.0.1:8080: it is asked through its API."`
	Key     string `name:"key" placeholder:"KEY" help:"API key for --url."`
	KeyFile string `name:"key-file" placeholder:"FILE" help:"File that holds the API key for --url, instead of --key."`
}

// remoteServer is a server that is asked by its API.
// It holds the key in the clear, so nothing may print it as a whole.
type remoteServer struct {
	// url has no slash at its end, since paths begin with one.
	url, key string
	client   http.Client
}

const (
	// remoteTime is how long a call may take: one that stores settings waits for nothing.
	// It bounds the whole call: a server that hangs must not hang the command.
	remoteTime = time.Minute
	// maxRemoteAnswer is how much of an answer is read: a page of a list has 8 MiB.
	// It is in bytes. The bound keeps a wrong server from filling the memory.
	maxRemoteAnswer = 32 << 20
)

// server returns the server that the flags name, nil if they name none. The authorities of
// caFile are trusted beside those of the system; "" adds none. No proxy of the environment is
// asked: it would be given the key.
func (r remote) server(caFile string) (*remoteServer, error) {
	// The key is read first, as a file that cannot be read is an error even without --url.
	key, err := secretOf("key", r.Key, r.KeyFile)
	if err != nil {
		return nil, err
	}
	if r.URL == "" && key == "" {
		return nil, nil
	}
	u, err := url.Parse(r.URL)
	switch {
	case r.URL == "":
		// A key without a server has no effect, and most likely the URL was forgotten.
		return nil, app.UserErrorf("--key is for a server: give its --url, too")
	// Paths are put behind the URL, so a query or a fragment in it would swallow them.
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, app.UserErrorf("--url must be the http or https address of a server, as http://127.0.0.1:8080")
	// It is sent in a header. The error must not repeat it, and a file of something else is a
	// likely reason.
	case strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		from := "--key"
		if r.KeyFile != "" {
			from = "--key-file: " + r.KeyFile
		}
		return nil, app.UserErrorf("%s holds no API key: a key has letters, digits and signs of ASCII alone, and is one line", from)
	case key == "":
		return nil, app.UserErrorf("--url needs a key: --key-file, or --key")
	}
	// The clone has the timeouts of the standard library, and changes nothing for other
	// clients.
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	if caFile != "" {
		roots, err := app.Authorities(caFile)
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	// A redirect is not followed: the key is for this server alone.
	return &remoteServer{url: strings.TrimSuffix(r.URL, "/"), key: key, client: http.Client{Transport: transport, Timeout: remoteTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

// close ends the connections that are idle. Nothing else of the server has to be closed.
func (r *remoteServer) close() { r.client.CloseIdleConnections() }

// Ask implements [app.Server]. No error repeats the key.
func (r *remoteServer) Ask(ctx context.Context, method, path string, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, r.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, app.UserErrorf("--url: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+r.key)
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return 0, nil, app.UserErrorf("the server cannot be asked: %w", err)
	}
	defer resp.Body.Close()
	// One byte more than allowed is read, so that a longer answer is noticed and not cut.
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxRemoteAnswer+1))
	switch {
	case err != nil:
		return 0, nil, app.UserErrorf("the answer of the server broke off: %w", err)
	case len(answer) > maxRemoteAnswer:
		return 0, nil, errors.New(fmt.Sprint("the answer of the server has more than ", maxRemoteAnswer, " bytes"))
	}
	// A status of an error is no error here: what it means depends on the path.
	return resp.StatusCode, answer, nil
}
