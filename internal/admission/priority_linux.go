package admission

import (
	"runtime"
	"syscall"
)

// nice is the priority of threads that work on large documents: with it, one that
// others want the processor from has a tenth of what each of them has.
const nice = 10

// CanLower reports whether a thread may have its priority lowered, and raised again
// afterwards: Linux allows the second to root, to CAP_SYS_NICE and to whom
// RLIMIT_NICE is 20 or more.
func CanLower() bool {
	answer := make(chan bool)
	go func() {
		runtime.LockOSThread() // and not unlocked: the thread ends with this goroutine
		own := priority()
		answer <- setPriority(own+1) == nil && setPriority(own) == nil
	}()
	return <-answer
}

// lower gives the calling goroutine a thread of low priority until restore is called
// by the same goroutine.
func lower() (restore func()) {
	runtime.LockOSThread()
	own := priority()
	if setPriority(own+nice) != nil {
		runtime.UnlockOSThread()
		return func() {}
	}
	return func() {
		if setPriority(own) == nil { // else the thread ends with its goroutine
			runtime.UnlockOSThread()
		}
	}
}

// priority is the nice value of the calling thread. The system call returns 20 less it.
func priority() int {
	raw, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	if err != nil {
		return 0
	}
	return 20 - raw
}

func setPriority(to int) error { return syscall.Setpriority(syscall.PRIO_PROCESS, 0, to) }
