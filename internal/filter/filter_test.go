package filter

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const data = `{"orderForm":{"total":1000.5,"lineItems":[{"code":"SHOE-42","quantity":2},{"code":"SOCK","quantity":1}]},
	"tags":["vip","web"],"marketId":"NOR","paid":true,"nothing":null,"created":"2026-11-20T08:00:00Z",
	"n":4,"point":4.0,"exp":4e0,"neg":-3,"a":0.1,"b":0.2,"price":99.95,"big":9007199254740993,"bigger":12345678901234567890,
	"w":1e400,"v":1e999999999,"Æ":"ø\u00e6","deep":{"a":[[1,2.0],{"x":1}]},"also":{"a":[[1.0,2],{"x":1.00}]}}`

func testEvent() *Event {
	return &Event{ID: "evt_1", Type: "order_completed", OrderID: "o1", SubjectKind: "order", SubjectID: "o1",
		Timestamp: time.Date(2026, 11, 21, 9, 30, 0, 123456000, time.UTC), Data: []byte(data)}
}

// evaluated is "true", "false", or why the event cannot be evaluated.
func evaluated(t *testing.T, text string, e *Event) string {
	t.Helper()
	f, err := Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	admitted, err := f.Admits(e, NewEffort())
	if err != nil {
		if admitted {
			t.Errorf("%s: admitted, and %v", text, err)
		}
		return err.Error()
	}
	return fmt.Sprint(admitted)
}

func TestFiltersThatAreTrue(t *testing.T) {
	for _, text := range strings.Split(`data.orderForm.total > 1000
"vip" in data.tags && data.marketId == "NOR"
any(data.orderForm.lineItems, #.code == "SHOE-42")
any(data.orderForm.lineItems, .quantity == 1)
not all(data.orderForm.lineItems, #.quantity > 1)
none(data.tags, # == "x") and one(data.tags, # == "vip")
count(data.tags, # contains "e") == 1 && count(map(data.tags, # == "vip")) == 1
sum(data.orderForm.lineItems, .quantity) == 3 && sum([1, 2.5]) == 3.5
find(data.tags, # != "vip") == "web" && find(data.tags, # == "x") == nil
findIndex(data.tags, # == "web") == 1 && findLast(data.tags, true) == "web" && findLastIndex(data.tags, # == "x") == nil
len(filter(data.orderForm.lineItems, .quantity > 1)) == 1
map(data.tags, upper(#)) == ["VIP", "WEB"]
map(data.tags, #index) == [0, 1]
reduce(data.tags, #acc + #, "") == "vipweb" && reduce([1, 2, 3], #acc * #) == 6
type startsWith "order_" && subject.kind == "order" && subject.id == orderId
id == "evt_1" && type endsWith "_completed"
timestamp.Year() == 2026 && timestamp.Day() == 21 && timestamp.Hour() == 9
timestamp < now() && date(data.created) < timestamp && date("2026-11-21") < timestamp
timestamp - date(data.created) > duration("25h") && (timestamp - date(data.created)).Hours() < 26
timestamp.Add(duration("1h")).After(timestamp) && timestamp + duration("1h") - timestamp == duration("60m")
date("21.11.2026", "02.01.2006") == date("2026-11-21")
date("2026-11-21T09:30:00+01:00") == date("2026-11-21T08:30:00Z")
not ("vip" in data.nothing) && "vip" not in data.missing
reduce([1, 2, 3], #acc + #) == 6
data.paid
data?.no?.such == nil && data.nothing?.x.y.z == nil && (data.nope ?? "none") == "none"
data.missing == nil && data.missing != "x" && not (data.missing == 1)
data.tags[0] == "vip" && data.tags[-1] == "web" && data.tags[1:] == ["web"] && data.tags[:-1] == ["vip"]
data["marketId"] == "NOR" && "marketId" in data && not ("nope" in data)
data.marketId in ["NOR", "SWE"] && data.n in 1..10 && data.marketId not in ["DEN"]
"O" in data.marketId && data.Æ == "øæ"
data.marketId matches "^N.R$" && not (data.marketId matches "^(SWE|DEN)$") && data.marketId matches data.marketId
let q = data.n; let r = q * 2; q + r == 12
data.tags | any(# == "vip")
data.n == 4 ? data.paid : false
if data.n > 3 { true } else { false }
1; data.paid
len("æøå") == 3 && len(data.tags) == 2 && len(data.orderForm) == 2
first(data.tags) == "vip" && last(data.tags) == "web" && first([]) == nil && get(data, "n") == 4 && get(data.tags, 9) == nil
upper("a") + lower("B") == "Ab" && trim(" x ") == "x" && trim("--x-", "-") == "x" && trimPrefix("ab", "a") == "b" && trimSuffix("ab", "b") == "a"
hasPrefix("ab", "a") && hasSuffix("ab", "b") && indexOf("abcb", "b") == 1 && lastIndexOf("abcb", "b") == 3
split("a,b,c", ",") == ["a", "b", "c"] && split("a,b,c", ",", 2) == ["a", "b,c"] && join(["a", "b"], "-") == "a-b" && join(data.tags) == "vipweb"
max(1, 2.5, 2) == 2.5 && min([3, data.n]) == 3 && mean([1, 2]) == 1.5 && abs(data.neg) == 3
ceil(1.2) == 2 && floor(-1.2) == -2 && round(2.5) == 3 && int("12") == 12 && int(3.9) == 3 && float("0.10") == 0.1
string(data.n) == "4" && string(0.10) == "0.1" && string(true) == "true" && string(nil) == "nil" && string(timestamp) startsWith "2026"
sum(values({"a": 1, "b": 2})) == 3 && keys({"a": 1}) == ["a"] && concat([1], [2]) == [1, 2] && take([1, 2, 3], 2) == [1, 2]
{"a": [1, {"b": 2}]} == {"a": [1.0, {"b": 2.00}]} && data.deep == data.also && data.deep != data.orderForm && [1] != [1, 2] && data.tags != "vip"
"a" < "b" && "b" >= "a" && duration("1s") < duration("2s")`, "\n") {
		if got := evaluated(t, text, testEvent()); got != "true" {
			t.Errorf("%s: %s", text, got)
		}
	}
}

