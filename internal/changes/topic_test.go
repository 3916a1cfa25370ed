package changes_test

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/changes"
)

func TestTopics(t *testing.T) {
	for bit, name := range changes.TopicNames {
		got, err := changes.ParseTopics(name)
		if err != nil || got != 1<<bit || strings.Join(got.Names(), ",") != name {
			t.Errorf("%s: %b, %v, %v", name, got, got.Names(), err)
		}
	}
	both, err := changes.ParseTopics("runs, orders")
	if err != nil || both != changes.TopicOrders|changes.TopicRuns || strings.Join(both.Names(), ",") != "orders,runs" {
		t.Errorf("two: %v, %v", both.Names(), err)
	}
	if all, err := changes.ParseTopics("keys"); err != nil || all != changes.TopicKeys {
		t.Errorf("the last of the names is not the last of the topics: %b, %v", all, err)
	}
	for _, wrong := range []string{"", "order", "runs,,orders", "Runs"} {
		if got, err := changes.ParseTopics(wrong); apierr.KindOf(err) != apierr.Invalid {
			t.Errorf("%q: %v, %v", wrong, got.Names(), err)
		}
	}
}
