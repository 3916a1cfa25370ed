package receiver

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Patch is a patch of an order as orderhook takes it (docs/contract.md#patches).
type Patch json.RawMessage

// MarshalJSON implements json.Marshaler.
func (p Patch) MarshalJSON() ([]byte, error) { return json.RawMessage(p).MarshalJSON() }

// Difference returns the patch that makes the order as it was before into the order as it is
// after. It names what differs and nothing else, so that what others change meanwhile stands;
// it is nil where nothing differs.
//
// The error names what no patch can do: to remove a shipment, a payment, a return, a note or
// a file, or the status.
func Difference(before, after *Order) (Patch, error) {
	d := &differ{}
	members := d.inObject(reflect.ValueOf(*before), reflect.ValueOf(*after), "", replaced{})
	if before.Status != "" && strings.TrimSpace(after.Status) == "" {
		d.impossible("status", "an order always has one")
	}
	if err := errors.Join(d.errs...); err != nil {
		return nil, err
	}
	if len(members) == 0 {
		return nil, nil
	}
	if len(d.forced) > 0 {
		slices.Sort(d.forced)
		members["forceUpdate"] = slices.Compact(d.forced)
	}
	text, err := marshal(members)
	return Patch(text), err
}

// differ finds differences. What it returns for an object are the members of a patch, none
// where nothing differs.
type differ struct {
	// forced are the names of the fields that are cleared, or set to what a typed program
	// writes for a field that it knows nothing of. They are named by their own names: each of
	// that name in the patch is there on purpose.
	forced []string
	errs   []error
}

// replaced says which lists a patch replaces, here and below, unless an object in it says
// otherwise for itself.
type replaced struct{ properties, lists, lines bool }

// steered are the types in which a patch may say which lists it replaces, and which
// properties it removes.
var steered = []reflect.Type{
	reflect.TypeFor[Order](), reflect.TypeFor[OrderForm](), reflect.TypeFor[LineItem](), reflect.TypeFor[Shipment](), reflect.TypeFor[ReturnOrderForm](),
}

func (d *differ) impossible(path, why string) {
	d.errs = append(d.errs, fmt.Errorf("%s: a patch cannot do that: %s", path, why))
}

func (d *differ) inObject(before, after reflect.Value, path string, r replaced) map[string]any {
	p := planOf(after.Type())
	out := map[string]any{}
	r = d.control(out, before, after, path, r)
	for _, f := range p.fields {
		d.inField(out, f, before.Field(f.index), after.Field(f.index), join(path, f.name), r)
	}
	was, _ := before.Field(p.other).Interface().(Members)
	is, _ := after.Field(p.other).Interface().(Members)
	d.members(out, was, is)
	return out
}

// inField puts one field into a patch if it differs.
func (d *differ) inField(out map[string]any, f field, before, after reflect.Value, path string, r replaced) {
	switch after.Kind() {
	case reflect.Pointer:
		d.pointer(out, f, before, after, path, r)
	case reflect.Slice:
		if list := d.list(f, before, after, path, r); list != nil {
			out[f.name] = list
		}
	default:
		switch {
		case sameValue(before, after):
		case after.Kind() == reflect.String && after.Len() == 0:
			d.clear(out, f.name)
		default:
			out[f.name] = after.Interface()
			if before.IsZero() && looksEmpty(after) {
				d.forced = append(d.forced, f.name)
			}
		}
	}
}

func (d *differ) pointer(out map[string]any, f field, before, after reflect.Value, path string, r replaced) {
	switch {
	case before.IsNil() && after.IsNil():
	case after.IsNil():
		d.clear(out, f.name)
	case before.IsNil():
		out[f.name] = after.Interface()
	default:
		if members := d.inObject(before.Elem(), after.Elem(), path, r); len(members) > 0 {
			out[f.name] = members
		}
	}
}

// clear has a patch clear a field.
func (d *differ) clear(out map[string]any, name string) {
	out[name] = nil
	d.forced = append(d.forced, name)
}

// sameValue compares fields that are text, a number, or true or false.
func sameValue(before, after reflect.Value) bool {
	if n, ok := after.Interface().(Number); ok {
		return n.Equal(before.Interface().(Number))
	}
	return before.Equal(after)
}

// looksEmpty reports whether a value is one that typed programs write for fields that they
// know nothing of. In a field that was absent orderhook passes over it, unless it is forced.
func looksEmpty(v reflect.Value) bool {
	if n, ok := v.Interface().(Number); ok {
		value, err := n.Rat()
		return err == nil && value.Sign() == 0
	}
	return v.Kind() == reflect.String && (strings.HasPrefix(v.String(), "0001-01-01T00:00:00") || v.String() == "00000000-0000-0000-0000-000000000000")
}

// members puts the differences of members that no type has into a patch: objects merge, and
// anything else is a value.
func (d *differ) members(out map[string]any, before, after Members) {
	after = after.spelledAs(before)
	for _, name := range before.names() {
		if after[name] == nil && string(before[name]) != "null" {
			d.clear(out, name)
		}
	}
	for _, name := range after.names() {
		was, is := before[name], after[name]
		if sameJSON(was, is) {
			continue
		}
		inner, ok := membersOf(is)
		outer, ok2 := membersOf(was)
		switch {
		case ok && ok2:
			merged := map[string]any{}
			d.members(merged, outer, inner)
			if len(merged) > 0 {
				out[name] = merged
			}
		case string(is) == "null":
			if was != nil {
				d.clear(out, name)
			}
		default:
			out[name] = is
		}
	}
}

// membersOf reads JSON that is an object.
func membersOf(text json.RawMessage) (Members, bool) {
	var m Members
	if len(text) == 0 || json.Unmarshal(text, &m) != nil {
		return nil, false
	}
	return m, m != nil
}

// sameJSON compares values as they were written, but for white space and the order of names.
func sameJSON(a, b json.RawMessage) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	x, errX := valueOf(a)
	y, errY := valueOf(b)
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}

func valueOf(text json.RawMessage) (v any, err error) {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	return v, d.Decode(&v)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
