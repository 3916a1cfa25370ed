//go:build !linux

package admission

// CanLower reports whether a thread may have its priority lowered, and raised again
// afterwards: elsewhere than on Linux the priority is that of the whole process.
func CanLower() bool { return false }

func lower() (restore func()) { return func() {} }
