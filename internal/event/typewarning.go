package event

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/spelling"
)

// WarnTypes names the patterns of an endpoint that can match no type that is
// known, and what may be meant (docs/contract.md#endpoints). The built-in
// types are known; more are the others of the tenant's: those that its settings
// name, and some that were published. They are warnings, since publishers may come up with
// a type at any time.
func WarnTypes(patterns, more []string) (warnings []apierr.Warning) {
	known := slices.Clone(more)
	for _, t := range EventTypes() {
		known = append(known, t.Name)
	}
	for i, p := range patterns {
		// An endpoint of this pattern alone matches as the real one does by it.
		alone := Endpoint{EventTypes: []string{p}}
		if !slices.ContainsFunc(known, alone.Wants) {
			warnings = append(warnings, apierr.Warning{Path: fmt.Sprintf("eventTypes[%d]", i), Message: warnPattern(p, known)})
		}
	}
	return warnings
}

// warnPattern says what may be meant by a pattern that matches nothing.
func warnPattern(pattern string, known []string) string {
	prefix, wild := strings.CutSuffix(pattern, "*")
	switch {
	case spelling.SameField(pattern, TypeExportOrder): // which nobody may publish
		return "goes to the connector of an ExportOrder step alone, and to no endpoint"
	case !wild:
		return "is no type of events that is known; " + meant(spelling.Nearest(pattern, known))
	}
	// Such a pattern would wait for ever, however right it looks.
	for name := range onlyByName() {
		if strings.HasPrefix(name, spelling.Fold(prefix)) {
			return "no wildcard stands for " + name + ", which is sent only to endpoints that name it"
		}
	}
	// A beginning is compared with beginnings: whole names are too long to be near it.
	near := spelling.Nearest(prefix, beginnings(known))
	if near != "" {
		near += "*"
	}
	return "no type of events that is known begins so; " + meant(near)
}

// meant ends a message: with the nearest name, or by saying that a type of one's own is
// fine.
func meant(near string) string {
	if near == "" {
		return "if it is published through the API, all is well"
	}
	return "is " + near + " meant?"
}

// beginnings are those of names that somebody may write before a star: up to and
// with a separator, and up to the next capital. Each stands in the list once.
func beginnings(names []string) (all []string) {
	for _, name := range names {
		for i, c := range name {
			switch {
			case i > 0 && unicode.IsUpper(c) && !slices.Contains(all, name[:i]):
				all = append(all, name[:i])
			case strings.ContainsRune("_-.", c) && !slices.Contains(all, name[:i+1]):
				all = append(all, name[:i+1])
			}
		}
	}
	return all
}
