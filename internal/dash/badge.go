package dash

import (
	"strconv"
	"strings"
)

// Badge is a word in a colour. The word says all that the colour says, so that nobody has
// to tell colours apart.
type Badge struct {
	Text string
	Tone string // good, bad, warn, busy, idle: a class of the style sheet
	Hint string // shown when one points at it
}

// tones are the colours of the words that the API has for states and outcomes. What
// is not here is idle. They are compared in lower case.
var tones = map[string]string{
	"succeeded": "good", "closed": "good", "ok": "good", "enabled": "good", "completed": "good", "created": "good", "run": "good", "wouldrun": "good", "success": "good", "in force": "good", "matched": "good", "solved": "good",
	"failed": "bad", "aborted": "bad", "open": "bad", "error": "bad", "interruptworkflow": "bad", "notready": "bad",
	"pending": "busy", "running": "busy", "waiting": "busy", "halfopen": "warn", "half-open": "warn", "canceling": "warn", "retrying": "warn",
	"skipped": "idle", "superseded": "idle", "canceled": "idle", "cancelled": "idle", "disabled": "warn", "warning": "warn", "deleted": "warn",
}

// tone is the colour of a state's name.
func tone(state string) string {
	if t, ok := tones[strings.ToLower(state)]; ok {
		return t
	}
	return "idle"
}

// badgeOf shows a state's name. Names of states are the API's, so that what people see is
// what they may filter by.
func badgeOf(state string) Badge { return Badge{Text: state, Tone: tone(state)} }

// statusBadge shows the status code of an answer, 0 where none came. Redirects are no
// success, since nobody follows them (docs/contract.md#targets).
func statusBadge(code int) Badge {
	switch {
	case code == 0:
		return Badge{"no answer", "bad", "nothing came back"}
	case code < 300:
		return Badge{strconv.Itoa(code), "good", ""}
	case code < 400:
		return Badge{strconv.Itoa(code), "warn", "redirects are not followed"}
	}
	return Badge{strconv.Itoa(code), "bad", ""}
}

// labels are the names of things as people read them. They are the kinds of attempts.
var labels = map[string]string{
	"event": "Event", "step": "Step", "returnStep": "Return step", "validator": "Validator", "export": "Export", "replay": "Replay", "shadow": "Shadow",
}

// label is the name of a kind for people. A kind that has no name for people is shown as
// the API calls it.
func label(kind string) string {
	if l, ok := labels[kind]; ok {
		return l
	}
	return kind
}
