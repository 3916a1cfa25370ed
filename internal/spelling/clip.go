package spelling

import "strings"

// Clip returns a text as it is where it has at most so many bytes. It returns the beginning of
// a longer one, with … behind it. It cuts through no character, so the beginning may be some
// bytes shorter. Bytes before the cut that are no UTF-8 are left out of it.
func Clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
