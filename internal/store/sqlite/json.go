package sqlite

import (
	"fmt"

	"github.com/go-json-experiment/json"
)

// encode returns v as it is stored, so that decode gives the same again.
func encode(v any) (string, error) {
	b, err := json.Marshal(v, json.FormatNilSliceAsNull(true), json.FormatNilMapAsNull(true))
	return string(b), err
}

// decode reads what encode made; what says what it is, for the error.
func decode(data []byte, into any, what string) error {
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("stored %s: %w", what, err)
	}
	return nil
}
