package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// Applied is what became of a settings file.
type Applied struct {
	Version  int64 // of the settings that are in force now
	Changed  bool  // false if they were in force before
	Warnings []oms.Warning
}

// ReadSettings reads the document in a settings file, without checking more
// than that it is one.
func ReadSettings(path string) (*oms.Object, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, &Mistake{err}
	}
	doc, err := oms.Parse(data)
	if err != nil {
		return nil, &Mistake{fmt.Errorf("%s: %w", path, err)}
	}
	return doc, nil
}

// ApplySettings makes the settings in a file the tenant's, unless they are so
// already: a restart makes no new version. A "***" keeps the stored secret.
func ApplySettings(ctx context.Context, st store.Store, tenant, path string, now time.Time) (a Applied, err error) {
	doc, err := ReadSettings(path)
	if err != nil {
		return a, err
	}
	err = st.Write(ctx, func(tx store.Tx) error {
		a, err = applyTx(ctx, tx, tenant, doc.Clone(), now)
		return err
	})
	return a, inFile(path, err)
}

func applyTx(ctx context.Context, tx store.Tx, tenant string, doc *oms.Object, now time.Time) (a Applied, err error) {
	stored, err := tx.Settings(ctx, tenant)
	if err != nil {
		return a, err
	}
	if err := settings.Keep(doc, stored); err != nil {
		return a, err
	}
	next, warnings, err := settings.Parse(doc)
	if err != nil {
		return a, err
	}
	if sameSettings(stored, next) {
		return Applied{stored.Version, false, warnings}, nil
	}
	err = tx.PutSettings(ctx, tenant, next, stored.Version, "settings file", now)
	return Applied{next.Version, true, warnings}, err
}

// sameSettings compares the documents, but for their secrets, and then what was
// read from them, which holds the secrets.
func sameSettings(a, b *settings.Settings) bool {
	return bytes.Equal(a.Masked().JSON(), b.Masked().JSON()) &&
		reflect.DeepEqual(a.Connectors, b.Connectors) &&
		reflect.DeepEqual(a.OrderTypes, b.OrderTypes) &&
		reflect.DeepEqual(a.ReturnStatuses, b.ReturnStatuses)
}

// inFile says in one line which file is wrong, where first, and how to see all.
func inFile(path string, err error) error {
	e, ok := errors.AsType[*oms.Error](err)
	if !ok || len(e.Fields) == 0 {
		return err
	}
	first := e.Fields[0]
	if len(e.Fields) == 1 {
		return Mistakef("%s: %s: %s", path, first.Location, first.Message)
	}
	return Mistakef("%s: %s: %s (and %d mistakes more: orderhook settings check %s)", path, first.Location, first.Message, len(e.Fields)-1, path)
}
