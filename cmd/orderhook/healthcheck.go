package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/app"
)

// healthcheck asks the server beside it how it is. An image that holds nothing but
// orderhook has no other program that could.
type healthcheck struct {
	Config  string   `placeholder:"FILE" help:"Config file of the server. Without it ${defaultConfig} is read if it is there."`
	Listen  string   `default:"127.0.0.1:8080" help:"Address and port that the server listens on, as serve has it."`
	TLSCert string   `name:"tls-cert" placeholder:"FILE" help:"Certificate that the server has: it is asked over HTTPS."`
	Live    bool     `help:"Asks only whether the process is alive, not whether it takes requests."`
	Timeout duration `default:"PT10S" help:"How long the answer may take."`
}

// maxHealthAnswer is how much of an answer is read, in bytes: it is one line.
const maxHealthAnswer = 4 << 10

// Run implements a kong command. An error means that the server is not well. It uses a
// plain client of its own, and not internal/outbound: nothing is recorded, signed, or
// guarded here. Redirects and proxies would lead it to something else than the server.
func (c *healthcheck) Run(s *session) error {
	at, err := c.url()
	if err != nil {
		return err
	}
	// The time is for the whole question, connecting included.
	ctx, cancel := context.WithTimeout(s.ctx, time.Duration(c.Timeout))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return err
	}
	// The certificate is not checked: it is for the name that callers use, and this is
	// another address of the same machine. Nothing secret goes there or comes back.
	client := http.Client{Transport: &http.Transport{Proxy: nil, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return healthError(err, time.Duration(c.Timeout))
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxHealthAnswer))
	if err != nil {
		return healthError(err, time.Duration(c.Timeout))
	}
	// The text of the server says what it waits for, or what is wrong.
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d: %s", at, resp.StatusCode, strings.TrimSpace(string(text)))
	}
	fmt.Fprint(s.out, string(text))
	return nil
}

// healthError says why the server could not be asked. The text has the time that was
// given, since the answer to most of them is to give more.
func healthError(err error, timeout time.Duration) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the server does not answer within %s", timeout)
	}
	return fmt.Errorf("the server cannot be asked: %w", err)
}

// url is where the server is asked. One that listens on all addresses is asked on
// loopback. The flags have the names and defaults of `serve`, so that the same variables
// and config file serve both.
func (c *healthcheck) url() (string, error) {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return "", app.UserErrorf("--listen: %w", err)
	}
	if port == "0" {
		return "", app.UserErrorf("--listen: the server takes any free port with port 0, so nobody can know where to ask it")
	}
	// These stand for all addresses of the machine. Others are asked as they are.
	switch host {
	case "", "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	// /readyz says whether the server takes requests, /healthz only that the process
	// answers.
	scheme, path := "http", "/readyz"
	if c.TLSCert != "" {
		scheme = "https"
	}
	if c.Live {
		path = "/healthz"
	}
	return scheme + "://" + net.JoinHostPort(host, port) + path, nil
}
