package spelling

import "strings"

// SameName compares two names of things that have no case: statuses, order
// types, markets, connectors. White space around a name does not count
// (docs/contract.md#names). All of orderhook compares such names here.
func SameName(a, b string) bool { return a == b || FoldName(a) == FoldName(b) }

// FoldName returns the text that all spellings of a name share, for maps and for
// columns of a database.
func FoldName(name string) string { return Fold(strings.TrimSpace(name)) }

// SameField compares two names of fields without regard to case. White space counts:
// no field has any in its name.
func SameField(a, b string) bool {
	if a == b {
		return true
	}
	if isASCII(a) && isASCII(b) {
		return len(a) == len(b) && strings.EqualFold(a, b)
	}
	return Fold(a) == Fold(b)
}

// Fold maps names that differ only in case to one text. Upper case comes
// first so that it agrees with the PascalCase of the wire: letters that share
// a capital are one letter there.
func Fold(name string) string {
	if isASCII(name) {
		return strings.ToLower(name)
	}
	return strings.ToLower(strings.ToUpper(name))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
