package order

// SameIdentity reports whether a set takes two values for one.
func SameIdentity(a, b any) bool { return content(a) == content(b) }
