package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"

	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/weburl"
)

// Own returns the certificate that is shown to the server, nil if none is.
// A nil Trust shows none, too. The private key stays in the Trust.
func (t *Trust) Own() *x509.Certificate {
	if t == nil || t.own == nil {
		return nil
	}
	return t.own.Leaf
}

// CertificateOf asks the server of an https URL for its certificate, and sends it nothing. The
// guard decides whether it may be asked. The certificate is not verified: that is for the
// requests to do, which know whom they trust.
// It dials the server directly, even if requests go through a proxy. resolver is as in
// [Options].
func (g Guard) CertificateOf(ctx context.Context, resolver *net.Resolver, u *url.URL) (*x509.Certificate, error) {
	port := u.Port()
	if port == "" {
		port = "443"
	}
	// A server that accepts the connection and then sends nothing must not hold the caller
	// for longer than setupTimeout.
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	conn, err := g.dial(ctx, resolver, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	// Verification is off on purpose: a certificate that has expired is one that the
	// caller wants to see, too. No secret goes over this connection.
	shown := tls.Client(conn, &tls.Config{ServerName: u.Hostname(), InsecureSkipVerify: true})
	if err := shown.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("no TLS connection comes about: %w", err)
	}
	// After a handshake that succeeded there is at least one certificate. The first is
	// that of the server itself.
	return shown.ConnectionState().PeerCertificates[0], nil
}

// CheckSecret says why a stored secret would not be sent to a URL, nil if it would be.
// A zero Value passes, for then there is nothing to send. Where the database cannot be
// read, the error is [ErrUnread], which says nothing about the secret.
func (c *Client) CheckSecret(ctx context.Context, tenant, to, place string, v secret.Value) error {
	// Nothing is called here, so no host is needed. since is 0, so a secret that
	// was taken out of the settings counts as retired.
	o := &requestSecrets{secretCache: &c.secrets, ctx: ctx, tenant: tenant, origin: weburl.URLOrigin(to)}
	o.text(place, v)
	return o.err
}