// Numbers are exact, whole or not, and however they are written.
func TestNumbersOfFilters(t *testing.T) {
	for text, want := range map[string]string{
		`data.n % 2 == 0`:                                                     "true",
		`data.point % 2 == 0 && data.exp % 3 == 1`:                            "true",
		`data.neg % 2 == -1`:                                                  "true",
		`data.price % 1 == 0.95`:                                              "true",
		`data.n == 4.00 && data.point == data.exp`:                            "true",
		`data.tags[data.point - 3] == "web"`:                                  "true",
		`data.a == 0.1 && data.a + data.b == 0.3`:                             "true",
		`0.1 + 0.2 == 0.3 && 0.1 * 3 == 0.3`:                                  "true",
		`data.price > 99.95`:                                                  "false",
		`data.price >= 99.95 && data.price < 99.950001`:                       "true",
		`data.price * 100 == 9995`:                                            "true",
		`data.big == 9007199254740992`:                                        "false",
		`data.big == 9007199254740992.0`:                                      "false",
		`data.big - 9007199254740992 == 1`:                                    "true",
		`data.bigger == 12345678901234567890.0`:                               "true",
		`data.bigger + 1 == 12345678901234567891.0`:                           "true",
		`0.12345678901234567890123 == 0.12345678901234567890124`:              "false",
		`1_000.5 == 1000.5 && .5 == 0.50 && 1e3 == 1000 && 2.5e-1 == 0.25`:    "true",
		`10 / 4 == 2.5 && 1 / 3 * 3 != 1 && 6 / 3 == 2`:                       "true",
		`2 ** 10 == 1024 && 2 ^ 3 == 8 && 2 ** -1 == 0.5 && 1.5 ** 2 == 2.25`: "true",
		`-data.neg == 3 && +data.n == 4 && 1 - 2 == -1`:                       "true",
		`9223372036854775807 + 1 == 9223372036854775808.0`:                    "true",
		`-9223372036854775807 - 2 == -9223372036854775809.0`:                  "true",
		`data.w > 5 && data.w == data.w`:                                      "true",
		`data.n == "4"`:                                                       "false",
		`data.v > 5`:                                                          "line 1, column 6: the number is too large to calculate with",
		`data.w * data.w * data.w > 1`:                                        "line 1, column 17: the number is too large to calculate with",
		`1 / data.nothing == 1`:                                               "line 1, column 3: / cannot be applied to int and nil",
		`data.n / 0 == 1`:                                                     "line 1, column 8: a division by zero",
		`data.n % 0 == 1`:                                                     "line 1, column 8: a division by zero",
		`0 ** -1 == 1`:                                                        "line 1, column 3: a division by zero",
		`2 ** 0.5 > 1`:                                                        "line 1, column 3: an exponent must be a whole number from -1000 to 1000",
		`2 ** 1001 > 1`:                                                       "line 1, column 3: an exponent must be a whole number from -1000 to 1000",
		`10 ** 999 * 10 ** 999 > 1`:                                           "line 1, column 11: the number is too large to calculate with",
	} {
		if got := evaluated(t, text, testEvent()); got != want {
			t.Errorf("%s: %s, not %s", text, got, want)
		}
	}
}

