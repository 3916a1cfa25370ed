package settings

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// variableAt finds what may be the place of a variable in a text: `${NAME}`,
// `$${`, which is the text `${` itself, and a `${` that begins neither.
var variableAt = regexp.MustCompile(`\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{`)

// ExpandVariables puts a value in place of each `${NAME}` of a text
// (docs/contract.md#settings). `$${` becomes `${`. What comes out is not looked
// at again. The error is that of lookup, with the variable's name before it, or one about a
// `${` that is no variable's; no text is in it. The config file has the same form, and is
// expanded by the same function.
func ExpandVariables(text string, lookup func(name string) (string, error)) (string, error) {
	if !strings.Contains(text, "${") {
		return text, nil
	}
	var out strings.Builder
	rest := 0
	for _, m := range variableAt.FindAllStringSubmatchIndex(text, -1) {
		out.WriteString(text[rest:m[0]])
		rest = m[1]
		switch {
		case text[m[0]:m[1]] == "$${":
			out.WriteString("${")
		case m[2] < 0:
			return "", errors.New(`holds a "${" that begins no variable, as ${ERP_TOKEN}; write "$${" for the text itself`)
		default:
			name := text[m[2]:m[3]]
			value, err := lookup(name)
			if err != nil {
				return "", fmt.Errorf("${%s} %w", clip(name), err)
			}
			out.WriteString(value)
		}
	}
	out.WriteString(text[rest:])
	return out.String(), nil
}

// Environment makes a lookup for [ExpandVariables] of one that is as os.LookupEnv. A variable
// that is empty is as good as not set, as it is for flags: it is more likely forgotten than
// meant, and an empty secret would silently be none.
func Environment(lookup func(name string) (value string, set bool)) func(name string) (string, error) {
	return func(name string) (string, error) {
		value, set := lookup(name)
		if !set || value == "" {
			return "", errors.New("is not set, or empty")
		}
		return value, nil
	}
}

// EscapeVariables is the text that [ExpandVariables] makes this one of. So settings that
// are shown can be sent back.
func EscapeVariables(text string) string { return strings.ReplaceAll(text, "${", "$${") }
