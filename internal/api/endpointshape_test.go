package api

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
)

// TestAnEndpointCanBeSentBackAsItWasShown: whoever reads an endpoint, changes a field and
// sends all of it back is not told that there are no such fields.
func TestAnEndpointCanBeSentBackAsItWasShown(t *testing.T) {
	e, patch := event.DefaultEndpoint(), event.EndpointPatchShape()
	shown := reflect.TypeFor[Endpoint]()
	for i := range shown.NumField() {
		name, _, _ := strings.Cut(shown.Field(i).Tag.Get("json"), ",")
		if patch.Field(name) != nil || name == "id" {
			continue
		}
		if _, err := e.Changed(jsondoc.NewObject(jsondoc.Member{Name: name, Value: "as it was shown"}), event.EndpointChecks{}, time.Time{}); err != nil {
			t.Errorf("%s is shown, and refused: %v", name, err)
		}
	}
}

// TestWhatAnEndpointTakesIsShown, so that a field that callers set does not vanish.
func TestWhatAnEndpointTakesIsShown(t *testing.T) {
	shown := map[string]bool{}
	for i := range reflect.TypeFor[Endpoint]().NumField() {
		name, _, _ := strings.Cut(reflect.TypeFor[Endpoint]().Field(i).Tag.Get("json"), ",")
		shown[name] = true
	}
	for _, name := range event.EndpointPatchShape().Names() {
		if !shown[name] {
			t.Errorf("%s is taken, and not shown", name)
		}
	}
}
