package dash

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
)

// TestObjectsAreReadAsTheyAre: an object is read as encoding/json does it, and of what is
// none, or is broken off, there are no members.
func TestObjectsAreReadAsTheyAre(t *testing.T) {
	for _, text := range []string{`{}`, ` { "a" : 1.50 , "b" : [ 1, {"c":null} ] } `, `{"\u00e9\n":"x","a":{"b":{}}}`, `{"a":1,"a":2}`, `null`, `[1]`, `"a"`, ``, `{"a":1`, `{"a":}`, `{"a":1,}`, "{\"a\":\"\xff\"}"} {
		var want map[string]json.RawMessage
		_ = json.Unmarshal([]byte(text), &want) // of what is none it stays empty
		got := objectOf(json.RawMessage(text))
		if !maps.EqualFunc(got, want, func(a, b json.RawMessage) bool { return string(a) == string(b) }) {
			t.Errorf("%s is read as %v, want %v", text, got, want)
		}
	}
}

// TestListsAreReadAsFarAsNeeded: what is behind the elements that are asked for is not
// looked at, however much it is.
func TestListsAreReadAsFarAsNeeded(t *testing.T) {
	o := object{"l": json.RawMessage(`[{"n":"1"},7,{"n":"2"},{"n":"3"}`), "whole": json.RawMessage(`[1,[2,3],{}]`), "none": json.RawMessage(`{}`)}
	var names []string
	for _, e := range o.list("l", 2) { // it is broken off behind them
		names = append(names, e.text("n"))
	}
	if !slices.Equal(names, []string{"1", "2"}) {
		t.Errorf("%v", names)
	}
	for name, want := range map[string]int{"whole": 3, "none": 0, "absent": 0} {
		if got := o.count(name); got != want {
			t.Errorf("%s has %d elements, want %d", name, got, want)
		}
	}
}