// What makes no sense for an event is no verdict.
func TestEventsThatCannotBeEvaluated(t *testing.T) {
	for text, want := range map[string]string{
		`data.missing > 5`:                              "cannot compare nil with int",
		`data.marketId < 5`:                             "cannot compare string with int",
		`data.marketId`:                                 "the result is neither true nor false",
		`data.nothing`:                                  "the result is neither true nor false",
		`data.nope.x == 1`:                              "nil has no member x",
		`data.marketId.x == 1`:                          "string has no member x",
		`data.tags["x"] == 1`:                           "an element of an array is found by a whole number, not by string",
		`data.tags[7] == 1`:                             "the array has no such element",
		`data.tags[0.5] == 1`:                           "an element of an array is found by a whole number, not by float",
		`data[1] == 1`:                                  "a member of a map is found by text, not by int",
		`any(data.marketId, true)`:                      "any goes through an array",
		`any(data.tags, #)`:                             "the predicate of any must be true or false",
		`data.paid && data.n`:                           "must be true or false here",
		`not data.n`:                                    "must be true or false here",
		`-data.marketId == 1`:                           "- cannot be applied to string",
		`data.marketId + 1 == 1`:                        "+ cannot be applied to string and int",
		`data.n contains "4"`:                           "contains compares texts, not int with string",
		`data.n matches "4"`:                            "matches compares a text with a pattern, not int with string",
		`data.marketId matches data.Æ + "("`:            "the pattern is wrong or too large",
		`1 in data.n`:                                   "int cannot be in int",
		`len(data.n) == 1`:                              "int has no length",
		`upper(data.n) == "4"`:                          "needs text, not int",
		`sum(data.tags) == 1`:                           "string cannot be added up",
		`max(data.tags) == 1`:                           "needs a number, not string",
		`date(data.marketId) < now()`:                   "the text is no date",
		`duration(data.marketId) < duration("1s")`:      "the text is no duration, as 1h30m is one",
		`int(data.marketId) == 1`:                       "the text is no number",
		`data.n..data.marketId == []`:                   "a range goes from one whole number to another",
		`0..data.big == []`:                             "a range of more than 1000 numbers",
		`data.n.Year() == 1`:                            "int has no methods",
		`timestamp.GobEncode() == nil`:                  "time has no method GobEncode",
		`reduce(data.nothing, #) == 1`:                  "reduce goes through an array",
		`reduce([], #) == 1`:                            "there is nothing to reduce",
		`data.marketId[0] == "N"`:                       "string has no elements",
		`data.n[1:] == 1`:                               "int has no parts",
		`{(data.marketId): 1, (data.nothing): 2} == {}`: "a name must be text",
	} {
		if got := evaluated(t, text, testEvent()); !strings.HasPrefix(got, "line 1, column ") || !strings.HasSuffix(got, ": "+want) {
			t.Errorf("%s: %s, not %s", text, got, want)
		}
	}
}

