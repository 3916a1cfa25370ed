package contract

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// An endpoint that hands back what it got changes nothing
// (docs/contract.md#patches), however its JSON library and its types write it.

// echo is a way to hand back a document.
type echo struct {
	name    string
	rewrite func(doc any) any
	kind    echoKind
}

type echoKind int

const (
	plain echoKind = iota
	// renaming echoes write names in another case. Below what the model knows that
	// is another field in a request, and only an answer finds the one that is meant.
	renaming
	// partial ones lack fields that the model knows. Where lists are replaced,
	// which is in carts, such an element is another one.
	partial
)

// everyEcho is the ways that real endpoints have.
var everyEcho = []echo{
	{"as it was received", func(doc any) any { return doc }, plain},
	{"names in lower case", func(doc any) any { return renamed(doc, strings.ToLower) }, renaming},
	{"names in upper case", func(doc any) any { return renamed(doc, strings.ToUpper) }, renaming},
	{"names with a small first letter", func(doc any) any { return renamed(doc, lowered) }, renaming},
	{"whole numbers with a decimal point", func(doc any) any { return renumbered(doc, pointed) }, plain},
	{"numbers with an exponent", func(doc any) any { return renumbered(doc, exponential) }, plain},
	{"numbers as short as doubles are", func(doc any) any { return renumbered(doc, shortest) }, plain},
	{"unknown fields dropped", func(doc any) any { return typed(doc, typedWhole, false) }, plain},
	{"unknown fields dropped, known ones filled in with null", func(doc any) any { return typed(doc, typedWhole, true) }, plain},
	{"known fields filled in with null, in lower case", func(doc any) any { return renamed(typed(doc, typedWhole, true), strings.ToLower) }, plain},
	{"many fields dropped", func(doc any) any { return typed(doc, typedPart, false) }, partial},
	{"many fields dropped, others filled in with null", func(doc any) any { return typed(doc, typedPart, true) }, partial},
}

// of returns the document in raw JSON as the echo writes it.
func (e echo) of(t *testing.T, raw []byte) string {
	t.Helper()
	var doc any
	decode(t, raw, &doc)
	out, err := json.Marshal(e.rewrite(doc))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// renamed renames the fields of all objects. An object in which two names would
// become one, or differ in case alone, keeps its names.
func renamed(v any, name func(string) string) any {
	switch v := v.(type) {
	case map[string]any:
		out, folded := map[string]any{}, map[string]bool{}
		for n, e := range v {
			out[name(n)], folded[strings.ToLower(n)] = renamed(e, name), true
		}
		if len(out) == len(v) && len(folded) == len(v) {
			return out
		}
		for n, e := range v {
			delete(out, name(n))
			out[n] = renamed(e, name)
		}
		return onlyNames(out, v)
	case []any:
		return each(v, func(e any) any { return renamed(e, name) })
	}
	return v
}

// onlyNames returns the members of doc whose names like has.
func onlyNames(doc, like map[string]any) map[string]any {
	out := map[string]any{}
	for n := range like {
		out[n] = doc[n]
	}
	return out
}

func each(list []any, do func(any) any) []any {
	out := make([]any, len(list))
	for i, e := range list {
		out[i] = do(e)
	}
	return out
}

func lowered(name string) string {
	r, n := utf8.DecodeRuneInString(name)
	return string(unicode.ToLower(r)) + name[n:]
}

// renumbered writes all numbers in another way, but those that it would change.
func renumbered(v any, write func(string) string) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for n, e := range v {
			out[n] = renumbered(e, write)
		}
		return out
	case []any:
		return each(v, func(e any) any { return renumbered(e, write) })
	case number:
		if other := write(v.String()); decimal.RequireFromString(other).Equal(decimal.RequireFromString(v.String())) {
			return number(other)
		}
	}
	return v
}

func pointed(n string) string {
	if strings.ContainsAny(n, ".eE") {
		return n
	}
	return n + ".0"
}

func exponential(n string) string { return double(n, 'e') }
func shortest(n string) string    { return double(n, 'f') }

func double(n string, format byte) string {
	f, err := strconv.ParseFloat(n, 64)
	if err != nil {
		return n
	}
	return strconv.FormatFloat(f, format, -1, 64)
}
