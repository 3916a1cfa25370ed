package oms_test

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
)

func TestTopics(t *testing.T) {
	for bit, name := range oms.TopicNames() {
		got, err := oms.ParseTopics(name)
		if err != nil || got != 1<<bit || strings.Join(got.Names(), ",") != name {
			t.Errorf("%s: %b, %v, %v", name, got, got.Names(), err)
		}
	}
	both, err := oms.ParseTopics("runs, orders")
	if err != nil || both != oms.TopicOrders|oms.TopicRuns || strings.Join(both.Names(), ",") != "orders,runs" {
		t.Errorf("two: %v, %v", both.Names(), err)
	}
	if all, err := oms.ParseTopics("keys"); err != nil || all != oms.TopicKeys {
		t.Errorf("the last of the names is not the last of the topics: %b, %v", all, err)
	}
	for _, wrong := range []string{"", "order", "runs,,orders", "Runs"} {
		if got, err := oms.ParseTopics(wrong); oms.KindOf(err) != oms.Invalid {
			t.Errorf("%q: %v, %v", wrong, got.Names(), err)
		}
	}
}
