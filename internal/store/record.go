package store

import (
	"errors"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/ids"
)

// Recording makes a write that records attempts. Another node may have given the id of one of
// them to an attempt of its own, which began in the same microsecond: then all get other ids,
// and the write is made again.
func Recording(write func() error, attempts ...*attempt.Attempt) error {
	for {
		err := write()
		if !errors.Is(err, ErrNumberTaken) {
			return err
		}
		for _, a := range attempts {
			a.ID = ids.Numbered(ids.Attempt, a.StartedAt)
		}
	}
}
