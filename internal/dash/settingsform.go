package dash

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// formField is one field of a form that edits an object of the settings. Kind says which
// input the template makes, and how what is written into it is read again.
type formField struct {
	Name  string // of the field in the object, as breaker.failures
	Label string
	Kind  string // text, secret, flag, lines, json, choice
	Value string
	Help  string
	List  string   // the id of the list with suggestions
	Picks []Option // of a choice
	Error string   // what is wrong with the value
	Focus bool     // the page begins here, since this is wrong
}

// ID is the id of the field's element.
func (f formField) ID() string { return "field-" + f.Name }

// Lines is how high a field is that has several. It grows with its text, within bounds.
func (f formField) Lines() int { return min(max(strings.Count(f.Value, "\n")+1, 2), 12) }

// formGroup is fields that belong together. All but the first may be folded up.
type formGroup struct {
	Title  string
	Fields []formField
	Open   bool // one of them has a value
}

// formRow is an entry of the properties, or of the headers. Index is its place in the
// list of the object; one that is new has a place behind the end.
type formRow struct {
	Index                int
	Key, Value, KeyGroup string
	HasGroup             bool // properties have one, headers do not
}

// formRows is a list of names and values. Properties and headers look alike, but for the
// group.
type formRows struct {
	List, Title, Help string
	Rows              []formRow
	HasGroup          bool
}

// settingsForm is a form that edits one object of the settings. It changes what somebody
// changed in it, and nothing else: a field that the form does not know stays as it is. So
// a form of an older orderhook, or a field that only some other system reads, loses
// nothing.
type settingsForm struct {
	Groups    []formGroup
	Rows      []formRows
	Positions []Option // where in its list the object may stand
	Position  string
	Lists     []formList
}

// formList is suggestions for a field.
type formList struct {
	ID     string
	Values []string
}

// secretFields are those of a connector that nobody is shown. Values of headers are
// secrets, too; those are rows (secretRow).
var secretFields = []string{"bearerToken", "token", "password", "signingSecret"}

// moreRows is how many empty rows a list of names and values ends with.
const moreRows = 3

// fieldsOf lists the fields of an object that a form edits: those of an object within it,
// too. Lists of objects have pages of their own, but for names and values. Names of the
// inner fields have a dot, as breaker.failures.
func fieldsOf(shape *schema.Shape, prefix string) (fields []schema.ShapeField) {
	for _, f := range shape.Fields {
		f.Name = prefix + f.Name
		switch {
		case f.Type == schema.ShapeObject && f.Of != nil:
			fields = append(fields, fieldsOf(f.Of, f.Name+".")...)
		case f.Type == schema.ShapeList && f.Of != nil:
		default:
			fields = append(fields, f)
		}
	}
	return fields
}

// rowLists are the lists of names and values that an object may have. Every object that
// may have them takes them in the same form.
func rowLists(shape *schema.Shape) (lists []string) {
	for _, name := range []string{"properties", "customHeaders"} {
		if f := shape.Field(name); f != nil && f.Of != nil {
			lists = append(lists, name)
		}
	}
	return lists
}

// within is the object that holds a field with a dot in its name, and the rest of the
// name. The object is nil where there is no such inner object.
func within(o *jsondoc.Object, name string) (*jsondoc.Object, string) {
	if outer, inner, ok := strings.Cut(name, "."); ok {
		return o.Object(outer), inner
	}
	return o, name
}

