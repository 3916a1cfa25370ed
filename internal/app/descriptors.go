package app

import (
	"syscall"

	"github.com/orderhook/orderhook/internal/outbound"
)

// ownDescriptors are those of the database, the log and the listener. Besides there
// are requests, and outgoing calls with the connections that stay open for them.
const ownDescriptors = 128

// warnDescriptors warns if the limit of open files, ulimit -n, is lower than what the
// server's own limits may need. The Go runtime has raised it already as far as it can. It
// is no error: most servers never have so many connections.
func (o *Options) warnDescriptors() {
	if have, need := o.descriptors(); have < need {
		o.Log.Warn("the limit of open files is low, so that connections may fail under load: raise it with ulimit -n, or LimitNOFILE of a systemd unit",
			"limit", have, "needed", need)
	}
}

// descriptors are how many files this process may have open, and how many the limits may
// need. Where the first is not known, it is as many.
func (o *Options) descriptors() (have, need uint64) {
	need = uint64(o.Limits.Requests.All) + uint64(max(o.MaxOutgoing, outbound.MostOpen)) + ownDescriptors
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return need, need
	}
	return uint64(limit.Cur), need
}
