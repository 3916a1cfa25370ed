package settings

import (
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/spelling"
)

// Bounds of what [Settings.ChangedSections] names: a document may have fields that
// nobody reads, and any number of them.
const (
	mostSections   = 20
	longestSection = 100 // bytes
)

// ChangedSections names the fields of the document, those at its top, in which the
// settings differ from what they were; at most 20 of them. A secret that was given
// anew is a difference, whatever its text. The audit log has them.
func (s *Settings) ChangedSections(before *Settings) (names []string) {
	for _, c := range order.Differences(before.doc, s.doc) {
		name := c.Path
		// A path begins with the name of a field at the top.
		if end := strings.IndexAny(name, ".["); end >= 0 {
			name = name[:end]
		}
		name = spelling.Clip(name, longestSection)
		if !slices.Contains(names, name) && len(names) < mostSections {
			names = append(names, name)
		}
	}
	return names
}
