package dash

import (
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
)

func TestPlacesThatAreNone(t *testing.T) {
	for _, text := range []string{"nonsense", "connectors", "connectors[", "connectors[-1]", "connectors[1", "connectors[1]x", "connectors[1].", ".connectors[1]", "workflowSteps[0]", "connectors[0].workflowSteps[0]",
		"orderTypes[+].orderStatuses[0]", "retention[0]", "connectors[0].properties[0]", "connectors[99999999]", "orderTypes[0].name", "Connectors[0]"} {
		if p, err := parsePlace(text); apierr.KindOf(err) != apierr.NotFound {
			t.Errorf("%q is the place %v, %v", text, p, err)
		}
	}
}

func TestWhatIsPutAtAPlace(t *testing.T) {
	const doc = `{"own":1.50,"orderTypes":[{"name":"A","orderStatuses":[{"name":"New","workflowSteps":[{"name":"a"},{"name":"b"},{"name":"c"}]}]}]}`
	const steps = "orderTypes[0].orderStatuses[0].workflowSteps"
	in := func(steps string) string {
		return `{"own":1.50,"orderTypes":[{"name":"A","orderStatuses":[{"name":"New","workflowSteps":[` + steps + `]}]}]}`
	}
	for _, row := range []struct {
		name, at string
		o        *jsondoc.Object
		position int
		want     string // "": there is nothing
	}{
		{"in place", steps + "[1]", document(t, `{"name":"x"}`), -1, in(`{"name":"a"},{"name":"x"},{"name":"c"}`)},
		{"to the front", steps + "[1]", document(t, `{"name":"b"}`), 0, in(`{"name":"b"},{"name":"a"},{"name":"c"}`)},
		{"to the end", steps + "[0]", document(t, `{"name":"a"}`), 2, in(`{"name":"b"},{"name":"c"},{"name":"a"}`)},
		{"beyond the end", steps + "[0]", document(t, `{"name":"a"}`), 99, in(`{"name":"b"},{"name":"c"},{"name":"a"}`)},
		{"taken away", steps + "[2]", nil, -1, in(`{"name":"a"},{"name":"b"}`)},
		{"added", steps + "[+]", document(t, `{"name":"x"}`), -1, in(`{"name":"a"},{"name":"b"},{"name":"c"},{"name":"x"}`)},
		{"added in between", steps + "[+]", document(t, `{"name":"x"}`), 1, in(`{"name":"a"},{"name":"x"},{"name":"b"},{"name":"c"}`)},
		{"the first of its kind", "connectors[+]", document(t, `{"name":"x"}`), 0, doc[:len(doc)-1] + `,"connectors":[{"name":"x"}]}`},
		{"all", "", document(t, `{"own":2}`), -1, `{"own":2}`},
		{"one that is not there", steps + "[3]", document(t, `{}`), -1, ""},
		{"within one that is not there", "orderTypes[1].orderStatuses[+]", document(t, `{}`), -1, ""},
	} {
		before := document(t, doc)
		got, err := place1(t, row.at).put(before, row.o, row.position)
		if row.want == "" {
			if apierr.KindOf(err) != apierr.NotFound {
				t.Errorf("%s: %v", row.name, err)
			}
			continue
		}
		if err != nil || string(got.JSON()) != row.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", row.name, err, got.JSON(), row.want)
		}
		if string(before.JSON()) != doc {
			t.Errorf("%s changed the document itself", row.name)
		}
	}
}
