package oms_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
)

func TestHostsThatAreNone(t *testing.T) {
	for odd, hosts := range map[bool]string{
		true: `127.1 127.0.0.1. 0x7f000001 0X7F.1 2130706433 0177.0.0.1 127.0.0.01 017700000001 0 0x 1.2.3 1.2.3.4.5 256.1.1.1 1.2.3.4.. example.7 example.0x1f 8.8.8.8.`,
		false: `127.0.0.1 8.8.8.8 [::1] [::ffff:10.0.0.1] [fe80::1%25eth0] localhost example.com example.com. 7.example 0x7f.example x1 1x 127.0.0.1.example
			0xyz a.0x7g xn--p1ai example.v2`,
	} {
		for host := range strings.FieldsSeq(hosts) {
			text := "http://" + host + ":8080/"
			u, err := url.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if _, why := oms.CheckURL(text); oms.OddHost(u) != odd || (why != "") != odd {
				t.Errorf("%s: %v %q", host, oms.OddHost(u), why)
			}
		}
	}
}
