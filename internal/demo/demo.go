// Package demo shows orderhook at work: a real server on a temporary database, endpoints
// of its own on real HTTP, and orders that are posted through the API. All that it prints
// is read from the server's answers.
//
// It is for whoever sees orderhook for the first time, and is also a test of the whole:
// if a step of it does not work, it ends with an error. It uses package app to start the
// server, and the API for everything else. The endpoints (enrich.go, fraud.go, erp.go,
// warehouse.go) are examples of what an integrator writes, so they use the public
// interfaces alone.
//
// show.go has the order of things; settings.json and orders/ are what is sent.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/orderhook/orderhook/internal/app"
)

// Options of a demo. Out is needed. Where Listen is given and taken, the demo ends with
// an error: somebody wanted that very port.
type Options struct {
	Once    bool   // end after the last order; otherwise stay up until the context ends
	Listen  string // "": 127.0.0.1:8080, or any free port if that is taken
	Version string // of orderhook
	Out     io.Writer
}

// stopTime is how long the server may take to stop. The orders have ended by then, so it
// needs next to none of it.
const stopTime = 10 * time.Second

// Run runs the demo. It returns nil once it is through, or once ctx has ended
// it; the database is gone then. Everything that it starts it stops in reverse: the
// server first, which may still have something to send, and then the endpoints.
func Run(ctx context.Context, o Options) (err error) {
	dir, err := os.MkdirTemp("", "orderhook-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	sites, err := startEndpoints(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sites.close()) }()
	server, err := startServer(ctx, o, filepath.Join(dir, "demo.db"))
	if err != nil {
		return err
	}
	defer func() {
		// ctx may have ended, and the server needs time to stop all the same.
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		err = errors.Join(err, server.Stop(last))
	}()

	s := &show{paper: newPaper(o.Out), api: newClient(server.URL, server.NewKey), sites: sites}
	defer s.api.close()
	if err := s.run(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // Ctrl-C before the last order
		}
		return err
	}
	if o.Once {
		return s.paper.err
	}
	s.stayUp()
	select {
	case <-ctx.Done():
		return s.paper.err
	case err := <-server.Failed:
		return fmt.Errorf("the server ended: %w", err)
	}
}

// startServer starts the server that `serve` would, on a port that is free. The usual
// port comes first, since the documents name it.
func startServer(ctx context.Context, o Options, database string) (*app.App, error) {
	ao := app.Options{Listen: o.Listen, Database: database, Version: o.Version}
	if ao.Listen != "" {
		return app.Start(ctx, ao)
	}
	ao.Listen = "127.0.0.1:8080"
	server, err := app.Start(ctx, ao)
	if errors.Is(err, syscall.EADDRINUSE) {
		ao.Listen = "127.0.0.1:0"
		return app.Start(ctx, ao)
	}
	return server, err
}
