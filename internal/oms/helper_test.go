package oms_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/oms"
)

// noon is the time at which the tests' orders are written.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// doc reads a document that must be sound.
func doc(t testing.TB, json string) *oms.Object {
	t.Helper()
	o, _, err := oms.ParseOrderPatch([]byte(json))
	if err != nil {
		t.Fatalf("ParseOrderPatch(%s): %v", json, err)
	}
	return o
}

// apply applies a patch that must succeed.
func apply(t testing.TB, rules *oms.PatchRules, document, patch string) oms.Patched {
	t.Helper()
	p, err := rules.Apply(doc(t, document), doc(t, patch))
	if err != nil {
		t.Fatalf("Apply(%s): %v", patch, err)
	}
	return p
}

// same compares a document with the JSON it should be, members in their order.
func same(t testing.TB, got *oms.Object, want string) {
	t.Helper()
	if diff := cmp.Diff(string(doc(t, want).JSON()), string(got.JSON())); diff != "" {
		t.Errorf("the document differs (-want +got):\n%s", diff)
	}
}

// refused checks an error's kind and, if one is given, the text it holds.
func refused(t testing.TB, err error, kind oms.Kind, text string) {
	t.Helper()
	e, ok := errors.AsType[*oms.Error](err)
	if !ok {
		t.Fatalf("error %v (%T) is no *oms.Error", err, err)
	}
	if e.Kind != kind || !strings.Contains(err.Error(), text) {
		t.Errorf("error %q of kind %d; want %q of kind %d", err, e.Kind, text, kind)
	}
}

// paths are the paths of changes, in their order.
func paths(changes []oms.Change) []string {
	var out []string
	for _, c := range changes {
		out = append(out, c.Path)
	}
	return out
}

// locations are the places of an error's fields, in their order.
func locations(err error) []string {
	e, ok := errors.AsType[*oms.Error](err)
	if !ok {
		return nil
	}
	return fieldLocations(e.Fields)
}

func fieldLocations(fields []oms.FieldError) []string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Location)
	}
	return out
}
