package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// optional is a parameter that tells what is left out from its zero value. A filter by
// true or false needs three states: yes, no, and either. A pointer would say the same,
// but Huma takes none for parameters.
type optional[T any] struct {
	value T
	given bool
}

// Schema implements huma.SchemaProvider.
func (optional[T]) Schema(r huma.Registry) *huma.Schema {
	return huma.SchemaFromType(r, reflect.TypeFor[T]())
}

// Receiver implements huma.ParamWrapper.
func (o *optional[T]) Receiver() reflect.Value { return reflect.ValueOf(&o.value).Elem() }

// OnParamSet implements huma.ParamReactor. Huma calls it for every request, also where
// the parameter is not there.
func (o *optional[T]) OnParamSet(given bool, _ any) { o.given = given }

// orNil returns what was given, nil if nothing was.
func (o *optional[T]) orNil() *T {
	if !o.given {
		return nil
	}
	return &o.value
}
