package app

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate is what the server shows to its callers: it can be replaced while the
// server runs, by a reload, or because its files have changed. Connections that are there
// keep the one that they began with.
type certificate struct {
	log *slog.Logger

	// mu guards the fields below. Nobody holds it while files are read, since new connections
	// need it.
	mu         sync.Mutex
	cert, key  string // the files
	pair       *pair
	triedCert  []byte // what was in the files when they were last read
	triedKey   []byte
	lookFailed bool // what they have is not usable, and pair is what they had before
}

// pair is a certificate with its key that can be served.
type pair struct {
	tls.Certificate
	cert, key []byte // as the files had them
}

// certificateEvery is how often the files are looked at. Programs that renew certificates
// do so days ahead.
const certificateEvery = time.Minute

// newCertificate reads a certificate and its key; it returns nil where neither is given.
func newCertificate(cert, key string, log *slog.Logger) (*certificate, error) {
	// Without a certificate the server speaks plain HTTP. A key alone was meant for something,
	// so it is an error.
	if err := wholePair(cert, key); err != nil || cert == "" {
		return nil, err
	}
	p, err := readPair(cert, key)
	if err != nil {
		return nil, err
	}
	c := &certificate{log: log}
	c.use(cert, key, p)
	return c, nil
}

// wholePair says what is missing where one file of the two is given.
func wholePair(cert, key string) error {
	switch {
	case cert != "" && key == "":
		return UserErrorf("--tls-cert needs --tls-key")
	case cert == "" && key != "":
		return UserErrorf("--tls-key needs --tls-cert")
	}
	return nil
}

// readPair reads the files. What is half written does not fit together, and is an error.
// With an error, p still has what could be read, so that look knows whether it was there
// before.
func readPair(cert, key string) (p *pair, err error) {
	p = &pair{}
	if p.cert, err = os.ReadFile(cert); err == nil {
		p.key, err = os.ReadFile(key)
	}
	if err == nil {
		p.Certificate, err = tls.X509KeyPair(p.cert, p.key)
	}
	if err != nil {
		return p, UserErrorf("the TLS certificate %s with the key %s: %w", cert, key, err)
	}
	return p, nil
}

// use shows a pair of these files from now on, and reports whether it is another one.
func (c *certificate) use(cert, key string, p *pair) (changed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed = c.pair == nil || !bytes.Equal(c.pair.cert, p.cert) || !bytes.Equal(c.pair.key, p.key)
	// What is shown counts as tried, so that look does not take the same files for new ones.
	c.cert, c.key, c.pair, c.triedCert, c.triedKey, c.lookFailed = cert, key, p, p.cert, p.key, false
	return changed
}

// look takes what the files have by now. What cannot be used is said once, and the pair
// from before is shown on.
func (c *certificate) look() {
	// The lock is given back before the read: a slow disk must not hold up new connections.
	c.mu.Lock()
	cert, key, shown := c.cert, c.key, c.pair
	c.mu.Unlock()
	p, err := readPair(cert, key)
	c.mu.Lock()
	defer c.mu.Unlock()
	// A reload may have shown another pair meanwhile, which is newer than what was read here.
	if c.pair != shown || bytes.Equal(p.cert, c.triedCert) && bytes.Equal(p.key, c.triedKey) {
		return
	}
	// This is noted for files that cannot be used, too, so that the log has one warning for
	// them.
	c.triedCert, c.triedKey, c.lookFailed = p.cert, p.key, err != nil
	if err == nil {
		c.pair = p
		c.log.Info("the TLS certificate was replaced, since its files have changed", "expires", p.Leaf.NotAfter.UTC())
		return
	}
	// A program may be writing the files just now. The next look then finds them whole.
	c.log.Warn("the TLS certificate has changed and cannot be used: the one from before stays", "error", err)
}

// watch looks at the files until stop is closed.
// The first look comes a minute after the start, because newCertificate has just read the
// files.
func (c *certificate) watch(stop <-chan struct{}) {
	tick := time.NewTicker(certificateEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.look()
		case <-stop:
			return
		}
	}
}

// config has connections show the pair that is in use when they begin.
// The function is asked once for each connection that begins, so a new pair needs no new
// listener.
func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		return &c.pair.Certificate, nil
	}}
}

// state says until when the pair is valid, and whether its files have something else that
// cannot be used.
// The metrics show both, so that somebody is warned before callers are refused.
func (c *certificate) state() (expires time.Time, failed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pair.Leaf.NotAfter, c.lookFailed
}
