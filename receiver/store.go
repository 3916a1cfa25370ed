package receiver

import (
	"context"
	"database/sql"
	"errors"
)

// Store remembers which calls and events were done. Its promise is that of a transaction: the
// effect of a call and the mark that it was done are stored together, or neither is. A
// Memory keeps it until the program ends, an SQLStore for good.
type Store interface {
	// Once runs do, unless what the mark names has been done, and remembers the mark and the
	// result with it. It returns the result, now or then, and whether it is repeated. Where two
	// have one mark, the second waits for the first. If do fails, nothing is remembered.
	Once(ctx context.Context, mark Mark, do func(context.Context) ([]byte, error)) (result []byte, repeated bool, err error)
	// Done reports whether a mark is remembered.
	Done(ctx context.Context, name, key string) (bool, error)
	// Position is up to where the feed of a name has been processed; "" at first.
	Position(ctx context.Context, name string) (string, error)
}

// Mark is what is remembered of a call or an event.
type Mark struct {
	Name string // of the handler
	Key  string // "": it cannot be known again, and is done
	// From and To move the position of the handler's feed; none is moved if To is "".
	From, To string
}

// ErrMoved says that the position of a feed is not the one of Mark.From: somebody else was
// faster, and do was not run.
var ErrMoved = errors.New("the position of the feed was moved meanwhile")

type txKey struct{}

// Tx returns the transaction that a handler runs in, whose Store is an SQLStore; nil
// otherwise. What is written through it happens once, however often the request comes.
func Tx(ctx context.Context) *sql.Tx {
	tx, _ := ctx.Value(txKey{}).(*sql.Tx)
	return tx
}
