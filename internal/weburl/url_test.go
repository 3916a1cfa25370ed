package weburl_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/weburl"
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
			if _, why := event.CheckURL(text); weburl.OddHost(u) != odd || (why != "") != odd {
				t.Errorf("%s: %v %q", host, weburl.OddHost(u), why)
			}
		}
	}
}

// docs/contract.md#endpoints has URLs escaped as browsers do; those of a request
// line that RFC 3986 does not allow are escaped, too.
func TestURLsInTheirNormalSpelling(t *testing.T) {
	for text, want := range map[string]string{
		"http://h/ok?a=b c":                        "http://h/ok?a=b%20c",
		"http://h/a b/ø?ø=<\"'>":                   "http://h/a%20b/%C3%B8?%C3%B8=%3C%22%27%3E",
		`http://h/a\b?c\d`:                         "http://h/a/b?c%5Cd",
		"http://h/{x}|^`?{x}|^`":                   "http://h/%7Bx%7D%7C%5E%60?%7Bx%7D%7C%5E%60",
		"http://h/100%/%zz/%4/%41%c3?100%":         "http://h/100%25/%25zz/%254/%41%c3?100%25",
		"http://h/it's/a[1]?a[]=1&b=x/y?z:@!$*+,;": "http://h/it's/a[1]?a[]=1&b=x/y?z:@!$*+,;",
		"http://h/x%2Fy?z#f g":                     "http://h/x%2Fy?z#f%20g",
		"http://h?a b":                             "http://h?a%20b",
		"http://h?":                                "http://h?",
		"https://example.com":                      "https://example.com",
		"https://example.com:0443/A":               "https://example.com:443/A",
		"http://[::1]:00080/":                      "http://[::1]:80/",
		"HTTPS://EXAMPLE.com:8443/A":               "https://example.com:8443/A",
		"http://BÜCHER.example/":                   "http://xn--bcher-kva.example/",
		"http://B%C3%9CCHER.example:80/ü":          "http://xn--bcher-kva.example:80/%C3%BC",
		"http://faß.example/日本?日本":                 "http://xn--fa-hia.example/%E6%97%A5%E6%9C%AC?%E6%97%A5%E6%9C%AC",
		"http://日本。example":                        "http://xn--wgv71a.example",
		"http://my_service:9000/":                  "http://my_service:9000/",
		"http://xn--bcher-kva.example./":           "http://xn--bcher-kva.example./",
		"http://[::FFFF:1.2.3.4]:80/":              "http://[::ffff:1.2.3.4]:80/",
		"https://kari:***@BÜCHER.example/a b":      "https://kari:***@xn--bcher-kva.example/a%20b",
		"https://k%40ri:p%20w@h/":                  "https://k%40ri:p%20w@h/",
		"no url":                                   "no url",
	} {
		if got := weburl.NormalURL(text); got != want {
			t.Errorf("%s is %s, not %s", text, got, want)
		}
		again := weburl.NormalURL(want)
		if again != want {
			t.Errorf("%s again is %s", want, again)
		}
	}
	for _, text := range []string{"http://h h/", "http://a<b>/", "http://a!b/", `http://h\x/`, "http://a%20b/", "http://\u00ad/", "http://xn--a.example/", "http://[::1]x/", "http://[h]/",
		"http://h/\n", "http://h/a\tb", "http://h/?a\x00", "http://h/\x7f", " http://h/", "http://h/ ", "http://h/\u00a0", "http://h:80:80/", "http://h:0/", "http://h:000/", "http://h:065536/", "ftp://h/", "//h/", "http:/h", "http://ab\u200dc/", "http://\u0635a.example/", "http://0\x9c0/"} {
		if u, ok := weburl.ParseURL(text); ok {
			t.Errorf("%q is taken for %s", text, u)
		}
	}
}

// An odd host is one in every spelling that is mapped to it.
func TestHostsThatAreNoneOnceMapped(t *testing.T) {
	for _, text := range []string{"http://１２７.1/", "http://127。1/", "http://０x7f000001/"} {
		if _, why := event.CheckURL(text); why == "" {
			t.Errorf("%s is taken", text)
		}
	}
}

func TestOriginsAreComparedAsTheyAreCalled(t *testing.T) {
	for a, b := range map[string]string{
		"http://BÜCHER.example/a b":   "http://xn--bcher-kva.example:80/",
		"https://ＥＸＡＭＰＬＥ.com/":        "https://example.com/x",
		"http://h:8080":               "http://H:8080/?x y",
		"https://h:0443":              "https://h/",
		"http://[::1]/":               "http://[::1]:80/ø",
		"https://me:x@BÜCHER.example": "https://bücher.example:443",
	} {
		if weburl.URLOrigin(a) != weburl.URLOrigin(b) {
			t.Errorf("%s is of %s, and %s of %s", a, weburl.URLOrigin(a), b, weburl.URLOrigin(b))
		}
	}
	if weburl.URLOrigin("http://bücher.example") == weburl.URLOrigin("http://bucher.example") {
		t.Error("two hosts have one origin")
	}
}

// FuzzURLs has every URL that is taken go out in a legal request line.
func FuzzURLs(f *testing.F) {
	for _, text := range []string{"http://h/a b?c d", "http://BÜCHER.example:80/%zz", `http://u:p@h/\?\#x`, "http://[::1]/?'"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, ok := weburl.ParseURL(text)
		if !ok {
			return
		}
		for i, c := range []byte(u.RequestURI() + u.Host) {
			if c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>^`{|}\\", c) >= 0 {
				t.Fatalf("%q goes out as %q to %q: byte %d", text, u.RequestURI(), u.Host, i)
			}
		}
		normal := weburl.NormalURL(text)
		if again, ok := weburl.ParseURL(normal); !ok || again.Host != u.Host || again.RequestURI() != u.RequestURI() || weburl.URLOrigin(normal) != weburl.URLOrigin(text) {
			t.Fatalf("%q is %q, which is read as %v", text, normal, again)
		}
	})
}
