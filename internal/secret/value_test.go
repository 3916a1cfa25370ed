package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// TestNothingPrintsTheText, whatever the secret stands in.
func TestNothingPrintsTheText(t *testing.T) {
	type holder struct {
		V    Value
		List []Value
		Ptr  *Value
	}
	v := New("hush-hush")
	h := holder{v, []Value{v}, &v}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb+"\n", v, h, &h)
	}
	fmt.Fprintln(&out, v, h, v.String())
	for _, log := range []*slog.Logger{slog.New(slog.NewTextHandler(&out, nil)), slog.New(slog.NewJSONHandler(&out, nil))} {
		log.Info("it is", "v", v, "h", h)
	}
	data, err := json.Marshal(h)
	if err == nil {
		t.Error("what is not stored has been written")
	}
	fmt.Fprintln(&out, string(data), err)
	if text := out.String(); strings.Contains(text, "hush") || strings.Contains(text, fmt.Sprintf("%x", "hush")) || !strings.Contains(text, Mask) {
		t.Error(text)
	}
}

func TestAReferenceIsWritten(t *testing.T) {
	type holder struct {
		V    Value `json:"v,omitzero"`
		None Value `json:"none,omitzero"`
	}
	data, err := json.Marshal(holder{V: Stored("sec_1", "a/place")})
	if err != nil || string(data) != `{"v":"sec_1"}` {
		t.Errorf("%s, %v", data, err)
	}
	var back holder
	if err := json.Unmarshal(data, &back); err != nil || back.V.At("a/place") != Stored("sec_1", "a/place") || !back.None.IsZero() {
		t.Errorf("%#v, %v", back, err)
	}
	if New("x").At("a/place") != New("x") || !New("").IsZero() || New("").String() != "" {
		t.Error("what is not stored has a place, or nothing is something")
	}
}
