package config

import (
	"fmt"
	"os"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/settings"
)

// expand puts the values of variables into all texts of the file. The file is that of the
// environment's owner, and is shown to nobody, so it may name any. at is where the object
// stands, for errors.
func expand(o *jsondoc.Object, at string) error {
	for _, m := range o.Members() {
		v, err := expandValue(m.Value, at+m.Name)
		if err != nil {
			return err
		}
		o.Set(m.Name, v)
	}
	return nil
}

// expandValue returns a value of the file with the values of variables in its texts; at is
// where it stands. Numbers and flags have no variables in them.
func expandValue(v any, at string) (any, error) {
	switch v := v.(type) {
	case *jsondoc.Object:
		return v, expand(v, at+".")
	// An element is named by its place, as the fields of a body are.
	case []any:
		for i := range v {
			var err error
			if v[i], err = expandValue(v[i], fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return nil, err
			}
		}
	case string:
		text, err := settings.ExpandVariables(v, settings.Environment(os.LookupEnv))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
		return text, nil
	}
	return v, nil
}
