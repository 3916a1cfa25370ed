package ids

import (
	"fmt"
	"strings"
	"unicode"
)

// MaxLength bounds an id, in bytes.
const MaxLength = 200

// Check says what is wrong with an id that somebody gave, if anything.
// It does not ask whether somebody has the id already. The length is in bytes, as the
// databases store it.
func Check(id string) error {
	switch {
	case id == "":
		return fmt.Errorf("must not be empty; leave it out and one is made")
	case len(id) > MaxLength:
		return fmt.Errorf("must be at most %d bytes long", MaxLength)
	case id == "." || id == ".." || id == "/": // net/http takes the last, %2F, for a slash at the end
		return fmt.Errorf("must not be %q, which cannot stand in a URL", id)
	case strings.ContainsFunc(id, unicode.IsControl):
		return fmt.Errorf("must not hold control characters")
	}
	return nil
}
