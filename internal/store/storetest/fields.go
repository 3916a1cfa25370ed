package storetest

import (
	"fmt"
	"reflect"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
)

// withEveryField returns v with each field that was zero set to something, at
// every depth, so that an engine that keeps all but one of them is found out.
func withEveryField[T any](v T) T {
	setFields(reflect.ValueOf(&v).Elem(), "v")
	return v
}

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

// wellKnown returns a value of the types that are not to be taken apart.
func wellKnown(v any, name string) (any, bool) {
	switch v.(type) {
	case time.Time:
		return at(len(name)), true
	case []byte:
		return []byte(name), true
	case secret.Value:
		return secret.New("secret of " + name), true
	case jsontext.Value:
		return jsontext.Value(`{"is":"` + name + `"}`), true
	case nil: // the any of a changed field
		return oms.Number("0.10"), true
	}
	return nil, false
}

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
		v.SetFloat(float64(len(name)) + 0.125)
	case reflect.Map, reflect.Interface: // headers and values of documents are given by the test
	default:
		panic(fmt.Sprintf("no value for %s of type %s", name, v.Type()))
	}
}
