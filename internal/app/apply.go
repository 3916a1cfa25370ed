package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
)

// Difference is something that a file and a database do not have in common. Its text has
// no secret in it.
type Difference struct {
	Text     string
	Endpoint bool  // it is about an endpoint, whose queue a server has in its memory
	More     int64 // endpoints: 1 where one is made, -1 where one is removed
}

// Found is what a look at a file has come to. Warnings are about its settings; their paths
// begin at the file, as those of differences.
type Found struct {
	Differences []Difference
	Warnings    []apierr.Warning
}

// Apply makes a tenant have what the file says, and returns the differences that there
// were; if dryRun is true, nothing is changed. What was found comes with an error, too.
// Whoever applies a file makes a dry run first, which finds what is wrong with it.
func (in *Installation) Apply(ctx context.Context, st store.Store, now time.Time, dryRun bool) (Found, error) {
	// The guard is that of the server's address, so that a URL which it will refuse is refused
	// here.
	client := outbound.New(outbound.Options{Guard: in.Targets.at(in.Listen), Secrets: st.Secrets()})
	defer client.Close()
	a := &application{Installation: in, st: st, client: client, by: "apply", now: now}
	return a.run(byCommand(ctx, "apply", ""), dryRun)
}

// install is [api.Options].Install: it has an installation be as a document of a call says.
// Its errors are those of the API.
func (w Wiring) install(ctx context.Context, tenant, by string, doc *jsondoc.Object, dryRun bool) (api.Installed, error) {
	in := &Installation{Tenant: tenant}
	out := api.Installed{Differences: []string{}, Warnings: []apierr.Warning{}}
	if err := in.take(doc); err != nil {
		return out, refused(err)
	}
	a := &application{Installation: in, st: w.Store, client: w.Client, by: by, now: w.Clock.Now().UTC().Truncate(time.Microsecond)}
	// What was found comes with an error, too: the changes before it are stored.
	found, err := a.run(ctx, dryRun)
	for _, d := range found.Differences {
		out.Differences = append(out.Differences, d.Text)
		out.Endpoints += d.More
	}
	out.Warnings = append(out.Warnings, found.Warnings...)
	return out, refused(err)
}

// refused makes the answer of an error that the caller can correct. Its text names the
// place, which the fields of an error of the API do not know.
func refused(err error) error {
	if err == nil || !IsUserError(err) {
		return err
	}
	kind := apierr.Invalid
	if e, ok := errors.AsType[*apierr.Error](err); ok {
		kind = e.Kind
	}
	return apierr.Errorf(kind, "%v", err)
}

// run makes the changes, each in a write of its own, which the audit log has with the action
// of the call of the API that does the same. If the process dies in the middle, the next call
// does what is left.
func (a *application) run(ctx context.Context, dryRun bool) (Found, error) {
	// These two need the client and the store, which Read does not have.
	if a.settings != nil {
		a.settings.Refused = a.client.Guard().For(a.Tenant).Refusal
		a.settings.is = func(v secret.Value, text string) bool { return a.st.SecretIs(ctx, a.Tenant, v, text) }
	}
	// The keys are read once, since named needs those of before the first change.
	if err := a.readKeys(ctx); err != nil {
		return Found{}, err
	}
	for _, do := range a.changes() {
		// A change that fails ends the call. Those before it stay.
		if err := a.write(ctx, dryRun, do); err != nil {
			return a.found, a.failed(err)
		}
	}
	// A dry run has looked at each change by itself.
	if dryRun {
		if err := a.checkKeys(); err != nil {
			return a.found, a.failed(err)
		}
	}
	return a.found, nil
}

// failed is the error of a call.
func (a *application) failed(err error) error {
	return doing("apply "+cmp.Or(a.Path, "an installation"), err)
}

