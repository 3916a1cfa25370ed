package secret

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
)

// rows are stored secrets by their ids.
type rows map[string]Sealed

func (r rows) find(_ context.Context, _, id string) (Sealed, error) {
	if one, ok := r[id]; ok {
		one.ID = id
		return one, nil
	}
	return Sealed{}, ErrGone
}

func TestASecretOpensForWhatItWasGivenForAlone(t *testing.T) {
	s := testSealer(t)
	one := s.Seal("acme", "a/place", []string{"https://b:443", "https://a:443", "https://b:443"}, New("hush"))
	two := s.Seal("acme", "a/place", []string{"https://a:443", "https://b:443"}, New("two"))
	if !slices.Equal(one.Origins, two.Origins) {
		t.Errorf("origins are %v", one.Origins)
	}
	with := func(change func(*Sealed)) Sealed {
		changed := one
		changed.Origins = slices.Clone(one.Origins)
		change(&changed)
		return changed
	}
	for name, c := range map[string]struct {
		tenant string
		v      Value
		row    Sealed
		want   error
	}{
		"as it is":               {"acme", one.Reference(), one, nil},
		"the row says its place": {"acme", one.Reference(), with(func(s *Sealed) { s.Place = "elsewhere" }), nil}, // which nobody asks
		"another tenant":         {"other", one.Reference(), one, ErrMoved},
		"another place":          {"acme", one.Reference().At("another/place"), one, ErrMoved},
		"another origin":         {"acme", one.Reference(), with(func(s *Sealed) { s.Origins[0] = "https://evil:443" }), ErrMoved},
		"an origin more":         {"acme", one.Reference(), with(func(s *Sealed) { s.Origins = append(s.Origins, "https://evil:443") }), ErrMoved},
		"anywhere":               {"acme", one.Reference(), with(func(s *Sealed) { s.Origins = []string{Anywhere} }), ErrMoved},
		"another secret's text":  {"acme", one.Reference(), with(func(s *Sealed) { s.Text = two.Text }), ErrMoved},
		"a document":             {"acme", one.Reference(), with(func(r *Sealed) { r.Text = s.SealDocument("acme", "a/place", "hush") }), ErrMoved},
		"of before it was bound": {"acme", one.Reference(), with(func(r *Sealed) { r.Text = s.Check() }), ErrMoved},
		"no row":                 {"acme", Stored("sec_2", "a/place"), one, ErrGone},
		"no reference":           {"acme", New("hush"), one, ErrGone},
	} {
		var log strings.Builder
		o := NewOpener(s, rows{one.ID: c.row}.find, slog.New(slog.NewTextHandler(&log, nil)))
		opened, err := o.Reveal(t.Context(), c.tenant, c.v)
		if !errors.Is(err, c.want) || (err == nil) != (opened.Text == "hush") {
			t.Errorf("%s: %q, %v", name, opened.Text, err)
		}
		if o.Is(t.Context(), c.tenant, c.v, "hush") != (err == nil) || o.Is(t.Context(), c.tenant, c.v, "hus") {
			t.Errorf("%s: it is told for another", name)
		}
	}
}

func TestWhereAnOpenedSecretMayGo(t *testing.T) {
	for name, c := range map[string]struct {
		opened Opened
		since  int64
		want   error
	}{
		"its origin":                {Opened{Origins: []string{"https://a:443", "https://b:443"}}, 0, nil},
		"another":                   {Opened{Origins: []string{"https://a:444"}}, 0, ErrOrigin},
		"none":                      {Opened{}, 0, ErrOrigin},
		"anywhere":                  {Opened{Origins: []string{Anywhere}}, 0, nil},
		"retired":                   {Opened{Origins: []string{"https://b:443"}, Retired: 7}, 0, ErrRetired},
		"retired, a run's":          {Opened{Origins: []string{"https://b:443"}, Retired: 7}, 6, nil},
		"retired before the run":    {Opened{Origins: []string{"https://b:443"}, Retired: 7}, 7, ErrRetired},
		"retired, another, a run's": {Opened{Origins: []string{"https://a:443"}, Retired: 7}, 6, ErrOrigin},
	} {
		if err := c.opened.Allow("https://b:443", c.since); err != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
