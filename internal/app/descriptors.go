package app

import "syscall"

// What takes descriptors besides requests: outgoing ones, and the database, the
// log, the listener.
const (
	outgoingDescriptors = 2048
	ownDescriptors      = 128
)

// warnDescriptors warns where the limit of open files, ulimit -n, is lower than
// what the server's own limits may need. The Go runtime has raised it as far as
// it can.
func (o *Options) warnDescriptors() {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return
	}
	if have, need := uint64(limit.Cur), uint64(o.Limits.Requests.All)+outgoingDescriptors+ownDescriptors; have < need {
		o.Log.Warn("the limit of open files is low, so that connections may fail under load: raise it with ulimit -n, or LimitNOFILE of a systemd unit",
			"limit", have, "needed", need)
	}
}
