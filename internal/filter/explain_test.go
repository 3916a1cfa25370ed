package filter

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// explained is what is said of a filter, a line for each condition.
func explained(t *testing.T, text string, e *Event) string {
	t.Helper()
	f, err := Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var lines []string
	for _, c := range f.Explain(e, NewEffort()) {
		line := fmt.Sprint(c.Text, ": ", c.Holds)
		if c.Error != "" {
			line = c.Text + ": " + c.Error
		}
		for _, f := range c.Found {
			line += "; " + f.Name + " is " + f.Value + f.Error
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestExplain(t *testing.T) {
	for text, want := range map[string]string{
		`data.orderForm.total > 1000 && data.marketId == "SWE"`: "data.orderForm.total > 1000: true; data.orderForm.total is 1000.5\n" +
			`data.marketId == "SWE": false; data.marketId is "NOR"`,
		`data.marketId == "SWE" and data.orderForm.total > 1000`: `data.marketId == "SWE": false; data.marketId is "NOR"` + "\n" +
			"data.orderForm.total > 1000: true; data.orderForm.total is 1000.5",
		`not ("vip" in data.tags) or type == "x"`: `"vip" in data.tags: true; data.tags is ["vip","web"]` + "\n" + `type == "x": false; type is "order_completed"`,
		`data.missing > 5`:                        "data.missing > 5: line 1, column 14: cannot compare nil with int; data.missing is null",
		`data.nothing.more == 1`:                  "data.nothing.more == 1: line 1, column 14: nil has no member more; data.nothing.more is line 1, column 14: nil has no member more",
		`any(data.orderForm.lineItems, #.code == "X")`: `any(data.orderForm.lineItems, .code == "X"): false; data.orderForm.lineItems is ` +
			`[{"code":"SHOE-42","quantity":2},{"code":"SOCK","quantity":1}]`,
		`data.point == 4 and data.deep.a[0][1] > 5`: "data.point == 4: true; data.point is 4.0\ndata.deep.a[0][1] > 5: false; data.deep.a[0][1] is 2.0",
		`data.point == data?.none?.more`:            "data.point == data?.none?.more: false; data.point is 4.0; data?.none?.more is null",
		`timestamp.Year() == 2027`:                  `timestamp.Year() == 2027: false; timestamp is "2026-11-21T09:30:00.123456Z"`,
		`data.big > 1 && data.big > 2`:              "data.big > 1: true; data.big is 9007199254740993\ndata.big > 2: true; data.big is 9007199254740993",
		`let t = data.orderForm.total; t > 5`:       "let t = data.orderForm.total; t > 5: true",
	} {
		if got := explained(t, text, testEvent()); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", text, got, want)
		}
	}
	if (*Filter)(nil).Explain(testEvent(), NewEffort()) != nil {
		t.Error("no filter has conditions")
	}
	erased := testEvent()
	erased.Data = nil
	if got := explained(t, `data.a == 1`, erased); !strings.Contains(got, "the data of the event was erased") {
		t.Error(got)
	}
	long := testEvent()
	long.Data = fmt.Appendf(nil, `{"x":"%s","l":[%s1]}`, strings.Repeat("ø", 10_000), strings.Repeat("1,", 10_000))
	if got := explained(t, `data.x == "" || data.l == []`, long); len(got) > 1000 || !strings.Contains(got, "…") {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}

// TestExplanationsAgree: conditions that are put together come to what the whole
// filter does.
func TestExplanationsAgree(t *testing.T) {
	parts := rapid.SampledFrom([]string{`data.orderForm.total > 1000`, `data.marketId == "SWE"`, `"vip" in data.tags`, `data.paid`, `type == "x"`})
	rapid.Check(t, func(rt *rapid.T) {
		all, op := rapid.SliceOfN(parts, 1, 4).Draw(rt, "parts"), rapid.SampledFrom([]string{" && ", " || "}).Draw(rt, "op")
		f, err := Parse(strings.Join(all, op))
		if err != nil {
			rt.Fatal(err)
		}
		want := op == " && "
		for _, c := range f.Explain(testEvent(), NewEffort()) {
			if op == " && " {
				want = want && c.Holds
			} else {
				want = want || c.Holds
			}
		}
		if got, err := f.Admits(testEvent(), NewEffort()); got != want || err != nil {
			rt.Errorf("%v: %v, %v; the conditions say %v", all, got, err, want)
		}
	})
}
