package schema_test

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/schema"
)

var readShape = &schema.Shape{Name: "Thing", Noun: "a thing", Fields: []schema.ShapeField{
	{Name: "name", Required: true, Limits: schema.Limits{MinLength: 1, MaxLength: 5}, Hint: "any will do"},
	{Name: "size", Enum: []string{"small", "middling", "large"}, Blank: true, Default: "small"},
	{Name: "count", Type: schema.ShapeWhole, Limits: schema.Limits{Min: 1, Max: 9}, Default: 3},
	{Name: "rate", Type: schema.ShapeNumber, Limits: schema.Limits{Min: 0.5, Max: 2}, Form: "a rate, from 0.5 to 2"},
	{Name: "on", Type: schema.ShapeFlag, Default: true},
	{Name: "tags", Type: schema.ShapeTexts, Limits: schema.Limits{MinItems: 1, MaxItems: 2}},
	{Name: "kinds", Type: schema.ShapeTexts, Enum: []string{"a", "b"}, Limits: schema.Limits{MinItems: 1}},
	{Name: "from", Type: schema.ShapeTime},
	{Name: "within", Type: schema.ShapeObject},
}}

func TestAnObjectIsReadByItsShape(t *testing.T) {
	for body, want := range map[string]string{
		`{"name":"x"}`: "",
		`{"NAME":"x","Size":"","count":9,"rate":0.5,"on":null,"tags":["a","b"],"kinds":["b"],"from":"2026-11-21","within":{}}`: "",
		`{}`:                             "name: is needed; any will do",
		`{"name":null}`:                  "name: is needed; any will do",
		`{"name":""}`:                    "name: must not be empty",
		`{"name":"xxxxxx"}`:              "name: must be at most 5 characters long",
		`{"name":7}`:                     "name: must be text, not a number",
		`{"name":"x","size":"huge"}`:     "size: must be small, middling or large",
		`{"name":"x","count":10}`:        "count: must be a whole number from 1 to 9",
		`{"name":"x","count":1.5}`:       "count: must be a whole number from 1 to 9",
		`{"name":"x","count":"2"}`:       "count: must be a number, not text",
		`{"name":"x","rate":3}`:          "rate: must be a rate, from 0.5 to 2",
		`{"name":"x","rate":1e999}`:      "rate: must be a rate, from 0.5 to 2",
		`{"name":"x","on":"yes"}`:        "on: must be true or false, not text",
		`{"name":"x","tags":[]}`:         "tags: must have from 1 to 2 entries",
		`{"name":"x","tags":["a",1]}`:    "tags[1]: must be text, not a number",
		`{"name":"x","kinds":[]}`:        "kinds: must have an entry",
		`{"name":"x","kinds":["a","c"]}`: "kinds[1]: must be a or b",
		`{"name":"x","from":"now"}`:      "from: must be a time as 2026-11-21T09:30:00Z",
		`{"name":"x","within":[]}`:       "within: must be an object, not a list",
		`{"nam":"x","colour":1}`:         "nam: is no field of a thing; is name meant?; colour: is no field of a thing; there are name, size, count, rate, on, tags, kinds, from, within; name: is needed; any will do",
	} {
		err := schema.Read(ordertest.Doc(t, body), readShape).Err()
		if want == "" && err != nil || want != "" && (apierr.KindOf(err) != apierr.Invalid || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}

func TestWhatIsNotThereHasItsDefault(t *testing.T) {
	r := schema.Read(ordertest.Doc(t, `{"name":"x","size":null,"count":"many"}`), readShape)
	if r.Text("size") != "small" || r.Whole("count") != 3 || !r.Flag("on") || r.Texts("tags") != nil || !r.Time("from").IsZero() {
		t.Errorf("%q, %d, %t, %q, %v", r.Text("size"), r.Whole("count"), r.Flag("on"), r.Texts("tags"), r.Time("from"))
	}
	if r.Has("size") || !r.Given("size") || r.Given("tags") {
		t.Error("null is given, and says nothing")
	}
}
