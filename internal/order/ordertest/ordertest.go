package ordertest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/schema"
)

// Noon is the time at which the tests' orders are written.
var Noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// Doc reads a document that must be sound. It is read as a patch, which may have all that
// a document may, and the members of patches.
func Doc(t testing.TB, json string) *jsondoc.Object {
	t.Helper()
	o, _, err := schema.ParseOrderPatch([]byte(json))
	if err != nil {
		t.Fatalf("ParseOrderPatch(%s): %v", json, err)
	}
	return o
}

// Apply applies a patch that must succeed. Tests of refusals call the rules themselves.
func Apply(t testing.TB, rules *order.PatchRules, document, patch string) order.Patched {
	t.Helper()
	// Both are read anew for each call, so no test changes the document of another.
	p, err := rules.Apply(Doc(t, document), Doc(t, patch))
	if err != nil {
		t.Fatalf("Apply(%s): %v", patch, err)
	}
	return p
}

// Same compares a document with the JSON it should be, members in their order. Numbers
// are the same if their digits are.
func Same(t testing.TB, got *jsondoc.Object, want string) {
	t.Helper()
	if diff := cmp.Diff(string(Doc(t, want).JSON()), string(got.JSON())); diff != "" {
		t.Errorf("the document differs (-want +got):\n%s", diff)
	}
}

// Refused checks an error's kind and, if one is given, the text it holds. An error of
// another type ends the test: its kind would mean nothing.
func Refused(t testing.TB, err error, kind apierr.Kind, text string) {
	t.Helper()
	e, ok := errors.AsType[*apierr.Error](err)
	if !ok {
		t.Fatalf("error %v (%T) is no *apierr.Error", err, err)
	}
	if e.Kind != kind || !strings.Contains(err.Error(), text) {
		t.Errorf("error %q of kind %d; want %q of kind %d", err, e.Kind, text, kind)
	}
}

// Locations are the places of an error's fields, in their order. They are nil for an
// error of another type.
func Locations(err error) []string {
	e, ok := errors.AsType[*apierr.Error](err)
	if !ok {
		return nil
	}
	return FieldLocations(e.Fields)
}

// FieldLocations are the places of errors, in their order.
func FieldLocations(fields []apierr.FieldError) []string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Location)
	}
	return out
}
