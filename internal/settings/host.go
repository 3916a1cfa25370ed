package settings

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

// host reads an endpoint's URL, "" where there is none. Mistakes do not repeat
// the URL: it may hold a password, or an access key in its query.
func host(n node, field string) string {
	s, given := value[string](n, field, "a URL, as text")
	if !given {
		return ""
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !validPort(u):
		n.wrong(n.path(field), "must be an absolute http or https URL, as https://example.com/orders")
	case u.User != nil:
		n.wrong(n.path(field), "must hold no user name or password; they belong in the connector's username and password")
	}
	return s
}

func validPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && port > 0
}

// origin is the scheme, host and port of a URL, in one spelling. Of what is
// no URL it is the text itself, which equals nothing but that very text.
func origin(host string) string {
	u, err := url.Parse(host)
	if err != nil || u.Host == "" {
		return host
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
