package outbound

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
)

// ErrCanceled is the failure of an attempt whose caller went away: its context
// ended before the answer was read. Nothing is known of the endpoint then.
var ErrCanceled = errors.New("canceled before the answer came")

// ErrBrokenOff is the failure of a request that was to break off ([Request.BreaksOff]).
var ErrBrokenOff = errors.New("broken off in the middle of the body, on purpose")

// failure is why no whole answer came, in words that are the same each time.
// It never quotes the error beneath: that may hold what the endpoint sent,
// which may be what orderhook sent, secrets and all. So the same failure is the same text
// in lists and logs.
type failure string

// TimedOutAfter begins the error of an attempt that had no answer in the time that it was
// given, which follows as package time writes durations.
const TimedOutAfter = "timed out after "

// Error implements error.
func (f failure) Error() string { return string(f) }

// errTooLarge is the failure of a one-way request whose answer has more than [MaxBody].
const errTooLarge = failure("response larger than 5 MiB")

// unsendable returns the part of err that says why the request cannot be sent
// at all, nil if there is none. Such a request was never sent, and would not be the next
// time.
// The caller gives up at once for such an error, instead of trying again.
func unsendable(err error) error {
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		return refused
	}
	if refused, ok := errors.AsType[*SecretError](err); ok {
		return refused
	}
	if wrong, ok := errors.AsType[*TrustError](err); ok {
		return wrong
	}
	if recorded, ok := errors.AsType[NotSentError](err); ok {
		return recorded
	}
	for _, known := range []error{ErrURL, ErrSecret} {
		if errors.Is(err, known) {
			return known
		}
	}
	return nil
}

// NotSentError is the failure of a request that was not sent, and would not be the next time,
// as the record of its attempt has it.
type NotSentError string

// Error implements error.
func (e NotSentError) Error() string { return string(e) }

// notSent is how the texts begin of the failures that [unsendable] finds.
var notSent = []string{"refused by the target guard: ", "the secret of ", "ca: ", "certificate: ", "key: ", ErrURL.Error(), ErrSecret.Error()}

// WasNotSent reports whether the failure that an attempt recorded says that its request was
// not sent, and would not be the next time.
func WasNotSent(failure string) bool {
	return slices.ContainsFunc(notSent, func(begins string) bool { return strings.HasPrefix(failure, begins) })
}

// networkFailure returns what err, met while sending or reading, is called. What this
// server itself lacks was found before.
func networkFailure(err error, w wire) failure {
	if known, ok := errors.AsType[failure](err); ok {
		return known
	}
	if f, ok := errors.AsType[failure](socksFailure(err)); ok {
		return f
	}
	// The order matters: an error of a look-up may also be a timeout, and an error of a
	// socket may also be one of TLS. The narrower word is asked for first.
	if text := resolveText(err); text != "" {
		return failure(text)
	}
	if text := socketText(err); text != "" {
		return failure(text)
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return "connection timed out"
	}
	if text := tlsText(err, w.tlsFailed); text != "" {
		return failure("TLS: " + text)
	}
	return failure(protocolText(err, w))
}

// resolveText says why a name led to no address; "" if that is not what went wrong.
func resolveText(err error) string {
	dns, ok := errors.AsType[*net.DNSError](err)
	switch {
	case !ok:
		return ""
	case dns.IsNotFound:
		return "no such host"
	case dns.IsTimeout:
		return "timed out resolving the host name"
	}
	return "cannot resolve the host name"
}

// socketText says what the system reports of a connection; "" if it reports nothing.
func socketText(err error) string {
	errno, ok := errors.AsType[syscall.Errno](err)
	switch {
	case !ok:
		return ""
	case errno == syscall.ECONNRESET, errno == syscall.EPIPE, errno == syscall.ECONNABORTED:
		return "connection reset"
	case errno == syscall.ETIMEDOUT:
		return "connection timed out"
	}
	return errno.Error() // the system's words: "connection refused", "no route to host"
}

// tlsText returns crypto/tls's words, which hold nothing that was sent inside
// the connection, without what changes from one attempt to the next.
func tlsText(err error, handshakeFailed bool) string {
	text := err.Error()
	remote, ok := errors.AsType[*net.OpError](err)
	switch {
	case speaksHTTP(err):
		return "the server answers in plain HTTP"
	case ok && remote.Op == "remote error": // the other side's word, which may come after the handshake
		text = remote.Err.Error()
	case !handshakeFailed:
		return ""
	case errors.Is(err, io.EOF):
		return "connection closed during the handshake"
	}
	for _, prefix := range []string{"tls: ", "failed to verify certificate: ", "x509: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	// The present time would make each attempt's text another one, and the list of
	// failures could not group them.
	text, _, _ = strings.Cut(text, ": current time ")
	text, _, _ = strings.Cut(text, " (possibly because of ")
	return text
}

// speaksHTTP reports whether a handshake was answered with an HTTP response,
// as by a server without TLS.
// It needs a word of its own, since the usual cause is https in place of http in the URL.
func speaksHTTP(err error) bool {
	header, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok && string(header.RecordHeader[:]) == "HTTP/"
}

// protocolText is for errors that net/http gives no type: how far the attempt
// came tells most of them apart. Where nothing more is known, the answer was no HTTP.
func protocolText(err error, w wire) string {
	text := err.Error()
	switch {
	case strings.Contains(text, "server response headers exceeded"), strings.Contains(text, "response header list larger"):
		return "response headers over 64 KiB"
	case strings.HasPrefix(text, "stream error: "), strings.HasPrefix(text, "connection error: "), strings.HasPrefix(text, "http2: "):
		return "HTTP/2 exchange broken off"
	case w.remoteAddr == nil:
		return "cannot connect"
	case !w.answering:
		return "connection closed without an answer"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "connection closed before the whole answer came"
	}
	return "invalid HTTP response"
}
