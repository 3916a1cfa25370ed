package dash

import (
	"fmt"
	"slices"
	"testing"
)

func TestComparedByName(t *testing.T) {
	step := func(name, more string) string {
		return fmt.Sprintf(`{"name":"WebhookWorkflowStep","connector":"Webhook","displayName":%q%s}`, name, more)
	}
	status := func(steps string) string {
		return `{"orderTypes":[{"name":"Online","orderStatuses":[{"name":"New","workflowSteps":[` + steps + `]}]}]}`
	}
	const at = "orderTypes[Online].orderStatuses[New].workflowSteps"
	for _, row := range []struct {
		name, a, b string
		want       []string
	}{
		{"nothing", status(step("A", "")), status(step("A", "")), nil},
		{"one in between", status(step("A", "") + "," + step("C", "")), status(step("A", "") + "," + step("B", "") + "," + step("C", "")), []string{at + "[B]"}},
		{"one that is gone", status(step("A", "") + "," + step("C", "")), status(step("C", "")), []string{at + "[A]"}},
		{"another order", status(step("A", "") + "," + step("C", "")), status(step("C", "") + "," + step("A", "")), []string{at + " (order)"}},
		{"a field of one that moved", status(step("A", "") + "," + step("C", "")), status(step("C", `,"active":false`) + "," + step("A", "")), []string{at + "[C].active", at + " (order)"}},
		{"two of one name", status(step("A", "") + "," + step("A", `,"active":true`)), status(step("A", "") + "," + step("A", `,"active":false`)), []string{at + "[A #2].active"}},
		{"connectors by id", `{"connectors":[{"name":"Webhook","connectorId":"a","host":"1"},{"name":"Webhook","connectorId":"b"}]}`, `{"connectors":[{"name":"Webhook","connectorId":"b"},{"name":"Webhook","connectorId":"a","host":"2"}]}`,
			[]string{"connectors[a].host", "connectors (order)"}},
		{"steps by connector", `{"s":[{"name":"X","connector":"W","connectorId":"a","x":1}]}`, `{"s":[{"name":"X","connector":"W","connectorId":"a","x":2}]}`, []string{"s[X a].x"}},
		{"properties", `{"p":[{"key":"a","keyGroup":"H","value":"1"}]}`, `{"p":[{"key":"a","value":"1"}]}`, []string{"p[H a]", "p[a]"}},
		{"texts", `{"l":["a","b"]}`, `{"l":["b"]}`, []string{"l[0]", "l[1]"}},
		{"elements without a name", `{"l":[{"x":1}]}`, `{"l":[{"x":2}]}`, []string{"l[0].x"}},
		{"numbers by their digits", `{"n":1.0}`, `{"n":1.00}`, []string{"n"}},
	} {
		changes, more := comparedByName([]byte(row.a), []byte(row.b), 100)
		var got []string
		for _, c := range changes {
			got = append(got, c.Path)
		}
		if more || !slices.Equal(got, row.want) {
			t.Errorf("%s: %q, not %q", row.name, got, row.want)
		}
	}
	if changes, more := comparedByName([]byte(`{"a":1,"b":1,"c":1}`), []byte(`{"a":2,"b":2,"c":2}`), 2); !more || len(changes) != 2 {
		t.Errorf("%d of at most 2, more: %v", len(changes), more)
	}
}
