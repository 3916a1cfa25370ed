package hook

import (
	"net/http"
	"slices"
	"strings"
)

// mask stands where a secret was.
const mask = "***"

// masked returns a copy of h as it may be recorded: names canonical, the
// values of the secret ones as ***.
func masked(h http.Header, secret []string) http.Header {
	shown := make(http.Header, len(h))
	for name, values := range h {
		name = http.CanonicalHeaderKey(name)
		if slices.Contains(secret, name) {
			values = []string{mask}
		}
		shown[name] = slices.Clone(values)
	}
	return shown
}

// leastSecret is the length from which a secret is looked for in what comes
// back: a shorter one would be found everywhere, and is none.
const leastSecret = 8

// valuesOf returns the secrets among headers, credentials with their scheme and
// without it.
func valuesOf(h http.Header, secret []string) []string {
	var out []string
	for name, values := range h {
		if !slices.Contains(secret, http.CanonicalHeaderKey(name)) {
			continue
		}
		for _, v := range values {
			_, bare, _ := strings.Cut(v, " ")
			for _, s := range []string{v, bare} {
				if len(s) >= leastSecret {
					out = append(out, s)
				}
			}
		}
	}
	return out
}