// Nothing but what is named has to be readable.
func TestDataThatIsNotNamed(t *testing.T) {
	huge := `{"status":"New","big":` + strings.Repeat("9", 1000) + `,"list":[` + strings.Repeat(`{"a":1},`, 50_000) + `{}],"deep":` + strings.Repeat(`[`, 100) + strings.Repeat(`]`, 100) + `}`
	for text, want := range map[string]string{
		`data.status == "New"`:                       "true",
		`data.list[50000] == {}`:                     "true",
		`data.big > 1`:                               "line 1, column 6: the number is too large to calculate with",
		`any(data.list, .a == 2)`:                    "line 1, column 19: " + string(tooLong),
		`type == "t"`:                                "true",
		`data.deep[0][0][0] != nil && data.x == nil`: "true",
	} {
		if got := evaluated(t, text, &Event{Type: "t", Data: []byte(huge)}); got != want && !(strings.HasSuffix(want, string(tooLong)) && strings.HasSuffix(got, string(tooLong))) {
			t.Errorf("%s: %s", text, got)
		}
	}
	erased := &Event{Type: "t"}
	if got := evaluated(t, `type == "t"`, erased); got != "true" {
		t.Error(got)
	}
	if got := evaluated(t, `data.x == 1`, erased); !strings.HasSuffix(got, "the data of the event was erased") {
		t.Error(got)
	}
}

func TestNoFilterAdmitsAll(t *testing.T) {
	var none *Filter
	if ok, err := none.Admits(&Event{}, NewEffort()); !ok || err != nil {
		t.Error(ok, err)
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		`data.total >`:                       "line 1, column 12: unexpected token EOF",
		"data.total > 5 &&\n nope":           "line 2, column 2: unknown name nope",
		`1 + 1`:                              "line 1, column 3: expected bool, but got int",
		`type`:                               "line 1, column 1: expected bool, but got string",
		"\n  len(data.x)":                    "line 2, column 3: expected bool, but got int",
		`data.total + 1`:                     "line 1, column 12: must be true or false, not the result of +",
		`any(data.a, any(#.b, # > 1))`:       "line 1, column 22: a loop within a loop",
		`data.å && any(data.a, any(#.b, #))`: "line 1, column 32: a loop within a loop",
		`sum(data.a, sum(data.a, sum(data.a, #)))`: "a loop within a loop",
		`any(1..999999, # == 0)`:                   "line 1, column 6: a range of more than 1000 numbers",
		`any(0..1000, # == 0)`:                     "a range of more than 1000 numbers",
		`sortBy(data.a, #) == []`:                  "line 1, column 1: filters have no sortBy; there are abs, all, any,",
		`repeat("a", 9) == data.a`:                 "filters have no repeat",
		`$env.id == "x"`:                           "line 1, column 1: there is no $env here",
		`data.x matches "("`:                       "missing closing ): `(`",
		`data.x matches "(abcdefghijklm){99}"`:     "line 1, column 16: the pattern is too large",
		`data.x > 1e400`:                           "value out of range",
		`data.x > 99999999999999999999`:            "value out of range",
		`data.x % 0.5 == 1`:                        "invalid operation: % (mismatched types unknown and float",
		`subject.name == "x"`:                      "has no field name",
		`type > 5`:                                 "invalid operation: > (mismatched types string and int)",
		strings.Repeat("a", 5000):                  "must be at most 4096 bytes long",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, not %s", text, err, want)
		}
	}
}
