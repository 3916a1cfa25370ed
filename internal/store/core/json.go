package core

import (
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
)

// storing and reading are the options by which documents of this package are written and
// read. Durations are numbers, in nanoseconds.
var (
	storing = json.JoinOptions(json.FormatNilSliceAsNull(true), json.FormatNilMapAsNull(true),
		json.WithMarshalers(json.MarshalFunc(func(d time.Duration) ([]byte, error) { return strconv.AppendInt(nil, int64(d), 10), nil })))
	reading = json.WithUnmarshalers(json.UnmarshalFunc(func(text []byte, d *time.Duration) error {
		n, err := strconv.ParseInt(string(text), 10, 64)
		*d = time.Duration(n)
		return err
	}))
)

// encode returns v as it is stored, so that decode gives the same again. It is for values
// of the program; the documents of orders, carts and settings are text that is stored as it
// is.
func encode(v any) (string, error) {
	b, err := json.Marshal(v, storing)
	return string(b), err
}

// decode reads what encode made; what says what it is, for the error.
func decode(data []byte, into any, what string) error {
	if err := json.Unmarshal(data, into, reading); err != nil {
		return fmt.Errorf("stored %s: %w", what, err)
	}
	return nil
}

// jsonNumbers returns a list for the piece {numbers}. A list as one argument keeps the text
// of a statement the same for any number of values.
func jsonNumbers(list []int64) string {
	b := []byte{'['}
	for _, n := range list {
		b = strconv.AppendInt(separated(b, '['), n, 10)
	}
	return string(append(b, ']'))
}
