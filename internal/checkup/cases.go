package checkup

import (
	"slices"
)

// checkCase is one question to an endpoint.
type checkCase struct {
	name   string
	about  string
	kinds  []Kind // nil: all
	signed bool   // it needs a secret
	do     func(*probe) error
}

// cases are all cases, in the order in which they are made. The first is made whatever else
// is chosen: the others are held against it. The second needs the connection of the first.
var cases []checkCase

func init() {
	cases = []checkCase{
		{name: "success", about: "a usual order or cart", do: (*probe).success},
		{name: "connection", about: "another one right after it, over the same connection", do: (*probe).connection},
		{name: "unicode", about: "letters beyond ASCII, emoji, quotes, right to left", do: (*probe).unicode},
		{name: "numbers", about: "amounts and ids that binary floating point cannot hold", do: (*probe).numbers},
		{name: "missing", about: "next to no fields", do: (*probe).missing},
		{name: "unknown", about: "fields that nobody has heard of", do: (*probe).unknown},
		{name: "echo", about: "values that change when a program writes them back", kinds: []Kind{Step, Return, Validator}, do: (*probe).echo},
		{name: "repeat", about: "the same attempt twice, then a retry of it", do: (*probe).repeat},
		{name: "again", about: "the cart as the validator left it, validated once more", kinds: []Kind{Validator}, do: (*probe).again},
		{name: "late", about: "an event that comes after a later one of its order", kinds: []Kind{Event}, do: (*probe).lateEvent},
		{name: "type", about: "an event of a type that nobody has heard of", kinds: []Kind{Event}, do: (*probe).unknownType},
		{name: "signature", about: "wrong signatures, none, and a stale one", signed: true, do: (*probe).signature},
		{name: "slow", about: "16 calls side by side", do: (*probe).slow},
		// These two are the last: an endpoint may not survive them.
		{name: "big", about: "an order of 2,500 lines and 9 MiB, or a cart of 4 MiB", do: (*probe).big},
		{name: "abort", about: "a body that breaks off in the middle, then two usual calls", do: (*probe).abort},
	}
}

// Names returns the names of all cases.
func Names() (names []string) {
	for _, c := range cases {
		names = append(names, c.name)
	}
	return names
}

// isFor reports whether a case is for endpoints of a kind.
func (c checkCase) isFor(k Kind) bool { return c.kinds == nil || slices.Contains(c.kinds, k) }

// chosen reports whether a case is made.
func (c checkCase) chosen(only []string) bool {
	return len(only) == 0 || c.name == cases[0].name || slices.Contains(only, c.name)
}
