package rerun

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
)

// valued are two decisions' values of each field: no two of them say the same.
var valued = map[string][2]any{
	"outcome": {Answered, Retry}, "reason": {"a", "b"}, "result": {run.ActionSuccess, run.ActionError}, "cancels": {false, true}, "stops": {false, true},
	"superseded": {false, true}, "status": {"Held", "Sent"}, "triggers": {"", "Accepted"}, "translateKey": {"k", "l"}, "errors": {[]string{"a"}, []string{"a", "b"}},
	"cleared": {[]string{"a"}, []string(nil)}, "events": {[]string{"OrderCreated"}, []string{}}, "passed": {true, false},
	"validationErrors":   {[]cart.ValidationError{{Message: "a"}}, []cart.ValidationError{{Message: "b"}}},
	"validationWarnings": {[]cart.ValidationError{{Message: "a"}}, []cart.ValidationError{}},
	"message":            {"a", "b"}, "turnsOff": {false, true},
	"changes":  {[]order.Change{{Path: "tags", After: "a"}}, []order.Change{{Path: "tags", After: "b"}}},
	"warnings": {[]apierr.Warning{{Path: "a", Message: "m"}}, []apierr.Warning{{Path: "a", Message: "n"}}},
}

// TestEachFieldIsCompared: two decisions that differ in one field differ in that one, whatever
// field it is; one that is added to the struct and not compared is found here.
func TestEachFieldIsCompared(t *testing.T) {
	for i := range reflect.TypeFor[Decision]().NumField() {
		f := reflect.TypeFor[Decision]().Field(i)
		if !f.IsExported() {
			continue
		}
		name := jsonName(f)
		values, known := valued[name]
		if !known {
			t.Errorf("%s: this test has no values of it", name)
			continue
		}
		with := func(v any) *Decision {
			d := &Decision{Outcome: Answered, Events: []string{}}
			reflect.ValueOf(d).Elem().Field(i).Set(reflect.ValueOf(v))
			return d
		}
		path := name
		if name == "changes" {
			path = "order.tags"
		}
		for _, pair := range [][2]any{values, {values[1], values[0]}} {
			if found := pathsOf(Compare(with(pair[0]), with(pair[1]), Options{})); !slices.Equal(found, []string{path}) {
				t.Errorf("%s: %v and %v differ in %q", name, pair[0], pair[1], found)
			}
			if found := pathsOf(Compare(with(pair[0]), with(pair[0]), Options{})); found != nil {
				t.Errorf("%s: %v differs from itself in %q", name, pair[0], found)
			}
			if found := pathsOf(Compare(with(pair[0]), with(pair[1]), Options{Ignore: []string{path}})); found != nil {
				t.Errorf("%s: what is ignored differs in %q", name, found)
			}
		}
	}
}

// jsonName is the name of a field in JSON, by which its paths begin.
func jsonName(f reflect.StructField) string {
	name := f.Tag.Get("json")
	for i, c := range name {
		if c == ',' {
			return name[:i]
		}
	}
	return name
}

func pathsOf(list []Difference) (paths []string) {
	for _, d := range list {
		paths = append(paths, d.Path)
	}
	return paths
}

// The order of some lists says nothing, and that of errors does. Events that the record does not
// know are compared with nothing.
func TestWhichListsHaveAnOrder(t *testing.T) {
	a, b := []string{"a", "b"}, []string{"b", "a"}
	warnings := []apierr.Warning{{Path: "a"}, {Path: "b"}}
	for name, c := range map[string]struct {
		was, is Decision
		differ  bool
	}{
		"errors":               {Decision{Errors: a}, Decision{Errors: b}, true},
		"errors that went":     {Decision{Cleared: a}, Decision{Cleared: b}, false},
		"warnings":             {Decision{Warnings: warnings}, Decision{Warnings: []apierr.Warning{warnings[1], warnings[0]}}, false},
		"events":               {Decision{Events: a}, Decision{Events: b}, false},
		"one event twice":      {Decision{Events: a}, Decision{Events: []string{"a", "b", "b"}}, true},
		"events not on record": {Decision{}, Decision{Events: b}, false},
		"events not known now": {Decision{Events: a}, Decision{}, false},
	} {
		if found := pathsOf(Compare(&c.was, &c.is, Options{})); (len(found) > 0) != c.differ {
			t.Errorf("%s: they differ in %q", name, found)
		}
	}
}

// What a comparison comes to, of the worst thing in it.
func TestWhatAComparisonComesTo(t *testing.T) {
	slow := Options{Slower: 3, SlowerFrom: 500 * time.Millisecond}
	failed := &Decision{Outcome: Failed}
	for name, c := range map[string]struct {
		was, is *Decision
		ms, now float64
		options Options
		want    Result
	}{
		"the same":                {&Decision{Outcome: Answered}, &Decision{Outcome: Answered}, 100, 100, slow, Same},
		"slower":                  {&Decision{Outcome: Answered}, &Decision{Outcome: Answered}, 200, 601, slow, Slower},
		"not much slower":         {&Decision{Outcome: Answered}, &Decision{Outcome: Answered}, 200, 600, slow, Same},
		"slower, and quick":       {&Decision{Outcome: Answered}, &Decision{Outcome: Answered}, 100, 499, slow, Same},
		"slower by any time":      {&Decision{Outcome: Answered}, &Decision{Outcome: Answered}, 1, 9000, Options{}, Same},
		"different and slower":    {&Decision{Outcome: Answered}, &Decision{Outcome: Answered, Stops: true}, 200, 9000, slow, Different},
		"failed":                  {&Decision{Outcome: Answered, Stops: true}, failed, 100, 100, slow, Broken},
		"retried":                 {&Decision{Outcome: Answered}, &Decision{Outcome: Retry}, 100, 100, slow, Broken},
		"failed as it did":        {failed, &Decision{Outcome: Failed}, 100, 100, slow, Same},
		"answered, and had not":   {failed, &Decision{Outcome: Answered}, 100, 100, slow, Different},
		"ignored, and failed now": {&Decision{Outcome: Answered}, failed, 100, 100, Options{Ignore: []string{"outcome"}}, Broken},
	} {
		got := CompareCalls(c.was, c.is, &Answer{DurationMs: c.ms}, &Answer{DurationMs: c.now}, c.options)
		if got.Result != c.want {
			t.Errorf("%s: it is %s: %v", name, got.Result, got.Differences)
		}
	}
	// Where there is no connection nothing is known of the endpoint, also beside a failure on record.
	if got := CompareCalls(failed, failed, &Answer{}, &Answer{Unreached: true}, slow); got.Result != Broken {
		t.Errorf("without a connection it is %s", got.Result)
	}
}
