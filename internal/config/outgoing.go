package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/orderhook/orderhook/internal/oms"
)

// outgoing reads the section of that name.
func outgoing(v any) (allowHosts []string, err error) {
	section, ok := v.(*oms.Object)
	if !ok {
		return nil, errors.New("outgoing: must be an object")
	}
	for _, m := range section.Members() {
		if !strings.EqualFold(m.Name, "allowHosts") {
			return nil, fmt.Errorf("outgoing.%s: there is no such key", m.Name)
		}
		if allowHosts, err = hosts(m.Value); err != nil {
			return nil, err
		}
	}
	return allowHosts, nil
}

func hosts(v any) ([]string, error) {
	list, ok := v.([]any)
	if !ok && v != nil {
		return nil, errors.New("outgoing.allowHosts: must be a list of texts")
	}
	var all []string
	for i, e := range list {
		host, ok := e.(string)
		if !ok || !isTarget(host) {
			return nil, fmt.Errorf("outgoing.allowHosts[%d]: must be a host name or an IP address, with or without a port, or a range like 10.0.0.0/8", i)
		}
		all = append(all, host)
	}
	return all, nil
}

// isTarget reports whether the guard can compare a target with the text. What
// it cannot, such as a URL, would look like an allowance and be none.
func isTarget(s string) bool {
	if strings.Contains(s, "/") {
		_, err := netip.ParsePrefix(s)
		return err == nil
	}
	host := s
	if h, _, err := net.SplitHostPort(s); err == nil {
		host = h
	} else if host = strings.Trim(s, "[]"); strings.Contains(host, ":") {
		_, err := netip.ParseAddr(host)
		return err == nil
	}
	return host != "" && !strings.ContainsAny(host, " \t@*?#")
}
