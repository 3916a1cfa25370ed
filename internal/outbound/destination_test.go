package outbound

import (
	"fmt"
	"strings"
	"testing"
)

// TestDestinationsAreBounded: they begin anew when there are too many, and long ones are not
// retained.
func TestDestinationsAreBounded(t *testing.T) {
	var d destinations
	for i := range mostDestinations + 10 {
		to, ok := d.get(fmt.Sprintf("http://a.example/%d?key=x", i))
		if want := fmt.Sprintf("/%d?key=x", i); !ok || to.path != want || to.shown != fmt.Sprintf("http://a.example/%d?key=***", i) {
			t.Fatalf("%+v, want %s", to, want)
		}
	}
	if to, ok := d.get("http://a.example/" + strings.Repeat("b", longestDestination)); !ok || len(to.path) != longestDestination+1 {
		t.Errorf("a long one: %+v", to)
	}
	retained := func() (n int) {
		d.of.Range(func(_, _ any) bool { n++; return true })
		return n
	}
	if retained() != 10 {
		t.Errorf("%d are retained", retained())
	}
	one, _ := d.get("http://a.example/1?key=x")
	if again, _ := d.get("http://a.example/1?key=x"); again != one {
		t.Error("one that is retained is made again")
	}
	if _, ok := d.get("ftp://a.example"); ok || retained() != 11 {
		t.Errorf("no URL to call, and %d are retained", retained())
	}
}
