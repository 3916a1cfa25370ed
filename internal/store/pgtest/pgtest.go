// Package pgtest brings PostgreSQL to tests: a cluster of its own for each test process,
// in a temporary folder, and a database in it for each test. It needs the server's
// programs on the machine, and no server that runs.
//
// The cluster writes without waiting for the disk (fsync is off): a test that kills a
// process, the server's own included, loses nothing by that, and the machine's power is
// none of a test's business.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"
)

// Run runs the tests of a package and removes the cluster that they made, if any: it is
// for the TestMain of a package whose tests call Database. A cluster that cannot be
// removed makes the tests fail, since it would be left on the machine.
func Run(m interface{ Run() int }) int {
	code := m.Run()
	if err := theCluster.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "the test's PostgreSQL:", err)
		code = max(code, 1)
	}
	return code
}

// Database makes a database for the time of a test and returns its URL. The first call of
// a process has it prepared, and the others get a copy of what that made of it, so all of a
// process have to prepare the same. The test is skipped where there is no PostgreSQL, or fails where CI=true.
func Database(tb testing.TB, prepare func(ctx context.Context, url string) error) (url string) {
	tb.Helper()
	c := Server(tb)
	name, err := c.create(prepare)
	if err != nil {
		tb.Fatal(err)
	}
	c.dropAfter(tb, name)
	return c.URL(name)
}

// Empty makes a database without a table for the time of a test and returns its URL. It is
// skipped, or fails, as with Database. It is for tests of what prepares a database.
func Empty(tb testing.TB) (url string) {
	tb.Helper()
	c := Server(tb)
	name, err := c.createFrom("template0")
	if err != nil {
		tb.Fatal(err)
	}
	c.dropAfter(tb, name)
	return c.URL(name)
}

// dropAfter removes a database at the end of the test, with whatever connections are
// left: a test that fails may leave some.
func (c *Cluster) dropAfter(tb testing.TB, name string) {
	tb.Cleanup(func() {
		if err := c.do(`DROP DATABASE ` + name + ` WITH (FORCE)`); err != nil {
			tb.Error(err)
		}
	})
}

// Lasting is Database for one that outlives the test: it goes with the cluster. It is for
// what several tests share, since it is costly to make.
func Lasting(tb testing.TB, prepare func(ctx context.Context, url string) error) (url string) {
	tb.Helper()
	c := Server(tb)
	name, err := c.create(prepare)
	if err != nil {
		tb.Fatal(err)
	}
	return c.URL(name)
}

// Server returns the cluster of the process, which is started if it does not run. The
// test is skipped, or fails, as with Database.
func Server(tb testing.TB) *Cluster {
	tb.Helper()
	err := theCluster.start()
	switch {
	case err == nil:
	case errors.Is(err, errNone) && os.Getenv("CI") != "true":
		tb.Skip(err)
	default:
		tb.Fatal(err)
	}
	return theCluster
}

// create makes a database as prepare leaves one.
func (c *Cluster) create(prepare func(context.Context, string) error) (name string, err error) {
	if err := c.prepared(prepare); err != nil {
		return "", err
	}
	return c.createFrom("prepared")
}

// prepared makes the database that the others are copies of: to copy its files is much
// quicker than to run all migrations for each test.
func (c *Cluster) prepared(prepare func(context.Context, string) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.template {
		return nil
	}
	if err := c.do(`CREATE DATABASE prepared`); err != nil {
		return err
	}
	if err := prepare(context.Background(), c.URL("prepared")); err != nil {
		return err
	}
	c.template = true
	return nil
}

// createFrom copies a database. That is done one after the other: nobody may be connected
// to what is copied.
func (c *Cluster) createFrom(template string) (name string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.databases++
	name = "test" + strconv.Itoa(c.databases)
	return name, c.do(`CREATE DATABASE ` + name + ` TEMPLATE ` + template)
}
