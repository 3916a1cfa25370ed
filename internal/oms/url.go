package oms

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// ParseURL reads the URL of an endpoint: an absolute http or https URL with a
// host, and a port that there is if it names one.
func ParseURL(text string) (u *url.URL, ok bool) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !validPort(u) {
		return nil, false
	}
	return u, true
}

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
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return text
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	host := strings.ToLower(u.Hostname())
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return u.Scheme + "://" + host + ":" + port
}
