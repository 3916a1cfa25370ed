package oms

// What the tests of package oms_test need of the inside.
var (
	Equal = equal
	Fold  = fold
)

// SameIdentity reports whether a set takes two values for one.
func SameIdentity(a, b any) bool { return content(a) == content(b) }

// MaxNumber is the longest number a document may hold.
const MaxNumber = maxNumber

// IndexFrom is the number of members from which an object keeps an index.
const IndexFrom = indexFrom
