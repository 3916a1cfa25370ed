package pgtest

import "syscall"

// endWithParent has the kernel end a process when the thread is gone that started it.
func endWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGQUIT }
