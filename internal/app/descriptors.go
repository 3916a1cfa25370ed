package app

import (
	"syscall"

	"github.com/orderhook/orderhook/internal/hook"
)

// ownDescriptors are those of the database, the log and the listener. Besides there
// are requests, and outgoing calls with the connections that are kept for them.
const ownDescriptors = 128

// warnDescriptors warns where the limit of open files, ulimit -n, is lower than
// what the server's own limits may need. The Go runtime has raised it as far as
// it can.
func (o *Options) warnDescriptors() {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return
	}
	if have, need := uint64(limit.Cur), uint64(o.Limits.Requests.All)+uint64(max(o.MaxOutgoing, hook.MostOpen))+ownDescriptors; have < need {
		o.Log.Warn("the limit of open files is low, so that connections may fail under load: raise it with ulimit -n, or LimitNOFILE of a systemd unit",
			"limit", have, "needed", need)
	}
}
