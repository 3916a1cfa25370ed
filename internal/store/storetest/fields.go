package storetest

import (
	"fmt"
	"reflect"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/secret"
)

// withEveryField returns v with each field that was zero set to something, at every
// depth. So an engine that forgets to store one field fails a test, also when the field
// is added to the type later and nobody thinks of the tests.
func withEveryField[T any](v T) T {
	setFields(reflect.ValueOf(&v).Elem(), "v")
	return v
}

// setFields sets what is zero within v, the value of a field of this name. Where it can,
// the value is made of the name, so that two fields of the same type cannot be mixed up
// unnoticed.
func setFields(v reflect.Value, name string) {
	if value, known := wellKnown(v.Interface(), name); known {
		if v.IsZero() {
			v.Set(reflect.ValueOf(value))
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			setFields(v.Field(i), v.Type().Field(i).Name)
		}
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		setFields(v.Elem(), name)
	case reflect.Slice:
		// A list gets one item, whose fields are set, too.
		if v.IsNil() {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		for i := range v.Len() {
			setFields(v.Index(i), name)
		}
	default:
		setScalar(v, name)
	}
}

// wellKnown returns a value for the types that are set as a whole, and whether v has such
// a type.
func wellKnown(v any, name string) (any, bool) {
	switch v.(type) {
	case time.Time:
		// The time is one of the suite's, with microseconds, which each engine can store.
		return at(len(name)), true
	case []byte:
		return []byte(name), true
	case secret.Value:
		return secret.New("secret of " + name), true
	case jsontext.Value:
		// The text is a whole JSON document, as the fields of this type have to be.
		return jsontext.Value(`{"is":"` + name + `"}`), true
	case nil: // the any of a changed field
		return jsondoc.Number("0.10"), true
	}
	return nil, false
}

// setScalar sets a value that has no fields. It panics at a kind that it does not know,
// so that a new field is not skipped in silence.
func setScalar(v reflect.Value, name string) {
	if !v.IsZero() {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(name)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(len(name)))
	case reflect.Float64:
		// An eighth has an exact form in binary, so it comes back as it was.
		v.SetFloat(float64(len(name)) + 0.125)
	case reflect.Map, reflect.Interface: // headers and values of documents are given by the test
	default:
		panic(fmt.Sprintf("no value for %s of type %s", name, v.Type()))
	}
}
