package filter

import (
	"fmt"
	"strings"
	"testing"
)

// heavy is a filter that takes all that it may take, as most of these do.
const heavy = `any(1..1000, (# / 3) ** 100 == 0)`

var heavies = []string{
	heavy,
	`sum(map(1..1000, # * 1.25)) == 0`,
	`any(1..1000, data.text contains "no")`,
	`any(1..1000, data.text matches "(a|b|ab)*c")`,
	`any(1..1000, data.text matches data.pattern)`,
	`any(1..1000, upper(data.text) == "")`,
	`any(1..1000, len(split(data.text, "")) == 0)`,
	`any(1..1000, join(split(data.text, "a"), "bb") == "")`,
	`any(1..1000, data.small + 1e300 == #)`,
	`any(1..1000, data.large > # / 3)`,
	`any(1..1000, data.large / 7 == #)`,
	`any(1..1000, string(data.large) == "")`,
	`any(1..1000, date(data.text) == date(data.text))`,
	`any(1..1000, timestamp.Format(data.text) == "")`,
	`any(1..1000, data.list == data.other)`,
	`any(1..1000, # in data.list)`,
	`any(1..1000, -1 in concat(data.list, data.list))`,
	`any(1..1000, len(values(data.object)) == 0)`,
	`reduce(1..1000, #acc + #acc, data.text) == ""`,
	`reduce(1..1000, #acc * #acc, 1.5) == 0`,
	`len(filter(map(filter(1..1000, true), # * 2), true)) + len(1..1000) + len(1..1000) < 0`,
}

func heavyEvent() *Event {
	list := strings.TrimSuffix(strings.Repeat("1,", 30_000), ",")
	object := strings.Builder{}
	for i := range 3000 {
		fmt.Fprintf(&object, `"k%d":1,`, i)
	}
	return &Event{Data: fmt.Appendf(nil, `{"text":%q,"pattern":"(x|y|xy)*z","small":1e-500,"large":%s,"list":[%s],"other":[%s],"object":{%s"z":1}}`,
		strings.Repeat("ab", 20_000), strings.Repeat("9", 399)+"e300", list, list, object.String())}
}

func parse(t testing.TB, text string) *Filter {
	t.Helper()
	f, err := Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}

// An evaluation takes no more than mostSteps, whatever the filter and the data are.
func TestOneEvaluationIsBounded(t *testing.T) {
	for _, text := range heavies {
		f, effort := parse(t, text), NewEffort()
		before := effort.left
		_, err := f.Admits(heavyEvent(), effort)
		if took := before - effort.left; took > mostSteps {
			t.Errorf("%s took %d steps", text, took)
		}
		if err != nil && !strings.HasSuffix(err.Error(), string(tooLong)) && !strings.Contains(err.Error(), "too large") && !strings.Contains(err.Error(), "no date") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// What the heavy evaluations of one write take together is bounded, and a light
// one is made all the same.
func TestTheEvaluationsOfAWriteAreBounded(t *testing.T) {
	const events = 1000
	effort, event := &Effort{left: 400_000}, &Event{Type: "t", Data: []byte(`{"n":4,"tags":["vip"]}`)}
	whole := effort.left
	failure := 0
	for range events {
		if _, err := parse(t, heavy).Admits(event, effort); err != nil {
			failure++
		}
	}
	if failure != events {
		t.Errorf("%d of %d were judged", events-failure, events)
	}
	if took := whole - effort.left; took > whole+mostSteps {
		t.Errorf("together they took %d steps beyond the light ones", took)
	}
	for _, light := range []string{`data.n == 4`, `"vip" in data.tags && type == "t"`, `any(1..40, # == 40)`} {
		if ok, err := parse(t, light).Admits(event, effort); !ok || err != nil {
			t.Errorf("%s: %v %v", light, ok, err)
		}
	}
	if effort.left > 0 {
		t.Errorf("%d steps are left", effort.left)
	}
}

// FuzzFilters has no filter and no data be more than can be evaluated.
func FuzzFilters(f *testing.F) {
	for _, text := range heavies {
		f.Add(text, `{"text":"ab","list":[1,2,{"a":null}]}`)
	}
	f.Add(`data.a?.b[1:-1] ?? {"x": [#]}`, `{"a":{"b":"text"}}`)
	f.Add(`let x = data; x.n % 2 == 0 ? true : x.m > 1.5`, `{"n":1e400,"m":-0.0}`)
	f.Fuzz(func(t *testing.T, text, data string) {
		filter, err := Parse(text)
		if err != nil {
			return
		}
		_, err = filter.Admits(&Event{ID: "e", Type: "t", Data: []byte(data)}, NewEffort())
		if err != nil && strings.Contains(err.Error(), "went wrong inside") {
			t.Fatalf("%s of %s: %v", text, data, err)
		}
	})
}

func BenchmarkFilters(b *testing.B) {
	event := heavyEvent()
	for _, text := range heavies {
		f, err := Parse(text)
		if err != nil {
			continue
		}
		b.Run(text, func(b *testing.B) {
			took := 0
			for b.Loop() {
				effort := NewEffort()
				before := effort.left
				_, _ = f.Admits(event, effort)
				took = before - effort.left + lightSteps
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(took), "ns/step")
		})
	}
}
