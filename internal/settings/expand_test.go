package settings

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func environment(name string) (string, error) {
	switch name {
	case "A":
		return "1", nil
	case "_b2":
		return "${A} $${A}", nil
	case "EMPTY":
		return "", nil
	}
	return "", errors.New("is not set")
}

func TestExpandVariables(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "plain": "plain", "$": "$", "$A": "$A", "{A}": "{A}", "$$": "$$", "a$b${A}": "a$b1",
		"${A}": "1", "x${A}y${A}z": "x1y1z", "${A}${EMPTY}${A}": "11",
		"${_b2}":    "${A} $${A}", // what comes out is not looked at again
		"$${A}":     "${A}",
		"$$${A}":    "$${A}",
		"$${A}${A}": "${A}1",
		"$${":       "${", "$${ x": "${ x",
	} {
		if got, err := ExpandVariables(text, environment); got != want || err != nil {
			t.Errorf("%q is %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestVariablesThatCannotBe(t *testing.T) {
	for text, want := range map[string]string{
		"${B}":         "${B} is not set",
		"s3cret${a}":   "${a} is not set", // names have a case
		"${A}${NO_NO}": "${NO_NO} is not set",
		"${":           `holds a "${" that begins no variable`,
		"${}":          `holds a "${" that begins no variable`,
		"${A":          `holds a "${" that begins no variable`,
		"${1A}":        `holds a "${" that begins no variable`,
		"${A-B}":       `holds a "${" that begins no variable`,
		"${A:-s3cret}": `holds a "${" that begins no variable`,
		"${ A }":       `holds a "${" that begins no variable`,
		"${Ä}":         `holds a "${" that begins no variable`,
	} {
		got, err := ExpandVariables(text, environment)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q is %q, %v", text, got, err)
		}
	}
}

// Whatever is shown and sent back is what it was.
func TestEscapedTextsExpandToThemselves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{"$", "{", "}", "A", "${", "$${", "${A}", "ø"})).Draw(t, "text"), "")
		got, err := ExpandVariables(EscapeVariables(text), environment)
		if err != nil || got != text {
			t.Fatalf("%q became %q, %v", text, got, err)
		}
	})
}