// shownField is the value of a field as the form has it, and what kind of input that
// needs. A value of another type than the field's is shown as JSON, so that the form
// neither hides nor changes it.
func shownField(o *jsondoc.Object, f schema.ShapeField) (kind, value string) {
	// The type of the value decides, and not that of the field: a value of a wrong type
	// must be shown as it is.
	in, name := within(o, f.Name)
	v, _ := in.Get(name)
	switch v := v.(type) {
	case nil:
		return kindOf(f), ""
	case string:
		if kind := kindOf(f); (kind == "text" || kind == "secret") && oneLine(v) {
			return kind, v
		}
	case jsondoc.Number:
		if f.Type == schema.ShapeNumber {
			return "text", string(v)
		}
	case bool:
		if f.Type == schema.ShapeFlag {
			return "flag", strconv.FormatBool(v)
		}
	case []any:
		if lines, ok := linesOf(v); ok && len(v) > 0 && kindOf(f) == "lines" {
			return "lines", lines
		}
	}
	return "json", jsonOf(v)
}

// kindOf is the kind of input that a field has, as long as its value is of its own type.
// conditions are a list of texts, or of objects; as texts they are lines.
func kindOf(f schema.ShapeField) string {
	_, name := within(nil, f.Name)
	switch {
	case f.Type == schema.ShapeFlag:
		return "flag"
	case f.Type == schema.ShapeTexts || name == "conditions":
		return "lines"
	case f.Type == schema.ShapeList || f.Type == schema.ShapeObject:
		return "json"
	case slices.Contains(secretFields, name):
		return "secret"
	}
	return "text"
}

// linesOf is a list of texts, one a line; false where it holds anything else. A text that
// would be read back differently, as one with a space before it, is anything else.
func linesOf(list []any) (string, bool) {
	lines := make([]string, len(list))
	for i, e := range list {
		text, ok := e.(string)
		if !ok || text == "" || strings.TrimSpace(text) != text || !oneLine(text) {
			return "", false
		}
		lines[i] = text
	}
	return strings.Join(lines, "\n"), true
}

// jsonOf is a value as JSON, for people. The value is put into an object and taken out of
// its text again, because only an object has a JSON form in package jsondoc.
func jsonOf(v any) string {
	if o, ok := v.(*jsondoc.Object); ok {
		return pretty(o.JSON())
	}
	text := jsondoc.NewObject(jsondoc.Member{Name: "v", Value: v}).JSON()
	return pretty(text[len(`{"v":`) : len(text)-1])
}

// setField gives a field what was written into its input. What is no JSON where JSON is
// needed is an error. A field that was emptied is removed, and so is an inner object in
// which nothing is left. A number is set as the digits that were written; what is no
// number is left to the API, which says so.
func setField(o *jsondoc.Object, f schema.ShapeField, kind, text string) error {
	// The inner object is made first; if it stays empty, it is taken away again below.
	if outer, _, ok := strings.Cut(f.Name, "."); ok && o.Object(outer) == nil {
		o.Set(outer, jsondoc.NewObject())
	}
	in, name := within(o, f.Name)
	if text == "" {
		in.Delete(name)
		if outer, _, ok := strings.Cut(f.Name, "."); ok && in.Len() == 0 {
			o.Delete(outer)
		}
		return nil
	}
	switch {
	case kind == "flag":
		in.Set(name, text == "true")
	case kind == "lines":
		in.Set(name, lineList(text))
	case kind == "json":
		v, err := valueOf(text)
		if err != nil {
			return apierr.Wrong(f.Name, "must be JSON: %s", err)
		}
		in.Set(name, v)
	case f.Type == schema.ShapeNumber && json.Valid([]byte(text)) && strings.Trim(text, "-+.eE0123456789") == "":
		in.Set(name, jsondoc.Number(text))
	default:
		in.Set(name, text)
	}
	return nil
}

