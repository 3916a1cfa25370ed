package weburl

import (
	"net/url"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/secret"
)

// PublicURL returns a URL as it may be recorded and shown: with *** for the
// password in it, or for a user name without one, which is a token then, and
// for the values in its query, whose names stay (docs/contract.md#secrets). Of
// what it returned it returns the same.
func PublicURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(invalid URL)" // where the password is, is anyone's guess
	}
	return ShownURL(raw, u)
}

// OwnersURL is [PublicURL] for those who may change the URL: they see the query.
// The password is masked for them, too.
func OwnersURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(invalid URL)"
	}
	return withoutPassword(raw, u)
}

// ShownURL is [PublicURL] of a URL that has been parsed.
func ShownURL(raw string, u *url.URL) string {
	shown := withoutPassword(raw, u)
	if u.RawQuery == "" {
		return shown
	}
	address, query, _ := strings.Cut(shown, "?")
	query, fragment, cut := strings.Cut(query, "#")
	if query = publicQuery(query); cut {
		query += "#" + fragment
	}
	return address + "?" + query
}

// withoutPassword returns a URL with *** for the password in it, or for a user name without
// one.
func withoutPassword(raw string, u *url.URL) string {
	if u.User == nil {
		return raw
	}
	shown := secret.Mask
	switch password, given := u.User.Password(); {
	case password != "":
		shown = url.User(u.User.Username()).String() + ":" + secret.Mask
	case given: // many keys are sent as a user name, with an empty password
		shown += ":"
	}
	// Through a String of its own, for that would escape the asterisks.
	return strings.Replace(u.String(), "//"+u.User.String()+"@", "//"+shown+"@", 1)
}

// publicQuery returns a query with *** for its values. What stands there without
// a name is a value if it looks like a secret, else a name.
func publicQuery(query string) string {
	parts := strings.Split(query, "&")
	for i, part := range parts {
		name, value, named := strings.Cut(part, "=")
		switch {
		case named && value != "":
			parts[i] = name + "=" + secret.Mask
		case !named && secret.LooksRandom(part):
			parts[i] = secret.Mask
		}
	}
	return strings.Join(parts, "&")
}

// MaskedQuery is what is wrong with a URL that [HasMaskedQuery].
const MaskedQuery = `"***" in the query stands for a value that is shown to operators alone; send the URL as it is`

// HasMaskedQuery reports whether a URL has *** for a value in its query.
func HasMaskedQuery(raw string) bool {
	_, query, _ := strings.Cut(raw, "?")
	return slices.ContainsFunc(strings.Split(query, "&"), isMasked)
}

// Unmasked puts the values of another URL's query in place of those that
// [PublicURL] has masked in a URL, by their names, the n-th of a name for the
// n-th. Those that the other URL does not have are left out.
func Unmasked(shown, from string) string {
	if !HasMaskedQuery(shown) {
		return shown
	}
	address, query, _ := strings.Cut(shown, "?")
	_, has, _ := strings.Cut(from, "?")
	values := map[string][]string{}
	for part := range strings.SplitSeq(has, "&") {
		name, _, _ := strings.Cut(part, "=")
		values[name] = append(values[name], part)
	}
	var parts []string
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		if own := values[name]; len(own) > 0 {
			// A value that is not masked takes its place as well, so the n-th of a name
			// stays the n-th.
			values[name] = own[1:]
			if isMasked(part) {
				part = own[0]
			}
		} else if isMasked(part) {
			continue
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return address
	}
	return address + "?" + strings.Join(parts, "&")
}

// isMasked reports whether a part of a query is the mask, or a name with the mask as its
// value.
func isMasked(part string) bool {
	return part == secret.Mask || strings.HasSuffix(part, "="+secret.Mask)
}
