package weburl

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// ParseURL reads a URL that requests go to: an absolute http or https URL with a
// host, and a port that there is if it names one. Every URL that comes in from
// outside is read here, and comes out in the normal spelling: what may not stand
// in a request line is escaped as browsers do, and the host is mapped (IDNA).
// White space around it is an error, and is not escaped.
func ParseURL(text string) (u *url.URL, ok bool) {
	if text != strings.TrimSpace(text) {
		return nil, false
	}
	u, err := url.Parse(escapeURL(text))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !validPort(u) || !mapHost(u) {
		return nil, false
	}
	return u, true
}

// NormalURL returns the normal spelling of a URL; see [ParseURL]. Of what is no
// URL it is the text itself. A user name and password stay as they are written,
// masks among them.
func NormalURL(text string) string {
	u, ok := ParseURL(text)
	if !ok {
		return text
	}
	if u.User == nil {
		return u.String()
	}
	_, rest, _ := strings.Cut(text, "://")
	authority := rest[:authorityEnd(rest)]
	user := authority[:strings.LastIndexByte(authority, '@')+1]
	bare := *u
	bare.User = nil
	return strings.Replace(bare.String(), "://", "://"+user, 1)
}

// authorityEnd is where the path, the query or the fragment of a URL begins,
// counted from behind its "//".
func authorityEnd(rest string) int {
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		return i
	}
	return len(rest)
}

// escapeURL escapes what the path and the query of a URL may not hold. Browsers
// do the same (WHATWG URL, "path percent-encode set" and "special-query
// percent-encode set"); beyond these it escapes what RFC 3986 allows nowhere, and
// a percent sign that begins no escape.
func escapeURL(text string) string {
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return text
	}
	end := authorityEnd(rest)
	target, fragment, hasFragment := strings.Cut(rest[end:], "#")
	path, query, hasQuery := strings.Cut(target, "?")
	out := scheme + "://" + rest[:end] + escapeText(strings.ReplaceAll(path, `\`, "/"), "")
	if hasQuery {
		out += "?" + escapeText(query, `'\`)
	}
	if hasFragment {
		out += "#" + fragment
	}
	return out
}

// alwaysEscaped stands neither in a path nor in a query.
const alwaysEscaped = " \"<>^`{|}"

// escapeText escapes the bytes of a text that are not visible ASCII, or are among
// alwaysEscaped or more. Escapes that are there stay.
func escapeText(text, more string) string {
	var out strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case c < ' ' || c == 0x7f: // no browser sends these, and [url.Parse] refuses them
			out.WriteByte(c)
		case c > 0x7f, strings.IndexByte(alwaysEscaped, c) >= 0, strings.IndexByte(more, c) >= 0, c == '%' && !isEscape(text[i:]):
			out.WriteByte('%')
			out.WriteByte("0123456789ABCDEF"[c>>4])
			out.WriteByte("0123456789ABCDEF"[c&15])
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// isEscape reports whether a text begins with %XX.
func isEscape(text string) bool {
	if len(text) < 3 {
		return false
	}
	// With base 16 ParseUint takes digits alone, without a sign or an underscore.
	_, err := strconv.ParseUint(text[1:3], 16, 8)
	return err == nil
}

// WrongHost is what is wrong with a URL that has an [OddHost].
const WrongHost = "must have a name or a plain IP address as its host, as 192.0.2.10 or [2001:db8::10]"

// OddHost reports whether the host of a URL ends in a number, as 127.1 and
// 0x7f000001 do, but is no plain IP address. No name has such an end, and some
// resolvers take it for another spelling of an address.
func OddHost(u *url.URL) bool {
	host := u.Hostname()
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	host = strings.TrimRight(host, ".")
	return isNumber(host[strings.LastIndex(host, ".")+1:])
}

// isNumber reports whether text is a number as addresses are spelled: decimal,
// octal, or hexadecimal behind 0x.
func isNumber(text string) bool {
	digits := "0123456789"
	if hex, ok := strings.CutPrefix(strings.ToLower(text), "0x"); ok {
		text, digits = hex, "0123456789abcdef"
	} else if text == "" {
		return false
	}
	return strings.Trim(text, digits) == ""
}

// validPort reports whether a URL names no port, or one from 1 to 65535. A colon without
// a number behind it is refused.
func validPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && port > 0
}

// URLOrigin is the scheme, host and port of a URL, in one spelling. Of what is
// no URL it is the text itself, which equals nothing but that very text.
func URLOrigin(text string) string {
	u, ok := ParseURL(text)
	if !ok {
		return text
	}
	return OriginOf(u)
}

// OriginOf is [URLOrigin] of a URL that [ParseURL] has read.
func OriginOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	host := u.Hostname()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return u.Scheme + "://" + host + ":" + port
}