// lineList is the texts that stand one a line. Empty lines do not count.
func lineList(text string) []any {
	out := []any{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// valueOf reads any JSON value. The object around it would let `1,"x":2` pass, so what is
// more than one value is refused.
func valueOf(text string) (any, error) {
	o, err := schema.Parse([]byte(`{"v":` + text + `}`))
	if err != nil || o.Len() != 1 {
		if err == nil {
			err = apierr.Errorf(apierr.Malformed, "there is more than one value")
		}
		return nil, err
	}
	v, _ := o.Get("v")
	return v, nil
}

// posted is what was written into an input: lines as this program has them. False where
// the form has no such input. Browsers end lines with \r\n. Line ends at the end are what
// a person typed by chance.
func posted(form url.Values, name string) (string, bool) {
	values, ok := form[name]
	if !ok || len(values) == 0 {
		return "", false
	}
	return strings.TrimRight(strings.ReplaceAll(values[0], "\r\n", "\n"), "\n"), true
}

// applyForm returns a copy of an object with what somebody changed in its form. A field
// is compared with what the form showed of it, and not with its value: what the form
// cannot show exactly is left as it is.
func applyForm(o *jsondoc.Object, shape *schema.Shape, form url.Values) (*jsondoc.Object, error) {
	out := o.Clone()
	if out == nil {
		out = jsondoc.NewObject()
	}
	for _, f := range fieldsOf(shape, "") {
		// Only what the form has, and what is not as it was shown, is set.
		kind, was := shownField(o, f)
		text, ok := posted(form, "f."+f.Name)
		if !ok || text == was {
			continue
		}
		if kind == "text" {
			text = strings.TrimSpace(text)
		}
		if err := setField(out, f, kind, text); err != nil {
			return nil, err
		}
	}
	for _, list := range rowLists(shape) {
		applyRows(out, list, form)
	}
	return out, nil
}

// applyRows changes a list of names and values as its rows say. One without a name and a
// value is taken away; what is no row stays. If nothing in them was changed, the list
// itself stays as it is, with whatever members its elements have besides.
func applyRows(o *jsondoc.Object, list string, form url.Values) {
	var out []any
	was := o.List(list)
	changed := false
	// First the rows that were there, in their order, then those that were added behind
	// them.
	for i := range len(was) + mostNewRows {
		var element any
		if i < len(was) {
			element = was[i]
		}
		row, isObject := element.(*jsondoc.Object)
		if element != nil && !isObject || !form.Has(rowField(list, i, "key")) {
			if element != nil {
				out = append(out, element)
			}
			continue
		}
		next := newRow(row, list, i, form)
		if next == nil {
			changed = changed || row != nil
			continue
		}
		// A row is compared by its JSON, with all its members.
		changed = changed || row == nil || string(next.JSON()) != string(row.JSON())
		out = append(out, next)
	}
	if changed {
		if o.Set(list, out); len(out) == 0 {
			o.Delete(list)
		}
	}
}

// mostNewRows is how many rows may be added at a time.
const mostNewRows = 50

// rowField is the name of an input of a row.
func rowField(list string, i int, field string) string {
	return "r." + list + "." + strconv.Itoa(i) + "." + field
}

// newRow is a row as it was posted; nil where nothing is left of it. It keeps members
// that the form does not know. A row in which nothing was written is returned as it was.
func newRow(was *jsondoc.Object, list string, i int, form url.Values) *jsondoc.Object {
	next := was.Clone()
	if next == nil {
		next = jsondoc.NewObject()
	}
	written := false
	for _, field := range []string{"key", "value", "keyGroup"} {
		text, ok := posted(form, rowField(list, i, field))
		if before := rowText(was, field); !ok || text == before {
			continue
		}
		written = true
		if next.Set(field, text); text == "" && field == "keyGroup" {
			next.Delete(field)
		}
	}
	if !written {
		return was
	}
	if strings.TrimSpace(rowText(next, "key")) == "" && rowText(next, "value") == "" {
		return nil
	}
	return next
}

// rowText is a member of a row as its input shows it. A value that is no text is shown as
// JSON.
func rowText(row *jsondoc.Object, field string) string {
	v, _ := row.Get(field)
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		if oneLine(v) {
			return v
		}
	}
	return jsonOf(v)
}

// oneLine reports whether an input of one line shows a text as it is.
func oneLine(text string) bool { return !strings.ContainsAny(text, "\r\n") }