// write makes one change, or only finds out what it would be: a dry run decides the same
// and ends the write with an error. The context has who asks for it.
func (a *application) write(ctx context.Context, dryRun bool, do func(ctx context.Context, tx store.Tx) error) error {
	asked := store.AuditedBy(ctx)
	audited := store.Audited(ctx, func() access.AuditEntry {
		e := asked()
		e.Action = a.action
		return e
	})
	// The differences of the changes before this one stay.
	before := len(a.found.Differences)
	err := a.st.Write(audited, func(tx store.Tx) error {
		a.found.Differences = a.found.Differences[:before] // this may run again
		if err := do(audited, tx); err != nil {
			return err
		}
		// The error makes the store undo the write.
		if dryRun {
			return errDryRun
		}
		return nil
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return err
}

// errDryRun ends a write that is to change nothing.
var errDryRun = errors.New("a dry run changes nothing")

// application is one call of Apply.
type application struct {
	*Installation
	st     store.Store
	client api.Client
	by     string // in the history of the settings
	now    time.Time
	found  Found
	action string       // of the change that is being made, in the audit log
	before []access.Key // the tenant's
}

// differs notes a difference. The text must hold no secret.
func (a *application) differs(endpoint bool, format string, args ...any) {
	a.found.Differences = append(a.found.Differences, Difference{Text: fmt.Sprintf(format, args...), Endpoint: endpoint})
}

// changes are what is to be done, one write each: the settings, then the endpoints, then
// the keys. A new key comes before an old one goes, so that somebody always gets in.
func (a *application) changes() (all []func(context.Context, store.Tx) error) {
	if a.settings != nil {
		all = append(all, a.applySettings)
	}
	for _, e := range a.endpoints {
		all = append(all, func(ctx context.Context, tx store.Tx) error {
			return placed(a.place(e.at), a.applyEndpoint(ctx, tx, e))
		})
	}
	for _, k := range a.keys {
		// A key that is to be absent needs no new one before it.
		if !k.absent {
			all = append(all, func(ctx context.Context, tx store.Tx) error {
				return placed(a.place(k.at), a.makeKey(ctx, tx, k))
			})
		}
		// One write for each: the last admin key of a tenant cannot be deleted, and that
		// must not undo the others.
		for nth := range a.named(k.name) {
			all = append(all, func(ctx context.Context, tx store.Tx) error {
				return placed(a.place(k.at), a.removeKey(ctx, tx, k, nth))
			})
		}
	}
	return all
}

// placed is firstWrong, for an error that may be nil.
func placed(at string, err error) error {
	if err == nil {
		return nil
	}
	return firstWrong(at, err)
}

// applySettings stores the settings of the file, unless they are stored already. What
// differs is told from documents in which secrets are masked.
func (a *application) applySettings(ctx context.Context, tx store.Tx) error {
	stored, err := tx.Settings(ctx, a.Tenant)
	if err != nil {
		return fmt.Errorf("read those that are stored: %w", err)
	}
	next, warnings, err := a.settings.Check(stored)
	// This may run again, so they take the place of those of before.
	a.found.Warnings = nil
	for _, w := range warnings {
		a.found.Warnings = append(a.found.Warnings, apierr.Warning{Path: jsondoc.JoinPath("settings", w.Path), Message: w.Message})
	}
	if err != nil {
		return firstWrong(a.place("settings"), err)
	}
	if sameSettings(stored, next) {
		return nil
	}
	before := len(a.found.Differences)
	// Both are masked, so no secret gets into a difference.
	eachDifference("settings", stored.Masked(), next.Masked(), func(at, was, is string) { a.differs(false, "%s: %s → %s", at, was, is) })
	// The masked documents are the same, so it can only be that.
	if len(a.found.Differences) == before {
		a.differs(false, "settings: a secret is another one")
	}
	a.action = actionPutSettings
	return tx.PutSettings(ctx, a.Tenant, next, stored.Version, a.by, a.now)
}

// eachDifference calls each with the paths at which two documents differ, and with what is
// there, as JSON. Objects are compared member by member, and lists of the same length
// element by element; any other two values differ as a whole.
func eachDifference(at string, was, is any, each func(at, was, is string)) {
	before, okBefore := was.(*jsondoc.Object)
	after, okAfter := is.(*jsondoc.Object)
	if okBefore && okAfter {
		for _, m := range before.Members() {
			v, there := after.Get(m.Name)
			if !there {
				v = absent{}
			}
			eachDifference(jsondoc.JoinPath(at, m.Name), m.Value, v, each)
		}
		for _, m := range after.Members() {
			if !before.Has(m.Name) {
				eachDifference(jsondoc.JoinPath(at, m.Name), absent{}, m.Value, each)
			}
		}
		return
	}
	listBefore, okBefore := was.([]any)
	listAfter, okAfter := is.([]any)
	if okBefore && okAfter && len(listBefore) == len(listAfter) {
		for i := range listBefore {
			eachDifference(fmt.Sprintf("%s[%d]", at, i), listBefore[i], listAfter[i], each)
		}
		return
	}
	// Numbers are compared as they are written: 1 and 1.0 differ.
	if one, other := shown(was), shown(is); one != other {
		each(at, one, other)
	}
}

// absent stands for what is not there.
type absent struct{}

// shown is a value as JSON, for people.
func shown(v any) string {
	if _, gone := v.(absent); gone {
		return "(none)"
	}
	text := string(jsondoc.NewObject(jsondoc.Pair("v", v)).JSON())
	return strings.TrimSuffix(strings.TrimPrefix(text, `{"v":`), "}")
}

// errOver is the error of a key that would be refused from the beginning.
var errOver = UserErrorf("expiresAt must be a time to come; a key that is to end now is made absent")

// HasEndpoints reports whether one of the differences is about an endpoint: a server has those
// in its memory.
func (f Found) HasEndpoints() bool {
	return slices.ContainsFunc(f.Differences, func(d Difference) bool { return d.Endpoint })
}
