package jsondoc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order/ordertest"
)

// manyFields is n members, each with a comma behind it.
func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"field%d":%d,`, i, i)
	}
	return b.String()
}

func TestAnObjectFindsMembersWithoutRegardToCase(t *testing.T) {
	for _, fields := range []int{1, jsondoc.IndexFrom + 10} { // with an index and without
		o := ordertest.Doc(t, `{`+manyFields(fields)+`"customField":"x","ångström":"y"}`)
		for name, want := range map[string]string{
			"customField": "x", "CUSTOMFIELD": "x", "customfield": "x", "ångström": "y", "ÅNGSTRÖM": "y", "other": "", "ångstrom": "",
		} {
			if got := o.Text(name); got != want {
				t.Errorf("%d fields: %s is %q, want %q", fields, name, got, want)
			}
		}
	}
}

func TestSetKeepsTheNameAndThePlace(t *testing.T) {
	o := ordertest.Doc(t, `{"a":1,"b":2}`)
	o.Set("A", "x")
	o.Set("c", nil)
	ordertest.Same(t, o, `{"a":"x","b":2,"c":null}`)
}

func TestDeleteKeepsTheOthersInReach(t *testing.T) {
	for _, fields := range []int{3, jsondoc.IndexFrom + 10} {
		o := ordertest.Doc(t, `{`+manyFields(fields)+`"last":"x"}`)
		o.Delete("FIELD1")
		o.Delete("FIELD1")
		if _, ok := o.Get("field1"); ok || o.Len() != fields || o.Text("last") != "x" || !o.Has("field2") {
			t.Errorf("%d fields: %s", fields, o.JSON())
		}
	}
}

func TestReadingTheWrongTypeGivesNothing(t *testing.T) {
	o := ordertest.Doc(t, `{"text":"x","number":1,"yes":true,"none":null,"object":{},"list":["a",1,{},null,"b"]}`)
	for _, name := range []string{"number", "yes", "none", "absent"} {
		if o.Text(name) != "" || o.Object(name) != nil || o.List(name) != nil || o.Objects(name) != nil || o.Texts(name) != nil {
			t.Errorf("%s reads as something else", name)
		}
	}
	if o.True("text") || !o.True("yes") || o.Has("none") || o.Has("absent") || !o.Has("number") {
		t.Error("True or Has is wrong")
	}
	if diff := cmp.Diff([]string{"a", "b"}, o.Texts("list")); diff != "" || len(o.Objects("list")) != 1 {
		t.Errorf("the list reads wrong: %s", diff)
	}
}

func TestNoObjectReadsAsAnEmptyOne(t *testing.T) {
	var o *jsondoc.Object
	if o.Len() != 0 || o.Has("x") || o.Text("x") != "" || o.Members() != nil || o.Clone() != nil || string(o.JSON()) != "{}" {
		t.Error("the nil object is not empty")
	}
}

func TestACloneSharesNothing(t *testing.T) {
	const in = `{"list":[{"a":[1]}],"object":{"b":{"c":1}}}`
	o := ordertest.Doc(t, in)
	c := o.Clone()
	c.Objects("list")[0].Set("a", "changed")
	c.Object("object").Object("b").Set("c", "changed")
	c.List("list")[0] = nil
	ordertest.Same(t, o, in)
}
