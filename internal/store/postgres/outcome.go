package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
)

const (
	// outcomeTime bounds how long it is asked what became of a commit whose answer was lost.
	outcomeTime = 15 * time.Second
	outcomeEach = 50 * time.Millisecond
)

// errAgain is in the error of a transaction of which nothing was committed, and that may
// get through at another try. commitGroup looks for it.
var errAgain = errors.New("to be tried again")

// errUnknown is in the error of a commit if nobody knows what became of it. Whether its
// writes are there then shows only later; all nodes are told to look at everything anew
// (core.Store.Unknown).
var errUnknown = errors.New("the connection was lost during the commit")

// notTaken is what the caller is told of a transaction that was not committed.
func notTaken(err error) error {
	switch {
	case errors.Is(err, errUnknown):
		return unavailable("the database was lost while it took the write. Whether it was written is not known", err)
	case isUnavailable(err):
		return failure(err)
	}
	return unavailable("the database did not take the write", err)
}

// isUnavailable reports whether an error says that the database cannot be used now.
func isUnavailable(err error) bool { return apierr.KindOf(failure(err)) == apierr.Unavailable }

// commit makes a transaction durable. If the answer is lost, another connection asks the
// server what became of it. A server that answers ROLLBACK to COMMIT says that a statement
// had failed before.
func (w *writer) commit(ctx context.Context, t *transaction) error {
	tag, err := w.conn.Exec(ctx, "COMMIT")
	switch {
	case err == nil && tag.String() == "COMMIT":
		return nil
	case err == nil:
		return errors.New("the transaction had failed")
	case code(err) != "" && !isLost(err): // the server says that it was rolled back
		return w.undo(err)
	}
	w.hangUp()
	return w.outcome(t, err)
}

// outcome finds out what became of a transaction whose commit was not answered, by its
// mark. It asks until the server answers, but not for longer than outcomeTime. The id that
// PostgreSQL gives a transaction would not do: after a crash the server may give it to
// another one (docs/design.md#postgresql).
func (w *writer) outcome(t *transaction, lost error) error {
	ctx, cancel := context.WithTimeout(context.Background(), w.config.outcomeTime)
	defer cancel()
	for {
		committed, err := w.isCommitted(ctx, t)
		switch {
		// The caller is told so, as if the answer had come.
		case err == nil && committed:
			return nil
		// The mark was made here: the transaction was rolled back, and can never be
		// committed now.
		case err == nil:
			return errors.Join(errAgain, lost)
		}
		select {
		case <-ctx.Done():
			return errors.Join(errUnknown, lost, err)
		case <-time.After(outcomeEach):
		}
	}
}

// forgetMarks removes the marks of connections that are gone, when a node joins: each
// leaves one. Those of the last day stay, far longer than anybody asks for one. A
// command that only opens the database removes none, because some commands change nothing in it.
const forgetMarks = `DELETE FROM commits WHERE at < now() - interval '1 day'`

// isCommitted reports whether the mark of a transaction is there. It is tried to be made
// anew: that waits for the end of the transaction, if it is still under way, and keeps it
// from being there later.
func (w *writer) isCommitted(ctx context.Context, t *transaction) (bool, error) {
	conn, err := w.config.connect(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	made, err := conn.Exec(ctx, `INSERT INTO commits (writer, number) VALUES ($1, $2) ON CONFLICT DO NOTHING`, t.writer, t.number)
	return made.RowsAffected() == 0, err
}
