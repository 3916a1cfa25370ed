package hook

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
)

// ownTrouble is why an attempt could not be made, or its answer not be read, that
// is no fault of the endpoint's: this server has run out of something.
type ownTrouble string

func (t ownTrouble) Error() string { return "this server's own trouble: " + string(t) }

// errNoMemory is that of an answer that had to wait for memory until its time was over.
const errNoMemory = ownTrouble("the answer waited for memory until the timeout, as --max-answer-bytes-in-flight has it")

// isOwnTrouble reports whether the failure of an attempt is this server's own.
func isOwnTrouble(err error) bool {
	_, own := errors.AsType[ownTrouble](err)
	return own
}

// exhausted are the errors of a system call that had too little of what all of the
// process, or of the machine, share.
var exhausted = []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS}

// ownTroubleIn returns what this server has run out of where that is why err was met,
// "" where it is not.
func ownTroubleIn(err error) ownTrouble {
	if own, ok := errors.AsType[ownTrouble](err); ok {
		return own
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return ownTroubleResolving(dns)
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		if slices.Contains(exhausted, errno) || errno == syscall.EADDRNOTAVAIL && noPortLeft(err) {
			return ownTrouble(errno.Error())
		}
	}
	return ""
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

// ownTroubleResolving is ownTroubleIn for a name that could not be resolved. The
// resolver tells of a lack of descriptors by its text, or not at all: without
// /etc/hosts it finds no such host.
func ownTroubleResolving(err *net.DNSError) ownTrouble {
	for _, errno := range exhausted {
		if strings.Contains(err.Err, errno.Error()) {
			return ownTrouble(errno.Error())
		}
	}
	probe, open := os.Open(os.DevNull)
	if open == nil {
		_ = probe.Close()
		return ""
	}
	if errno, ok := errors.AsType[syscall.Errno](open); ok && slices.Contains(exhausted, errno) {
		return ownTrouble(errno.Error())
	}
	return ""
}
