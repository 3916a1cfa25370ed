package oms

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// WarnTypes names the patterns of an endpoint that can match no type that is
// known, and what may be meant (CONTRACT.md, "Event notifications"). The built-in
// types are known; more are the others of the tenant's: those that its settings
// name, and some that were published.
func WarnTypes(patterns, more []string) (warnings []Warning) {
	known := slices.Clone(more)
	for _, t := range EventTypes() {
		known = append(known, t.Name)
	}
	for i, p := range patterns {
		alone := Endpoint{EventTypes: []string{p}}
		if !slices.ContainsFunc(known, alone.Wants) {
			warnings = append(warnings, Warning{fmt.Sprintf("eventTypes[%d]", i), warnPattern(p, known)})
		}
	}
	return warnings
}

func warnPattern(pattern string, known []string) string {
	prefix, wild := strings.CutSuffix(pattern, "*")
	if !wild {
		return "is no type of events that is known; " + meant(Nearest(pattern, known))
	}
	for name := range onlyByName() {
		if strings.HasPrefix(name, fold(prefix)) {
			return "no wildcard stands for " + name + ", which is sent only to endpoints that name it"
		}
	}
	near := Nearest(prefix, beginnings(known))
	if near != "" {
		near += "*"
	}
	return "no type of events that is known begins so; " + meant(near)
}

func meant(near string) string {
	if near == "" {
		return "if it is published through the API, all is well"
	}
	return "is " + near + " meant?"
}

// beginnings are those of names that somebody may write before a star: up to and
// with a separator, and up to the next capital.
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
