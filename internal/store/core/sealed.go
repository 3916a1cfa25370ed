package core

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/orderhook/orderhook/internal/secret"
)

// SealedColumn is a column whose texts are sealed with the encryption key of the
// database.
type SealedColumn struct {
	Table, Column string
	// Reseal returns the text of a row as another seals it. value gives the row's values
	// by column: texts are strings, numbers int64. The error is [secret.ErrMoved] if the
	// text does not open.
	Reseal func(from *secret.Sealer, to secret.Resealer, value func(column string) any) (string, error)
}

// SealedColumns are all that there are.
var SealedColumns = []SealedColumn{
	{"secrets", "sealed", func(from *secret.Sealer, to secret.Resealer, value func(string) any) (string, error) {
		one := secret.Sealed{ID: textOf(value("id")), Place: textOf(value("place")), Text: textOf(value("sealed"))}
		if json.Unmarshal([]byte(textOf(value("origins"))), &one.Origins) != nil {
			return "", secret.ErrMoved
		}
		return from.Reseal(to, textOf(value("tenant")), one)
	}},
	{"endpoints", "doc", func(from *secret.Sealer, to secret.Resealer, value func(string) any) (string, error) {
		no, _ := value("no").(int64)
		return from.ResealDocument(to, textOf(value("tenant")), endpointPlace(no), textOf(value("doc")))
	}},
}

func textOf(v any) string {
	text, _ := v.(string)
	return text
}

const (
	// MetaBound is the row of the table meta that says that secrets are bound to what
	// they were given for.
	MetaBound = "encryption.bound"
	// MetaSalt is the row of the table meta with the salt of the encryption key. It is
	// random, and so tells one database from another.
	MetaSalt = "encryption.salt"
	// MetaCopyOf is the row of the table meta of a database that another is being copied
	// into: it says which.
	MetaCopyOf = "copy.of"
)

// ErrHalfCopied is the error of a database that a part of another was copied into.
var ErrHalfCopied = errors.New("the database is a copy that is not finished: run the same `orderhook migrate --from … --to …` again, which goes on with it")

// CheckWhole is [ErrHalfCopied] if the database is a copy that is not finished.
func (s *Store) CheckWhole(ctx context.Context) error {
	if half, err := s.hasMeta(ctx, MetaCopyOf); err != nil || !half {
		return err
	}
	return ErrHalfCopied
}
