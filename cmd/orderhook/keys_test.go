package main

import "testing"

func TestANameThatATerminalWouldActOnIsQuoted(t *testing.T) {
	for name, want := range map[string]string{
		"web shop": "web shop", "Bücher & mer": "Bücher & mer", "": "",
		"x\x1b[31m\nkey_FAKE  default  admin": `"x\x1b[31m\nkey_FAKE  default  admin"`,
	} {
		if got := plainName(name); got != want {
			t.Errorf("%q is shown as %s, want %s", name, got, want)
		}
	}
}
