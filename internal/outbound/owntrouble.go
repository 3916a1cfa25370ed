package outbound

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// OwnTroubleError is why an attempt could not be made, or its answer not be read, that
// is no fault of the endpoint's: this server has run out of something. It uses up no
// attempt (docs/contract.md#outcomes).
type OwnTroubleError string

// Error implements error.
func (t OwnTroubleError) Error() string { return "this server's own trouble: " + string(t) }

// errNoMemory is that of an answer that had to wait for memory until its time was over.
const errNoMemory = OwnTroubleError("the answer waited for memory until the timeout, as --max-answer-bytes-in-flight has it")

// AfterOwnTrouble returns how long whoever asked for an attempt waits before it asks again,
// after this server ran out of something, such as file descriptors: from one to two seconds.
// The wait is random, so that those who were put off together do not come back together
// (docs/contract.md#outcomes).
func AfterOwnTrouble() time.Duration { return time.Second + rand.N(time.Second) }

// exhausted are the errors of a system call that had too little of what all of the
// process, or of the machine, share.
var exhausted = []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS}

// ownTroubleIn returns what this server has run out of where that is why err was
// met, "" where it is not; connected says whether there was a connection. Anything else may
// be the endpoint's.
func ownTroubleIn(err error, connected bool) OwnTroubleError {
	if own, ok := errors.AsType[OwnTroubleError](err); ok {
		return own
	}
	if own, ok := errors.AsType[OwnTroubleError](socksFailure(err)); ok {
		return own
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		if slices.Contains(exhausted, errno) || errno == syscall.EADDRNOTAVAIL && noPortLeft(err) {
			return OwnTroubleError(errno.Error())
		}
	}
	// A resolver that found no descriptor says so in words alone.
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		for _, errno := range exhausted { // it has the text alone
			if strings.Contains(dns.Err, errno.Error()) {
				return OwnTroubleError(errno.Error())
			}
		}
	}
	// There was a connection, and so a descriptor for it.
	if connected {
		return ""
	}
	return noDescriptor()
}

// noPortLeft reports whether a dial found no free port of this machine's. With IPv6
// the same error may mean that the machine has no IPv6, and that does not pass.
func noPortLeft(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Addr == nil {
		return false
	}
	to, err := netip.ParseAddrPort(op.Addr.String())
	return err == nil && to.Addr().Unmap().Is4() && to.Port() != 0
}

// noDescriptor looks whether there are descriptors. For want of them a resolver that
// cannot read /etc/hosts finds no such host, or goes on trying.
func noDescriptor() OwnTroubleError {
	probe, err := os.Open(os.DevNull)
	if err == nil {
		_ = probe.Close()
		return ""
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok && slices.Contains(exhausted, errno) {
		return OwnTroubleError(errno.Error())
	}
	return ""
}
