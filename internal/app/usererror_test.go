package app

import (
	"errors"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
)

// TestDoing: what the user is to put right stays as it was said; the rest says what failed.
func TestDoing(t *testing.T) {
	broken := errors.New("disk I/O error")
	for _, row := range []struct {
		err  error
		want string
	}{
		{broken, "read the keys: disk I/O error"},
		{apierr.Errorf(apierr.Unavailable, "the database is busy"), "read the keys: the database is busy"},
		{apierr.Errorf(apierr.NotFound, "no key %q", "key_1"), `no key "key_1"`},
		{UserErrorf("the key is too short"), "the key is too short"},
	} {
		if err := doing("read the keys", row.err); err.Error() != row.want || !errors.Is(err, row.err) {
			t.Errorf("%v", err)
		}
	}
	if err := doing("read the keys", nil); err != nil {
		t.Errorf("nothing failed, and yet: %v", err)
	}
}
