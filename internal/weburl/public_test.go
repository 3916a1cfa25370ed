package weburl_test

import (
	"testing"

	"github.com/orderhook/orderhook/internal/weburl"
)

func TestPublicURL(t *testing.T) {
	for raw, want := range map[string][2]string{ // for all, and for who may change it
		"https://example.com/a%2Fb":                        {"https://example.com/a%2Fb", "https://example.com/a%2Fb"},
		"https://example.com/a%2Fb?c=d&e=%20&f=&g":         {"https://example.com/a%2Fb?c=***&e=***&f=&g", "https://example.com/a%2Fb?c=d&e=%20&f=&g"},
		"https://example.com/?c=d=e&c=#f":                  {"https://example.com/?c=***&c=#f", "https://example.com/?c=d=e&c=#f"},
		"https://example.com/?kJ8sd7Hs0aLq29xMz7TbQ1&page": {"https://example.com/?***&page", "https://example.com/?kJ8sd7Hs0aLq29xMz7TbQ1&page"},
		"https://user:pass@example.com/a%2Fb?c=d":          {"https://user:***@example.com/a%2Fb?c=***", "https://user:***@example.com/a%2Fb?c=d"},
		"https://us%40er:pass@example.com":                 {"https://us%40er:***@example.com", "https://us%40er:***@example.com"},
		"https://token@example.com/":                       {"https://***@example.com/", "https://***@example.com/"},
		"https://token:@example.com/":                      {"https://***:@example.com/", "https://***:@example.com/"},
		"https://user:pa/ss@example.com/":                  {"(invalid URL)", "(invalid URL)"},
	} {
		got := weburl.PublicURL(raw)
		if got != want[0] || weburl.OwnersURL(raw) != want[1] {
			t.Errorf("%s: %s and %s, want %s and %s", raw, got, weburl.OwnersURL(raw), want[0], want[1])
		}
		if again := weburl.PublicURL(got); again != got {
			t.Errorf("%s becomes %s when it is shown again", got, again)
		}
	}
}

func TestUnmasked(t *testing.T) {
	const from = "https://old.example.com/x?token=abc&n=1&n=2&flag&kJ8sd7Hs0aLq29xMz7TbQ1"
	for shown, want := range map[string]string{
		"https://a/b":                       "https://a/b",
		"https://a/b?token=own":             "https://a/b?token=own",
		"https://a/b?token=***":             "https://a/b?token=abc",
		"https://a/b?n=***&token=***&n=***": "https://a/b?n=1&token=abc&n=2",
		"https://a/b?n=0&n=***":             "https://a/b?n=0&n=2",
		"https://a/b?other=***&token=***":   "https://a/b?token=abc",
		"https://a/b?other=***":             "https://a/b",
		"https://a/b?token=***&token=***":   "https://a/b?token=abc",
	} {
		if got := weburl.Unmasked(shown, from); got != want {
			t.Errorf("%s: %s, want %s", shown, got, want)
		}
	}
}
