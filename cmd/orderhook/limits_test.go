package main

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/admission"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]size{"10MiB": 10 << 20, "1": 1, " 512 KiB ": 512 << 10, "1048576": 1 << 20, "2gib": 2 << 30, "10MB": 10_000_000} {
		var s size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q: %d, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "0", "0MiB", "-1", "MiB", "10 apples", "1e3", "99999999999GiB", "NaN"} {
		var s size
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken for %d", text, s)
		}
	}
}

func TestASizeIsWrittenAsItIsRead(t *testing.T) {
	for want, s := range map[string]size{"10MiB": 10 << 20, "1024GiB": 1 << 40, "1GiB": 1 << 30, "1KiB": 1 << 10, "1023": 1023, "1025KiB": 1<<20 + 1<<10, "1": 1, "1048577": 1<<20 + 1} {
		var again size
		if err := again.UnmarshalText([]byte(s.String())); err != nil || again != s || s.String() != want {
			t.Errorf("%d is %s, and read %d again, %v", s, s, again, err)
		}
	}
}

func TestLimitsForAllAndPerTenant(t *testing.T) {
	for text, want := range map[string]admission.Limit{
		"1024/256": {All: 1024, PerTenant: 256}, "1024": {All: 1024, PerTenant: 1024}, " 5 / 5 ": {All: 5, PerTenant: 5},
	} {
		var l countLimit
		if err := l.UnmarshalText([]byte(text)); err != nil || admission.Limit(l) != want {
			t.Errorf("%q: %v, %v", text, l, err)
		}
	}
	for text, want := range map[string]string{
		"": "no whole number", "0": "no whole number", "5/0": "no whole number", "-1/1": "no whole number", "5/": "no whole number", "/5": "no whole number",
		"1/2/3": "no whole number", "1.5": "no whole number", "5/6": "more than all together", "9223372036854775807": "no whole number",
	} {
		var l countLimit
		if err := l.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v", text, l, err)
		}
	}
	var l sizeLimit
	if err := l.UnmarshalText([]byte("256MiB/64MiB")); err != nil || admission.Limit(l) != (admission.Limit{All: 256 << 20, PerTenant: 64 << 20}) {
		t.Errorf("%v, %v", l, err)
	}
	if err := l.UnmarshalText([]byte("1MiB/2MiB")); err == nil || !strings.Contains(err.Error(), "more than all together") {
		t.Errorf("%v, %v", l, err)
	}
	if got := l.String(); got == "" || sizeLimit(admission.DefaultLimits.Bytes).String() != "256MiB/64MiB" {
		t.Errorf("%s", got)
	}
}
